"""A TOML file of the house's own settings read: its tables, and every fault of them told at once."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from service.domain.errors import ContentFault
from service.domain.issues import Issue, error

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 1_000_000


def read_tables(path: Path, what: str) -> dict[str, Any]:
    """The file's tables; ContentFault where it is too large to be ``what`` it should be, or no TOML."""
    if path.stat().st_size > _LARGEST:
        raise ContentFault(f"{path.name} is larger than {what} can be")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ContentFault(f"{path.name} is not TOML: {fault}") from None


class Reading:
    """One reading of a file: what is wrong is gathered, so that all of it can be told.

    ``folder`` is where the files are that it names.
    """

    def __init__(self, path: Path) -> None:
        """Takes the file's path; nothing is read yet."""
        self.folder = path.parent
        self.faults: list[Issue] = []
        self._name = path.name

    def fault(self, place: str, said: str) -> None:
        """Notes what is wrong, and where."""
        self.faults.append(error("value", said, place))

    def require_sound(self) -> None:
        """Nothing, where no fault was noted; else ContentFault with them all."""
        if self.faults:
            said = f"{self._name} has {len(self.faults)} faults; the service does not start on it"
            raise ContentFault(said, issues=self.faults)
