"""Form population said plainly and slowly, as an oracle for ``service.fhir.population``.

Nothing is prepared and nothing is shared: each expression is evaluated on its own over the response so far,
scopes are copied, sources are looked up where they are named, options are tried one after the other, and all
items are asked whether they are enabled. SDC 4.0, Form Population.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from service import fhirpath
from service.domain.errors import ServiceError
from service.domain.issues import Issue, information, warning
from service.fhir.forms import Expression, FilledForm, FormItem, form_of, urls
from service.fhir.forms.expressions import expressions_at
from service.fhir.population.answers import Unfit, answering
from service.fhir.population.observations import latest_observation, link_period
from service.fhir.population.reading import reading_of
from service.fhir.population.scope import Surroundings, Unknown
from service.fhir.population.sources import Source, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

Resource = dict[str, Any]
Items = list[Any]
QUERY = "application/x-fhir-query"
ENGINE = {"context", "resource", "rootResource", "sct", "loinc", "ucum"}


@dataclass(frozen=True)
class Told:
    """What the population comes to: the response; place and sources of each answer; issues; unknown items."""

    response: Resource
    filled: list[tuple[str, str, tuple[Source, ...]]]
    issues: list[Issue]
    unknown: dict[str, str]


@dataclass(frozen=True)
class Names:
    """Variables by name, with what is behind each; those that failed."""

    values: Mapping[str, Items] = field(default_factory=dict)
    behind: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    def had(self, name: str, items: Items, made_from: tuple[Source, ...] = ()) -> Names:
        failed = {other: reason for other, reason in self.failed.items() if other != name}
        behind = tuple(unique(lying(items))) or made_from
        return Names({**self.values, name: items}, {**self.behind, name: behind}, failed)

    def failing(self, name: str, reason: str) -> Names:
        return replace(self, failed={**self.failed, name: reason})


def unique(sources: Iterable[Source]) -> list[Source]:
    found: dict[str, Source] = {}
    for source in sources:
        found.setdefault(source.reference, source)
    return list(found.values())


def lying(items: Items) -> list[Source]:
    """The resources that items lie in."""
    found = []
    for item in items:
        node = item
        while node is not None and not is_resource(getattr(node, "value", None)):
            node = getattr(node, "parent", None)
        source = source_of(node.value) if node is not None else None
        found += [source] if source else []
    return found


def is_resource(value: Any) -> bool:
    return isinstance(value, dict) and "resourceType" in value


def as_items(values: Any) -> Items:
    return fhirpath.compile("%it", variables=["it"]).items(None, variables={"it": values})


class Plain:
    """One form being filled."""

    def __init__(self, questionnaire: Resource, around: Surroundings, url: str | None) -> None:
        self.form, self.around, self.url = form_of(questionnaire), around, url
        self.response: Resource = {}
        self.filled: list[tuple[str, str, tuple[Source, ...]]] = []
        self.issues: list[Issue] = []
        self.unknown: dict[str, str] = {}

    def evaluate(self, expression: Expression, names: Names) -> Items:
        if not expression.is_fhirpath:
            raise Unknown(f"{expression.language or 'an unnamed language'} is not evaluated here")
        for name in sorted(expression.names):
            if name in names.failed:
                raise Unknown(f"%{name}: {names.failed[name]}")
        defined = set(re.findall(r"defineVariable\('(\w+)'", expression.text))
        given = expression.names - ENGINE - defined
        values: dict[str, Any] = {"questionnaire": self.form.source, **names.values}
        try:
            return fhirpath.compiled(expression.text, variables=given).items(
                self.response,
                variables={name: values.get(name, []) for name in given | (defined & values.keys())},
                now=self.around.now,
            )
        except (fhirpath.ExpressionError, fhirpath.EvaluationError) as fault:
            raise Unknown(f"the expression cannot be evaluated: {fault}") from fault

    def search(self, expression: Expression, names: Names) -> Resource:
        if self.around.search is None:
            raise Unknown("there is no record to ask: neither data nor a server was given")

        def value(match: re.Match[str]) -> str:
            found = self.evaluate(Expression(match[1], "text/fhirpath", None, ""), names)
            if not found:
                raise Unknown(f"the query needs '{match[1].strip()}', which has no value")
            try:
                return ",".join(quote(str(fhirpath.Result.of(one).value), safe="/:|") for one in found)
            except fhirpath.EvaluationError as fault:
                raise Unknown(f"the expression cannot be evaluated: {fault}") from fault

        try:
            return self.around.search(re.sub(r"\{\{(.*?)\}\}", value, expression.text))
        except ServiceError as fault:
            raise Unknown(str(fault)) from fault

    def declare(self, expression: Expression, names: Names) -> Names:
        if expression.name is None:
            return names
        try:
            if expression.language == QUERY:
                return names.had(expression.name, as_items(self.search(expression, names)))
            found = self.evaluate(expression, names)
        except Unknown as reason:
            return names.failing(expression.name, str(reason))
        return names.had(expression.name, found, self.sources(expression, names))

    def sources(self, expression: Expression, names: Names) -> tuple[Source, ...]:
        named = [names.behind[name] for name in sorted(expression.names) if name in names.behind]
        return tuple(unique(source for sources in named for source in sources))

    def items(
        self, items: Iterable[FormItem], names: Names, into: list[Resource], place: str, period: Any
    ) -> None:
        for item in items:
            if item.is_display:
                continue
            entry = {"linkId": item.link_id}
            entry |= {name: item.source[name] for name in ("definition", "text") if name in item.source}
            own = link_period(item.source) or period
            fill = self.group if item.is_group else self.question
            fill(item, entry, names, into, place, own)

    def group(
        self, item: FormItem, entry: Resource, names: Names, into: list[Resource], place: str, period: Any
    ) -> None:
        name, repetitions = self.contexts(item, names, f"{place}.item[{len(into)}]")
        for items in repetitions:
            inner = names if name is None else names.had(name, items)
            for variable in expressions_at(item.source, urls.VARIABLE, item.place):
                inner = self.declare(variable, inner)
            children: list[Resource] = []
            into.append({**entry, "item": children})
            self.items(item.children, inner, children, f"{place}.item[{len(into) - 1}]", period)
            if not children:
                del into[-1]["item"]

    def contexts(self, item: FormItem, names: Names, place: str) -> tuple[str | None, list[Items]]:
        expression = next(expressions_at(item.source, urls.ITEM_POPULATION_CONTEXT, item.place), None)
        if expression is None:
            return None, [[]]
        try:
            if expression.language == QUERY:
                entries = self.search(expression, names).get("entry", ())
                found = as_items([entry["resource"] for entry in entries if "resource" in entry])
            else:
                found = self.evaluate(expression, names)
        except Unknown as reason:
            self.say_unknown(item, reason, place)
            return expression.name, [[]]
        if item.repeats:
            return expression.name, [[one] for one in found] or [[]]
        if len(found) > 1:
            said = f"{item.link_id}: the record holds {len(found)}; which one is meant is for a person to say"
            self.issues.append(information("multiple-matches", said, place))
            return expression.name, [[]]
        return expression.name, [found]

    def question(
        self, item: FormItem, entry: Resource, names: Names, into: list[Resource], place: str, period: Any
    ) -> None:
        here = f"{place}.item[{len(into)}]"
        for variable in expressions_at(item.source, urls.VARIABLE, item.place):
            names = self.declare(variable, names)
        into.append(entry)
        found, also = self.found(item, names, here, period)
        answers = self.answers(item, found, also, here)
        if not found:
            given = item.source.get("initial") or [
                one for one in item.source.get("answerOption", ()) if one.get("initialSelected") is True
            ]
            answers = [{name: one[name] for name in one if name.startswith("value")} for one in given]
        if answers:
            entry["answer"] = answers
            children: list[Resource] = []
            self.items(item.children, names, children, f"{here}.answer[0]", period)
            if children:
                answers[0]["item"] = children

    def found(
        self, item: FormItem, names: Names, place: str, period: Any
    ) -> tuple[Items, tuple[Source, ...]]:
        expression = next(expressions_at(item.source, urls.INITIAL_EXPRESSION, item.place), None)
        try:
            if expression is not None:
                return self.evaluate(expression, names), self.sources(expression, names)
            if period is not None and item.source.get("code"):
                reading = next(
                    one for one in _below(reading_of(self.form).items) if one.item.place == item.place
                )
                return latest_observation(reading, period, self.around, self.response), ()
        except Unknown as reason:
            self.say_unknown(item, reason, place)
        return [], ()

    def answers(self, item: FormItem, found: Items, also: tuple[Source, ...], place: str) -> list[Resource]:
        if len(found) > 1 and not item.repeats:
            said = f"{item.link_id}: the record gives {len(found)} answers for one; none is filled in"
            self.issues.append(information("multiple-matches", said, place))
            return []
        answers: list[Resource] = []
        for one in found:
            try:
                answer = chosen(item, one) if "choice" in item.type else answering(item)(one)
            except fhirpath.EvaluationError as fault:
                reason = Unknown(f"the expression cannot be evaluated: {fault}")
                self.say_unknown(item, reason, place)
                continue
            except Unfit as fault:
                said = f"{item.link_id}: what the record holds is not filled in: {fault}"
                self.issues.append(warning("value", said, place))
                continue
            sources = tuple(lying([one])) or also
            self.filled.append((item.link_id, f"{place}.answer[{len(answers)}]", sources))
            if self.url and sources:
                answer["extension"] = [self.said(source) for source in sources]
            answers.append(answer)
        return answers

    def said(self, source: Source) -> Resource:
        shown = {"display": f"{source.reference.split('/')[0]}, {source.date}"} if source.date else {}
        return {"url": self.url, "valueReference": {"reference": source.reference, **shown}}

    def say_unknown(self, item: FormItem, reason: Unknown, place: str) -> None:
        self.unknown.setdefault(item.link_id, str(reason))
        said = f"{item.link_id}: what the record says could not be had: {reason}"
        self.issues.append(warning("incomplete", said, place))

    def hold_back(self) -> None:
        while True:
            form = FilledForm(self.form, self.response)
            closed = [
                one
                for one in form.walk()
                if one.item is not None and one.answers and form.enabled(one.item, one.parent) is False
            ]
            if not closed:
                return
            places = [one.place for one in closed]
            for one, place in zip(closed, places, strict=True):
                del one.source["answer"]
                below = [filled for filled in self.filled if filled[1].startswith(f"{place}.answer[")]
                named = ", ".join(source.reference for filled in below for source in filled[2])
                said = f"{one.link_id}: it is not enabled, so what the record holds is not filled in"
                self.issues.append(
                    information("informational", f"{said} ({named})" if named else said, place)
                )
                self.filled = [filled for filled in self.filled if filled not in below]


def _below(readings: Iterable[Any]) -> Iterable[Any]:
    for reading in readings:
        yield reading
        yield from _below(reading.children)


def chosen(item: FormItem, found: Any) -> Resource:
    """The first option that one of the codings names."""
    result = fhirpath.Result.of(found)
    value, kind = result.value, result.type.split(".")[-1]
    if isinstance(value, dict) and "resourceType" in value:
        raise Unfit("a whole resource is no answer here")
    codings = [value]
    if kind == "CodeableConcept" and isinstance(value, dict):
        coding = value.get("coding")
        codings = [one for one in coding if isinstance(one, dict)] if isinstance(coding, list) else []
    for option in item.options:
        offered = option.value.content
        if any(names(offered, given) for given in codings):
            return {f"value{option.value.type[0].upper()}{option.value.type[1:]}": offered}
    if item.options and not item.open:
        raise Unfit("it is none of the item's options")
    for given in codings:
        if kind in ("Coding", "CodeableConcept") and isinstance(given, dict) and "code" in given:
            return {"valueCoding": given}
    words = value.get("text") if kind == "CodeableConcept" and isinstance(value, dict) else value
    if item.open and isinstance(words, str):
        return {"valueString": words}
    raise Unfit(f"a {kind} is none of the item's options")


def names(offered: Any, given: Any) -> bool:
    """Whether a value names an option: by system and code, by code alone, without a code by its words."""
    if isinstance(offered, dict) and isinstance(given, dict):
        if "code" not in offered and "code" not in given:
            words = offered.get("display") or offered.get("reference")
            same = words == (given.get("display") or given.get("reference"))
            return words is not None and same and offered.get("system") == given.get("system")
        return (offered.get("system"), offered.get("code")) == (given.get("system"), given.get("code"))
    if isinstance(offered, dict):
        return isinstance(given, str) and offered.get("code") == given
    return offered == given and type(offered) is type(given)


def populate_plainly(
    questionnaire: Resource,
    context: Mapping[str, Sequence[Resource]],
    search: Callable[[str], Resource] | None,
    now: datetime,
    subject: Resource | None,
    source_url: str | None,
) -> Told:
    """What ``populate`` should come to for the same."""
    plain = Plain(questionnaire, Surroundings(search, now), source_url)
    form, response = plain.form, plain.response
    response |= {"resourceType": "QuestionnaireResponse"}
    response |= {"questionnaire": form.canonical} if form.canonical else {}
    response |= {"status": "in-progress"} | ({"subject": subject} if subject else {})
    response["authored"] = now.isoformat(timespec="seconds")
    held = Names()
    for name in form.launch_contexts:
        given = context.get(name)
        held = held.had(name, as_items(list(given))) if given else held.failing(name, "it was not given")
    for variable in form.variables:
        name = str(variable.name)
        if name in context:
            held = held.had(name, as_items(list(context[name])))
        else:
            held = plain.declare(variable, held)
    declared = {*form.launch_contexts, *(variable.name for variable in form.variables)}
    for name in sorted(set(context) - declared):
        said = f"the form declares no launch context or variable '{name[:60]}'; its content is not used"
        plain.issues.append(information("not-supported", said, "Parameters.parameter:context"))
    entries: list[Resource] = []
    response["item"] = entries
    plain.items(form.items, held, entries, "QuestionnaireResponse", link_period(form.source))
    if not entries:
        del response["item"]
    plain.hold_back()
    return Told(response, plain.filled, plain.issues, plain.unknown)
