"""Unit codes of quantities: whether UCUM knows them, case-sensitive (https://ucum.org/ucum, §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.fhir.validation.run import quoted
from service.fhirpath import ucum

if TYPE_CHECKING:
    from service.fhir.validation.places import Place
    from service.fhir.validation.run import Run

UCUM = "http://unitsofmeasure.org"


def check_code(code: str, place: Place, run: Run) -> None:
    """Reports a unit code that is not UCUM."""
    if ucum.find(code) is None:
        message = f"{quoted(code)} is no UCUM unit; write one such as mL, umol/L, mm[Hg], Cel or {{score}}"
        run.error("code-invalid", message, place, "ucum")
