"""The project's own terminology: code systems, value sets and maps, over whatever a caller can resolve.

Membership is three-valued: None means that it cannot be decided with the codes held here (a SNOMED CT
hierarchy, say), which is never the same as "no". R4 terminology module; ``$expand``, ``$lookup``,
``$validate-code`` and ``$translate`` are rendered in ``parameters.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhir.concepts.code_systems import CodeSystem, Concept
from service.fhir.concepts.value_sets import Member, NotEnumerable, contains, expand, is_sound

if TYPE_CHECKING:
    from collections.abc import Callable

Resource = dict[str, Any]

__all__ = ["CodeSystem", "Concept", "Member", "NotEnumerable", "Terminology"]


class Terminology:
    """Code systems and value sets found through a resolver, each indexed once. Safe from any thread.

    ``resolve`` takes a canonical, with or without ``|version``, and gives the resource or None.
    """

    def __init__(self, resolve: Callable[[str], Resource | None]) -> None:
        """Reads nothing yet."""
        self._resolve = resolve
        self._systems: dict[str, CodeSystem | None] = {}
        self._value_sets: dict[str, Resource | None] = {}
        self._expansions: dict[str, dict[tuple[str, str], Member]] = {}

    def code_system(self, url: str) -> CodeSystem | None:
        """The code system of that canonical, or None where it is not held here."""
        if url not in self._systems:
            found = self._resolve(url)
            held = found if found and found.get("resourceType") == "CodeSystem" else None
            self._systems[url] = CodeSystem(held) if held else None
        return self._systems[url]

    def value_set(self, canonical: str) -> Resource | None:
        """The value set of that canonical, or None where it is not held here."""
        if canonical not in self._value_sets:
            found = self._resolve(canonical)
            held = found if found and found.get("resourceType") == "ValueSet" else None
            self._value_sets[canonical] = self._sound(held) if held else None
        return self._value_sets[canonical]

    @staticmethod
    def _sound(value_set: Resource) -> Resource | None:
        return value_set if is_sound(value_set) else None

    def contains(self, value_set: str | Resource, system: str | None, code: str) -> bool | None:
        """Whether a value set (its canonical, or the resource) holds a code; None if that is undecidable.

        ``system`` None asks about a bare ``code``, for which any system of the value set counts.
        """
        resource = self.value_set(value_set) if isinstance(value_set, str) else self._sound(value_set)
        return None if resource is None else contains(self, resource, system, code)

    def expand(self, value_set: str | Resource) -> dict[tuple[str, str], Member]:
        """The codes of a value set in order; NotEnumerable says which codes are not held here."""
        if isinstance(value_set, dict):
            if not is_sound(value_set):
                raise NotEnumerable("the value set is not well-formed")
            return expand(self, value_set)
        if value_set not in self._expansions:
            resource = self.value_set(value_set)
            if resource is None:
                raise NotEnumerable(f"the value set {value_set} is not held here")
            self._expansions[value_set] = expand(self, resource)
        return self._expansions[value_set]

    def display(self, system: str, code: str) -> str | None:
        """The display of a code, or None where the code or its system is not held here."""
        held = self.code_system(system)
        concept = held.find(code) if held else None
        return concept.display if concept else None

    def subsumes(self, system: str, above: str, below: str) -> bool | None:
        """Whether the first code is the second or stands above it; None where one is not held here."""
        held = self.code_system(system)
        return held.subsumes(above, below) if held else None
