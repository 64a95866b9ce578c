"""What a code becomes in another vocabulary. R4 ``conceptmap.html`` and ``ConceptMap/$translate``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Resource = dict[str, Any]

_REVERSED = {"wider": "narrower", "narrower": "wider", "subsumes": "specializes", "specializes": "subsumes"}


@dataclass(frozen=True, slots=True)
class Match:
    """One translation. ``equivalence`` reads from the code asked about to the one found (R4 direction).

    ``depends_on`` are other elements (URI) with the value that each must have for it to hold.
    """

    system: str
    version: str | None
    code: str | None
    display: str | None
    equivalence: str
    comment: str | None
    source: str
    depends_on: tuple[tuple[str, str], ...] = ()

    @property
    def usable(self) -> bool:
        """Whether it is a translation at all: ``unmatched`` and ``disjoint`` say that there is none."""
        return self.code is not None and self.equivalence not in ("unmatched", "disjoint")


def translate(
    concept_map: Resource, system: str | None, code: str, *, target: str | None = None, reverse: bool = False
) -> list[Match]:
    """Every mapping of a code in one ConceptMap, in the map's order, ``group.unmapped`` included.

    ``target`` keeps the matches to one code system; ``reverse`` reads the map from target to source.
    """
    found: list[Match] = []
    for group in concept_map.get("group", ()):
        ends = (group.get("source"), group.get("target"))
        asked, answered = (ends[1], ends[0]) if reverse else ends
        if system not in (None, asked) or (target is not None and target != answered):
            continue
        matches = list((_backward if reverse else _forward)(group, code, concept_map.get("url", "")))
        if not matches and not reverse:
            matches = list(_unmapped(group, code, concept_map.get("url", "")))
        found += matches
    return found


def _forward(group: Resource, code: str, source: str) -> Iterator[Match]:
    for element in group.get("element", ()):
        if element.get("code") == code:
            for entry in element.get("target", ()):
                yield Match(
                    group.get("target", ""),
                    group.get("targetVersion"),
                    entry.get("code"),
                    entry.get("display"),
                    entry["equivalence"],
                    entry.get("comment"),
                    source,
                    tuple((one["property"], one["value"]) for one in entry.get("dependsOn", ())),
                )


def _backward(group: Resource, code: str, source: str) -> Iterator[Match]:
    for element in group.get("element", ()):
        for entry in element.get("target", ()):
            if entry.get("code") == code:
                equivalence = entry["equivalence"]
                yield Match(
                    group.get("source", ""),
                    group.get("sourceVersion"),
                    element.get("code"),
                    element.get("display"),
                    _REVERSED.get(equivalence, equivalence),
                    entry.get("comment"),
                    source,
                )


def _unmapped(group: Resource, code: str, source: str) -> Iterator[Match]:
    rule = group.get("unmapped")
    if not rule:
        return
    if rule.get("mode") == "provided":
        yield Match(group.get("target", ""), None, code, None, "equal", None, source)
    elif rule.get("mode") == "fixed":
        yield Match(
            group.get("target", ""), None, rule.get("code"), rule.get("display"), "relatedto", None, source
        )
