"""The published terminology as FHIRPath asks for it: ``memberOf()`` and ``subsumes()``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhir.concepts.value_sets import any_true

if TYPE_CHECKING:
    from service.fhir.concepts import Terminology

Resource = dict[str, Any]


class Terms:
    """Answers FHIRPath's questions from code systems and value sets; None where it cannot be told."""

    def __init__(self, terminology: Terminology) -> None:
        """Takes the terminology to ask."""
        self._terminology = terminology

    def member_of(self, value_set: str, coded: str | Resource) -> bool | None:
        """Whether the code, or one of the concept's codings, is in the value set."""
        if isinstance(coded, str):
            return self._terminology.contains(value_set, None, coded)
        return any_true(
            self._terminology.contains(value_set, coding.get("system"), str(coding.get("code", "")))
            for coding in _codings(coded)
        )

    def subsumes(self, general: Resource, special: Resource) -> bool | None:
        """Whether one coding of the first is, or stands above, one of the second in the same system."""
        return any_true(
            self._terminology.subsumes(str(above["system"]), str(above["code"]), str(below["code"]))
            for above in _codings(general)
            for below in _codings(special)
            if above.get("system") and above.get("system") == below.get("system")
        )


def _codings(coded: Resource) -> list[Resource]:
    if "coding" in coded or "text" in coded:
        return [coding for coding in coded.get("coding", ()) if "code" in coding]
    return [coded]
