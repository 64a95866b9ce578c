"""Where a value came from: the resources of the record behind the results of an expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Resource = dict[str, Any]
_NO_SOURCE = frozenset({"Bundle", "Questionnaire", "QuestionnaireResponse", "Parameters"})
_DATES = (
    "effectiveDateTime",
    "effectivePeriod",
    "performedDateTime",
    "performedPeriod",
    "authored",
    "authoredOn",
    "onsetDateTime",
    "recordedDate",
    "issued",
    "date",
    "created",
    "period",
)


@dataclass(frozen=True, slots=True)
class Source:
    """A resource of the record. ``reference`` is ``Type/id``, ``date`` when it speaks of, as FHIR text."""

    reference: str
    date: str | None = None

    @property
    def type(self) -> str:
        """The resource's type."""
        return self.reference.split("/", maxsplit=1)[0]


class Behind:
    """What is behind a variable: the resources its items lie in, else those behind what it was made from.

    They are looked up when an answer rests on them: most variables are not what an answer is read from.
    """

    __slots__ = ("_found", "_items", "_made_from")

    def __init__(self, items: Iterable[Any], made_from: tuple[Behind, ...] = ()) -> None:
        """Looks nothing up yet. ``items`` are the engine's."""
        self._items = items
        self._made_from = made_from
        self._found: tuple[Source, ...] | None = None

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources, each once, in order."""
        if self._found is None:
            self._found = sources_of(self._items) or joined(self._made_from)
        return self._found


def joined(parts: Iterable[Behind]) -> tuple[Source, ...]:
    """The sources of several, each once, in order; of one reference the first."""
    found: dict[str, Source] = {}
    for part in parts:
        for source in part.sources:
            found.setdefault(source.reference, source)
    return tuple(found.values())


def source_of(resource: Resource) -> Source | None:
    """The source that a resource is; None for one that no reference leads to, or that is no record."""
    kind, identifier = resource.get("resourceType"), resource.get("id")
    if not isinstance(kind, str) or not isinstance(identifier, str) or kind in _NO_SOURCE:
        return None
    return Source(f"{kind}/{identifier}", _date(resource))


def sources_of(items: Iterable[Any]) -> tuple[Source, ...]:
    """The resources that the engine's items lie in, each once, in order; computed values lie in none."""
    found: dict[str, Source] = {}
    for item in items:
        node = item
        while node is not None:
            value = getattr(node, "value", None)
            if isinstance(value, dict) and "resourceType" in value:
                source = source_of(value)
                if source is not None:
                    found.setdefault(source.reference, source)
                break
            node = getattr(node, "parent", None)
    return tuple(found.values())


def _date(resource: Resource) -> str | None:
    for name in _DATES:
        value = resource.get(name)
        if isinstance(value, dict):
            value = value.get("end") or value.get("start")
        if isinstance(value, str):
            return value
    return None
