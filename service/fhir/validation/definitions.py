"""One extension against its definition: where it may stand, what it may hold, how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.fhir.validation.places import Place
    from service.fhir.validation.run import Run


def check_extension(value: dict[str, Any], place: Place, run: Run, *, modifier: bool) -> None:
    """Reports where an extension is unknown or breaks its definition."""
