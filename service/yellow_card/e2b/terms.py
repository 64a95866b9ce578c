"""The organisation's own table of MedDRA terms, as its message needs it. The project ships no such terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.domain.safety_report import ReportedEvent


@dataclass(frozen=True, slots=True)
class Terms:
    """Codes of lowest-level terms by local key, all of one release (``version``)."""

    version: str
    codes: Mapping[str, str] = field(default_factory=dict)

    def find(self, *keys: str | None) -> str | None:
        """The code of the first key that the table has; keys are compared without regard to case."""
        for key in keys:
            code = self.codes.get(" ".join(key.split()).casefold()) if key else None
            if code is not None:
                return code
        return None

    def of(self, event: ReportedEvent) -> str | None:
        """The code of an event: its own where it was coded in this release, else by its term or its text."""
        if event.coded is not None and event.coded_version == self.version:
            return event.coded.code
        return self.find(event.term.code, event.text)
