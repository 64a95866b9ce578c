"""A form filled from a record: a response in progress, each answer's source, and what could not be had.

SDC 4.0, Form Population: expression-based (launchContext, variable, initialExpression,
itemPopulationContext) and observation-based (observationLinkPeriod). A person reviews every answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.issues import Issue, information, warning
from service.fhir.forms import FilledForm
from service.fhir.population.answers import Unfit
from service.fhir.population.observations import latest_observation
from service.fhir.population.prepared import Query
from service.fhir.population.scope import Unknown
from service.fhirpath import EvaluationError, items_of
from service.fhirpath.records import record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.fhir.forms import Form, FormItem
    from service.fhir.population.reading import ItemReading
    from service.fhir.population.scope import Scope
    from service.fhir.population.sources import Source

Resource = dict[str, Any]


@record
class Filled:
    """One answer that was filled in: its item, its place in the response, and the record behind it."""

    link_id: str
    place: str
    answer: Resource
    sources: tuple[Source, ...]


class Filling:
    """One form being filled. ``response`` grows in document order: later items may read earlier ones."""

    def __init__(self, form: Form, response: Resource, source_url: str | None) -> None:
        """``source_url`` is the extension that says of an answer where it came from; None leaves it out."""
        self.form = form
        self.response = response
        self.filled: list[Filled] = []
        self.issues: list[Issue] = []
        self.unknown: dict[str, str] = {}
        self._source_url = source_url
        self._extensions: dict[tuple[str, str | None], Resource] = {}
        self._guarded: set[str] = set()

    def fill(self, items: Iterable[ItemReading], scope: Scope) -> None:
        """Fills the whole form."""
        entries: list[Resource] = []
        self.response["item"] = entries
        self._items(items, scope, entries, "QuestionnaireResponse")
        if not entries:
            del self.response["item"]

    def hold_back(self) -> None:
        """Takes out the answers of items that are not enabled: a response may not carry them (R4 enableWhen).

        Each is said, so that a form filler can offer it once its item is enabled. Only answers that were
        filled in below a rule are asked about.
        """
        while self._guarded:
            form = FilledForm(self.form, self.response, answered=True)
            closed = {
                one.place: one
                for one in form.walk()
                if one.link_id in self._guarded
                and one.item is not None
                and one.answers
                and form.enabled(one.item, one.parent) is False
            }
            if not closed:
                return
            for place, one in closed.items():
                del one.source["answer"]
                below = f"{place}.answer["
                taken = [entry for entry in self.filled if entry.place.startswith(below)]
                named = ", ".join(source.reference for entry in taken for source in entry.sources)
                said = f"{one.link_id}: it is not enabled, so what the record holds is not filled in"
                text = f"{said} ({named})" if named else said
                self.issues.append(information("informational", text, place))
                self.filled = [entry for entry in self.filled if not entry.place.startswith(below)]

    def _items(self, items: Iterable[ItemReading], scope: Scope, into: list[Resource], place: str) -> None:
        for reading in items:
            if reading.plain:
                into.append(reading.entry.copy())
            elif reading.item.is_group:
                self._group(reading, scope, into, place)
            else:
                self._question(reading, scope, into, place)

    def _group(self, reading: ItemReading, scope: Scope, into: list[Resource], place: str) -> None:
        context = reading.context
        name = context.name if context is not None else None
        for items in self._contexts(reading, scope, f"{place}.item[{len(into)}]"):
            inner = scope
            if name is not None or reading.variables:
                inner = scope.inner()
                if name is not None:
                    inner.bind(name, items)
                for variable in reading.variables:
                    inner.declare(variable)
            children: list[Resource] = []
            entry = reading.entry.copy()
            entry["item"] = children
            into.append(entry)
            self._items(reading.children, inner, children, f"{place}.item[{len(into) - 1}]")
            if not children:
                del entry["item"]

    def _contexts(self, reading: ItemReading, scope: Scope, place: str) -> list[list[Any]]:
        """The engine's items of the group's population context: one list for each repetition."""
        context, item = reading.context, reading.item
        if context is None:
            return [[]]
        try:
            found = _resources(scope.search(context)) if isinstance(context, Query) else scope.items(context)
        except Unknown as reason:
            self.issues.append(self._unknown(item, str(reason), place))
            return [[]]
        if item.repeats:
            return [[one] for one in found] or [[]]
        if len(found) > 1:
            said = f"{item.link_id}: the record holds {len(found)}; which one is meant is for a person to say"
            self.issues.append(information("multiple-matches", said, place))
            return [[]]
        return [found]

    def _question(self, reading: ItemReading, scope: Scope, into: list[Resource], place: str) -> None:
        here = f"{place}.item[{len(into)}]"
        if reading.variables:
            scope = scope.inner()
            for variable in reading.variables:
                scope.declare(variable)
        entry = reading.entry.copy()
        into.append(entry)
        items = self._found(reading, scope, here)
        answers = self._answers(reading, items, scope, here) if items else _copies(reading.starts)
        if answers:
            entry["answer"] = answers
            if reading.guarded:
                self._guarded.add(reading.item.link_id)
            children: list[Resource] = []
            self._items(reading.children, scope, children, f"{here}.answer[0]")
            if children:
                answers[0]["item"] = children

    def _found(self, reading: ItemReading, scope: Scope, place: str) -> list[Any]:
        """What the record gives for a question, as the engine's items."""
        try:
            if reading.initial is not None:
                return scope.items(reading.initial)
            if reading.period is not None:
                return latest_observation(reading, reading.period, scope.surroundings, self.response)
        except Unknown as reason:
            self.issues.append(self._unknown(reading.item, str(reason), place))
        return []

    def _answers(self, reading: ItemReading, items: list[Any], scope: Scope, place: str) -> list[Resource]:
        link_id = reading.item.link_id
        if len(items) > 1 and not reading.item.repeats:
            said = f"{link_id}: the record gives {len(items)} answers for one; none is filled in"
            self.issues.append(information("multiple-matches", said, place))
            return []
        answers: list[Resource] = []
        for item in items:
            try:
                answer = reading.answer(item)
            except EvaluationError as fault:
                said = f"the expression cannot be evaluated: {fault}"
                self.issues.append(self._unknown(reading.item, said, place))
                continue
            except Unfit as fault:
                said = f"{link_id}: what the record holds is not filled in: {fault}"
                self.issues.append(warning("value", said, place))
                continue
            sources = scope.sources(item, reading.initial)
            if sources and self._source_url is not None:
                answer["extension"] = [self._extension(source) for source in sources]
            self.filled.append(Filled(link_id, f"{place}.answer[{len(answers)}]", answer, sources))
            answers.append(answer)
        return answers

    def _extension(self, source: Source) -> Resource:
        """What says of an answer that it came from there: one element, which the answers share."""
        key = source.reference, source.date
        made = self._extensions.get(key)
        if made is None:
            reference: Resource = {"reference": source.reference}
            if source.date:
                reference["display"] = f"{source.type}, {source.date}"
            made = self._extensions[key] = {
                "url": self._source_url,
                "valueReference": reference,
            }
        return made

    def _unknown(self, item: FormItem, reason: str, place: str) -> Issue:
        self.unknown.setdefault(item.link_id, reason)
        return warning(
            "incomplete", f"{item.link_id}: what the record says could not be had: {reason}", place
        )


def _copies(answers: Iterable[Resource]) -> list[Resource]:
    return [answer.copy() for answer in answers]


def _resources(bundle: Resource) -> list[Any]:
    """The engine's items of a Bundle's resources, one by one."""
    return items_of([entry["resource"] for entry in bundle.get("entry", ()) if "resource" in entry])
