"""Where a value came from: the resources of the record behind the results of an expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhirpath.nodes import Node
from service.fhirpath.records import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


@record
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

    __slots__ = ("found", "items", "made_from")

    def __init__(self, items: list[Any], made_from: tuple[Behind, ...] = ()) -> None:
        """Looks nothing up yet. ``items`` are the engine's."""
        self.items = items
        self.made_from = made_from
        self.found: tuple[Source, ...] | None = None


class Trail:
    """Leads from the engine's items to the resources they lie in, each looked at once for one form."""

    __slots__ = ("_met",)

    def __init__(self) -> None:
        """Has met no resource yet."""
        # Each resource is kept beside its source, so that no other can have its id.
        self._met: dict[int, tuple[Resource, Source | None]] = {}

    def source(self, item: Any) -> Source | None:
        """The resource that an item lies in; computed values lie in none."""
        node = item
        while node.__class__ is Node:
            value = node.value
            if value.__class__ is dict and "resourceType" in value:
                known = self._met.get(id(value))
                if known is None:
                    known = self._met[id(value)] = value, source_of(value)
                return known[1]
            node = node.parent
        return None

    def of(self, items: Iterable[Any]) -> tuple[Source, ...]:
        """The resources that the items lie in, each once, in order."""
        found: dict[str, Source] = {}
        for item in items:
            source = self.source(item)
            if source is not None and source.reference not in found:
                found[source.reference] = source
        return tuple(found.values())

    def behind(self, variable: Behind) -> tuple[Source, ...]:
        """The sources behind a variable, each once, in order."""
        if variable.found is None:
            found = self.of(variable.items) if variable.items else ()
            variable.found = found or self.joined(variable.made_from)
        return variable.found

    def joined(self, parts: Sequence[Behind]) -> tuple[Source, ...]:
        """The sources of several, each once, in order; of one reference the first."""
        if len(parts) == 1:
            return self.behind(parts[0])
        found: dict[str, Source] = {}
        for part in parts:
            for source in self.behind(part):
                if source.reference not in found:
                    found[source.reference] = source
        return tuple(found.values())


def source_of(resource: Resource) -> Source | None:
    """The source that a resource is; None for one that no reference leads to, or that is no record."""
    kind, identifier = resource.get("resourceType"), resource.get("id")
    if not isinstance(kind, str) or not isinstance(identifier, str) or kind in _NO_SOURCE:
        return None
    return Source(f"{kind}/{identifier}", _date(resource))


def _date(resource: Resource) -> str | None:
    for name in _DATES:
        value = resource.get(name)
        if value is None:
            continue
        if isinstance(value, dict):
            value = value.get("end") or value.get("start")
        if isinstance(value, str):
            return value
    return None
