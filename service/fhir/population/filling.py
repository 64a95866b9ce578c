"""A form filled from a record: a response in progress, each answer's source, and what could not be had.

SDC 4.0, Form Population: expression-based (launchContext, variable, initialExpression,
itemPopulationContext) and observation-based (observationLinkPeriod). A person reviews every answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.domain.issues import Issue, information, warning
from service.fhir.forms import FilledForm
from service.fhir.population.answers import Unfit, answer_of
from service.fhir.population.observations import latest_observation, link_period
from service.fhir.population.reading import readings_of
from service.fhir.population.scope import Scope, Unknown
from service.fhir.population.sources import Source, sources_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service import fhirpath
    from service.fhir.forms import Expression, Form, FormItem

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filled:
    """One answer that was filled in: the item, its place in the response, and the record behind it."""

    link_id: str
    place: str
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
        self._readings = readings_of(form)

    def fill(self, scope: Scope) -> None:
        """Fills the whole form."""
        period = link_period(self.form.source)
        entries: list[Resource] = []
        self.response["item"] = entries
        self._items(self.form.items, scope, entries, "QuestionnaireResponse", period)
        if not entries:
            del self.response["item"]

    def hold_back(self) -> None:
        """Takes out the answers of items that are not enabled: a response may not carry them (R4 enableWhen).

        Each is said, so that a form filler can offer it once its item is enabled.
        """
        while True:
            form = FilledForm(self.form, self.response)
            closed = {
                one.place: one
                for root in form.roots
                for one in root.below()
                if one.item is not None and one.answers and form.enabled(one.item, one.parent) is False
            }
            if not closed:
                return
            for place, one in closed.items():
                del one.source["answer"]
                sources = [entry for entry in self.filled if entry.place.startswith(f"{place}.answer[")]
                named = ", ".join(source.reference for entry in sources for source in entry.sources)
                said = f"{one.link_id}: it is not enabled, so what the record holds is not filled in"
                text = f"{said} ({named})" if named else said
                self.issues.append(information("informational", text, place))
                self.filled = [entry for entry in self.filled if entry not in sources]

    def _items(
        self,
        items: Iterable[FormItem],
        scope: Scope,
        into: list[Resource],
        place: str,
        period: Resource | None,
    ) -> None:
        for item in items:
            if item.is_display:
                continue
            own = self._readings.of(item).period or period
            if item.is_group:
                self._group(item, scope, into, place, own)
            else:
                self._question(item, scope, into, place, own)

    def _group(
        self, item: FormItem, scope: Scope, into: list[Resource], place: str, period: Resource | None
    ) -> None:
        here = f"{place}.item[{len(into)}]"
        named, contexts = self._contexts(item, scope, here)
        for items in contexts:
            inner = scope if named is None else scope.bound(named, items)
            for variable in self._readings.of(item).variables:
                inner = inner.declare(variable, self.response)
            children: list[Resource] = []
            entry = _entry(item) | {"item": children}
            into.append(entry)
            self._items(item.children, inner, children, f"{place}.item[{len(into) - 1}]", period)
            if not children:
                del entry["item"]

    def _contexts(self, item: FormItem, scope: Scope, place: str) -> tuple[str | None, list[list[Any]]]:
        """The name of the group's population context, and the engine's items: one list a repetition."""
        expression = self._readings.of(item).context
        if expression is None:
            return None, [[]]
        try:
            found = self._found_in(expression, scope)
        except Unknown as reason:
            self.issues.append(self._unknown(item, str(reason), place))
            return expression.name, [[]]
        if item.repeats:
            return expression.name, [[one] for one in found] or [[]]
        if len(found) > 1:
            said = f"{item.link_id}: the record holds {len(found)}; which one is meant is for a person to say"
            self.issues.append(information("multiple-matches", said, place))
            return expression.name, [[]]
        return expression.name, [found]

    def _found_in(self, expression: Expression, scope: Scope) -> list[Any]:
        """The items of a context; a query gives its Bundle's resources one by one."""
        if expression.is_fhirpath:
            return scope.items(expression, self.response)
        bundle = scope.search(expression, self.response)
        found = [entry["resource"] for entry in bundle.get("entry", ()) if "resource" in entry]
        return scope.given("found", found).values["found"]

    def _question(
        self, item: FormItem, scope: Scope, into: list[Resource], place: str, period: Resource | None
    ) -> None:
        here = f"{place}.item[{len(into)}]"
        for variable in self._readings.of(item).variables:
            scope = scope.declare(variable, self.response)
        entry = _entry(item)
        into.append(entry)
        results, also = self._found(item, scope, here, period)
        answers = self._answers(item, results, also, here)
        if not answers and not results:
            answers = _initial(item)
        if answers:
            entry["answer"] = answers
            children: list[Resource] = []
            self._items(item.children, scope, children, f"{here}.answer[0]", period)
            if children:
                answers[0]["item"] = children

    def _found(
        self, item: FormItem, scope: Scope, place: str, period: Resource | None
    ) -> tuple[list[fhirpath.Result], tuple[Source, ...]]:
        expression = self._readings.of(item).initial
        try:
            if expression is not None:
                results = scope.evaluate(expression, self.response)
                return results, scope.behind(expression) if results else ()
            if period is not None and item.source.get("code"):
                return latest_observation(item, period, scope, self.response), ()
        except Unknown as reason:
            self.issues.append(self._unknown(item, str(reason), place))
        return [], ()

    def _answers(
        self, item: FormItem, results: list[fhirpath.Result], also: tuple[Source, ...], place: str
    ) -> list[Resource]:
        if len(results) > 1 and not item.repeats:
            said = f"{item.link_id}: the record gives {len(results)} answers for one; none is filled in"
            self.issues.append(information("multiple-matches", said, place))
            return []
        answers: list[Resource] = []
        for result in results:
            try:
                answer = answer_of(item, result)
            except Unfit as fault:
                said = f"{item.link_id}: what the record holds is not filled in: {fault}"
                self.issues.append(warning("value", said, place))
                continue
            sources = sources_of([result.item]) or also
            self.filled.append(Filled(item.link_id, f"{place}.answer[{len(answers)}]", sources))
            answers.append(answer | self._said(sources))
        return answers

    def _said(self, sources: tuple[Source, ...]) -> Resource:
        if self._source_url is None or not sources:
            return {}
        return {
            "extension": [
                {"url": self._source_url, "valueReference": _reference(source)} for source in sources
            ]
        }

    def _unknown(self, item: FormItem, reason: str, place: str) -> Issue:
        self.unknown.setdefault(item.link_id, reason)
        return warning(
            "incomplete", f"{item.link_id}: what the record says could not be had: {reason}", place
        )


def _reference(source: Source) -> Resource:
    reference: Resource = {"reference": source.reference}
    if source.date:
        reference["display"] = f"{source.type}, {source.date}"
    return reference


def _entry(item: FormItem) -> Resource:
    entry: Resource = {"linkId": item.link_id}
    if "definition" in item.source:
        entry["definition"] = item.source["definition"]
    if item.text:
        entry["text"] = item.text
    return entry


def _initial(item: FormItem) -> list[Resource]:
    """The form's own initial values: ``initial.value[x]``, else the options selected initially."""
    given = item.source.get("initial") or [
        option for option in item.source.get("answerOption", ()) if option.get("initialSelected") is True
    ]
    return [{name: value for name, value in entry.items() if name.startswith("value")} for entry in given]
