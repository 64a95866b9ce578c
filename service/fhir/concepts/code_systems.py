"""A CodeSystem as an index: its concepts, their hierarchy and properties. R4 ``codesystem.html``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import re2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept. ``parents`` are codes of the same system, from nesting and ``parent`` properties."""

    code: str
    display: str | None
    definition: str | None
    designations: tuple[Resource, ...]
    properties: tuple[Resource, ...]
    parents: frozenset[str]

    def values(self, name: str) -> tuple[Any, ...]:
        """The values of one property, as JSON; a Coding gives its code."""
        return tuple(_value(entry) for entry in self.properties if entry.get("code") == name)

    @property
    def inactive(self) -> bool:
        """Whether its properties say that it may not be used any more."""
        return True in self.values("inactive") or any(
            status in ("retired", "inactive") for status in self.values("status")
        )


def _value(entry: Resource) -> Any:
    value = next((value for key, value in entry.items() if key.startswith("value")), None)
    return value.get("code") if isinstance(value, dict) else value


class CodeSystem:
    """The concepts of one CodeSystem resource, built once."""

    def __init__(self, resource: Resource) -> None:
        """Takes a CodeSystem that has passed validation."""
        self.resource = resource
        self.url: str = resource.get("url", "")
        self.version: str | None = resource.get("version")
        self.complete = resource.get("content") == "complete"
        self._fold = resource.get("caseSensitive") is False
        self.concepts: Mapping[str, Concept] = {
            concept.code: concept for concept in _read(resource.get("concept", ()), frozenset())
        }
        self._folded = {code.casefold(): code for code in self.concepts} if self._fold else {}

    def find(self, code: str) -> Concept | None:
        """The concept of that code, or None; case counts only where the system says so."""
        found = self.concepts.get(code)
        if found is None and self._fold:
            found = self.concepts.get(self._folded.get(code.casefold(), ""))
        return found

    def ancestors(self, code: str) -> frozenset[str]:
        """The codes above a code, itself left out."""
        seen: set[str] = set()
        waiting = [code]
        while waiting:
            concept = self.concepts.get(waiting.pop())
            for parent in concept.parents if concept else ():
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        return frozenset(seen)

    def subsumes(self, above: str, below: str) -> bool | None:
        """Whether the first code is the second or an ancestor of it; None where one of them is unknown."""
        if self.find(above) is None or self.find(below) is None:
            return None
        return above == below or above in self.ancestors(below)

    def matches(self, concept: Concept, condition: Resource) -> bool | None:
        """Whether a concept meets one ``compose.include.filter``; None for an operator unknown to R4."""
        name, value = condition.get("property", ""), str(condition.get("value", ""))
        hierarchy = {
            "is-a": lambda: concept.code == value or value in self.ancestors(concept.code),
            "descendent-of": lambda: value in self.ancestors(concept.code),
            "is-not-a": lambda: concept.code != value and value not in self.ancestors(concept.code),
            "generalizes": lambda: concept.code == value or concept.code in self.ancestors(value),
        }
        operator = condition.get("op", "")
        if operator in hierarchy:
            return hierarchy[operator]()
        values = [_text(found) for found in self._named(concept, name)]
        listed = [part.strip() for part in value.split(",")]
        match operator:
            case "=":
                return value in values
            case "in":
                return any(found in listed for found in values)
            case "not-in":
                return not any(found in listed for found in values)
            case "exists":
                return bool(values) == (value == "true")
            case "regex":
                return _regex(value, values)
        return None

    @staticmethod
    def _named(concept: Concept, name: str) -> tuple[Any, ...]:
        if name in ("code", "concept"):
            return (concept.code,)
        if name == "display":
            return (concept.display,) if concept.display else ()
        if name == "parent":
            return tuple(concept.parents)
        return concept.values(name)


def _regex(pattern: str, values: list[str]) -> bool | None:
    try:
        compiled = re2.compile(pattern)
    except re2.error:
        return None
    return any(compiled.fullmatch(value) for value in values)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(entries: list[Resource] | tuple[()], above: frozenset[str]) -> Iterator[Concept]:
    for entry in entries:
        code = entry.get("code", "")
        properties = tuple(entry.get("property", ()))
        parents = above | {_text(_value(named)) for named in properties if named.get("code") == "parent"}
        yield Concept(
            code,
            entry.get("display"),
            entry.get("definition"),
            tuple(entry.get("designation", ())),
            properties,
            parents,
        )
        yield from _read(entry.get("concept", ()), frozenset({code}))
