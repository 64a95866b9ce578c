"""Paths walked over plain JSON, and criteria judged on it, answer as the ordinary code over nodes does."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import fhirpath
from service.fhirpath import (
    EvaluationError,
    LimitError,
    Limits,
    criteria,
    plain,
    quantified,
    shortcuts,
    sieves,
)
from service.fhirpath.nodes import Node

if TYPE_CHECKING:
    from collections.abc import Callable

Resource = dict[str, Any]

FORM_PATHS = [
    "item.item.answer.count()",
    "item.answer.value",
    "item.linkId.distinct()",
    "item.answer.value.ofType(Coding).code.distinct().count()",
    "item.answer.value.first()",
    "item.answer.value.last() = 3",
    "item.where(linkId = 'a').answer.value > 2",
    "item.where(linkId = 'a').answer.value = 'a'",
    "item.where(linkId = 'a').answer.value != @2026-01-01",
    "item.where(linkId = 'a' and answer.exists()).linkId",
    "item.where(answer.value > 2).linkId",
    "item.where(answer.value = 3 or linkId != 'b').answer.value",
    "item.where(answer.count() = 1 implies linkId = 'a').text",
    "item.where(text.exists() xor answer.empty()).linkId",
    "item.where(answer.value.ofType(integer).exists()).linkId",
    "item.where(answer.value.ofType(date) > @2026-01-01).linkId",
    "item.where(answer.where(value.code in ('a' | 'b')).exists().not()).linkId",
    "item.where(answer.exists(value = true)).linkId",
    "item.where(linkId in ('a' | 'b')).linkId",
    "item.where(linkId in ('a' | 'b') and 'a' = text).linkId",
    "item.where(text = 'a' and linkId = 'a').exists()",
    "item.answer.value.where(code in ('a') and system = 'http://s').exists()",
    "item.where(%resource.status.exists() and (linkId = 'a' and text = 'a' or linkId = 'mg')).linkId",
    "item.where((linkId = 'b' and answer.value > 2) or (linkId = 'a' and answer.value.toString() = '3'))",
    "item.select((text = 'a' and linkId = 'a') or (text = 'b' and answer.value) or text = 'a')",
    "item.answer.value.select((code = 'a' and unit = 'mg') or (code = 'b' or code = 'mg'))",
    "item.where($this.linkId = text).linkId",
    "item.exists(answer.value.unit = 'mg')",
    "item.exists(linkId = 'a')",
    "item.where(id = 'x').exists()",
    "item.where(item).linkId",
    "item.answer.exists(value > 2 'mg')",
    "item.answer.value.ofType(Quantity).where(value > 2).value",
    "item.answer.value.ofType(boolean).exists($this = false)",
    "item.answer.value.ofType(date).where($this >= @2026-01).count()",
    "item.answer.value.ofType(string).where($this != 'a')",
    "item.answer.value.code contains 'a'",
    "'a' in item.linkId",
    "item.select(linkId & '/' & text)",
    "item.where(linkId = 'a').item.linkId = item.linkId",
    "item.answer.value ~ 3",
    "%resource.item.answer.value.empty()",
    "repeat(item).answer.value.ofType(integer).count()",
    "descendants().linkId.isDistinct()",
    "QuestionnaireResponse.item.answer.hasValue()",
    "item.answer.value.is(integer)",
    "item[0].linkId in ('a' | 'b')",
    "authored > @2026-01-01T00:00:00Z",
    "authored.exists() and status = 'completed'",
    "subject.reference",
    "item.answer.value.extension.exists()",
    "iif(item.linkId.exists(), item.linkId, {})",
    "item.answer.value.nosuch.count()",
    "item.where(linkId = 'a').item.where(text in ('a' | 'b')).answer.where(value.exists())",
    "item.where(linkId = 'a').answer.value.where($this = 3)",
    "item.where(linkId = 'a').answer.value.where(code = 'a' or code in ('b' | 'mg'))",
    "item.answer.value.where((code = 'a' and %resource.status.exists()) or (code = 'mg' and unit.empty()))",
    "item.answer.value.where(code = 'a' and unit.exists() or code = 'a' and system.exists() or code = 'mg')",
    "item.answer.value.where(%resource.item.count() = 1 and (code = 'a' or code = 'b')).code",
    "item.answer.where(value.ofType(Coding).exists(code = 'a') or value.ofType(Quantity).exists(code = 'g'))",
    "item.where(answer.value.where(code = 'a').exists() or answer.value.where(code = 'b').exists())",
    "item.where((linkId = 'a' and answer.value > 2) or linkId = 'a' or (linkId = 'b' and text.exists()))",
    "item.where(answer.value = %resource.item.answer.value).linkId",
    "item.where(answer.value.ofType(date).where($this.toDate() > @2026-01-01).empty()).linkId",
    "item.where(answer.value.ofType(date).toDateTime() > @2026-01-01T00:00:00Z).linkId",
    "item.where(id.toInteger() > 1 or text.toString() = 'a').linkId",
    "item.answer.where((value.ofType(date) | value.ofType(integer)).where($this > 2).empty())",
    "item.where((text | linkId).where($this = 'a').exists())",
    "item.where(text.empty() and answer.exists() and item.empty())",
    "item.where(item.where(linkId = 'a').exists()).item.where(linkId != 'a')",
    "item.where(linkId = 'a').where(repeat(item).exists()).where(text.exists())",
    "item.answer.where(value.exists() and $index < 2)",
    "item.answer.all(value.exists())",
    "item.all(linkId = 'a' or answer.value > 2)",
    "item.where(linkId = 'a').all(text = 'a')",
    "item.all(answer.value <= %resource.item.where(linkId = 'b').answer.value)",
    "item.answer.value.ofType(date).all($this <= @2026-01-02)",
    "item.linkId.exists()",
    "item.answer.value.ofType(Coding).empty()",
    "item.where(text = 'a').exists()",
    "item.where(text.exists()).where(linkId = 'a').empty()",
    "item.text.where($this = 'a').exists()",
    "item.select(answer.where(value = 3).count() + $index)",
    "item.where(%resource.item.single().exists()).where(linkId = 'a')",
    "item.linkId.where($this in ('a' | 'b')).where($this != 'b')",
    "item.text.exists().where($this and %resource.item.count() = 1)",
    "repeat(item).where(linkId = 'a' and text.exists())",
    "descendants().where(code = 'a')",
]
BUNDLE_PATHS = [
    "entry.resource.count()",
    "entry.resource.id.distinct()",
    "entry.resource.ofType(Observation).value.value",
    "entry.resource.where(value > 2).count()",
    "entry.resource.where(value.value > 2).id",
    "entry.resource.where(value > 2 'mg').exists()",
    "entry.resource.where(effective >= @2026-01-01 and effective < @2026-02-01).id",
    "entry.resource.effective.where($this > @2026-01-01).count()",
    "entry.resource.code.coding.code.distinct()",
    "entry.resource.where(code.coding.exists(system = 'http://s' and code = 'a')).id",
    "entry.resource.where(active).id",
    "entry.resource.where(active = true and name.given.exists()).id",
    "entry.resource.name.given",
    "entry.resource.where(birthDate < @2000-01-01).birthDate",
    "entry.resource.ofType(Patient).name.where(given.count() > 1).given.first()",
    "entry.resource.is(Patient)",
    "Bundle.entry.exists()",
    "entry.resource.all(id.exists())",
    "entry.resource.name.given.empty()",
    "entry.resource.ofType(Observation).exists(code.coding.exists(code = 'a'))",
    "entry.all(resource is Observation)",
    "entry.select(resource.id & fullUrl)",
    "entry.where(fullUrl = 'a' and resource.exists()).resource.where(id = 'b')",
    "entry.resource.where(id = 'a' and %resource.entry.count() > 1)",
    "entry.resource.where(%resource.entry.resource.ofType(Patient).exists() and code.coding.exists())",
    "entry.resource.where(effective = %resource.entry.resource.effective)",
    (
        "entry.resource.ofType(Observation).where("
        "code.coding.where(system = 'http://s' and code in ('a' | 'b'))"
        ".exists() or code.coding.where(system = 'http://t' and code = 'mg').exists())"
    ),
    (
        "entry.resource.ofType(Observation).where(category.coding.where(code in ('a' | 'b')).exists()"
        " and (bodySite.empty() or bodySite.coding.where(code = 'a').exists()))"
    ),
    (
        "entry.resource.ofType(Observation).where(category.exists(coding.exists(code = 'a') or text = 'a'))"
        ".where(effective.ofType(dateTime).where($this.toDate() > @2026-01-01).empty())"
    ),
    (
        "entry.resource.ofType(Observation).where((effective.ofType(dateTime) | effective.ofType(Period).end)"
        ".where($this.toDate() > today()).empty()).id"
    ),
    (
        "entry.resource.ofType(Observation).where(value.ofType(Quantity).where(comparator.empty() and"
        " (code.empty() or code = 'mg' or code = 'g') and value >= 0 and value <= 10).exists())"
    ),
    (
        "entry.resource.ofType(Observation).where(category.coding.where(code = 'a').empty()"
        " or bodySite.coding.code.where($this = 'a').exists()).category.coding.where(code = 'b')"
    ),
    "entry.resource.ofType(Observation).category.where(text = 'a').coding.where(system = 'http://s').code",
    "entry.resource.where($this is Patient or id = 'a').where(id = 'b' or id = 'a')",
    "entry.resource.ofType(Patient).name.where(given.where($this = 'a').exists()).given.where($this = 'b')",
]


def _item(answers: st.SearchStrategy[Any], inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Resource]:
    return st.fixed_dictionaries(
        {"linkId": _TEXT},
        optional={
            "text": _TEXT,
            "id": st.just("x"),
            "answer": st.lists(answers, max_size=2),
            "item": inner,
            "_linkId": _SIBLING,
            "_text": _SIBLING,
        },
    )


_TEXT = st.sampled_from(["a", "b", "mg"])
_SIBLING: st.SearchStrategy[Any] = st.sampled_from(
    [None, {"id": "s"}, {"extension": [{"url": "u", "valueString": "a"}]}, []]
)
_NUMBER = st.sampled_from([1, 3, Decimal("2.50"), Decimal(3), 3.5, "3", None, True])
_DATE = st.sampled_from(["2026", "2026-01-01", "2026-01-02", "2026-01-02T10:00:00Z", "never", 5, ""])
_CODING = st.fixed_dictionaries(
    {}, optional={"system": st.sampled_from(["http://s", "http://t"]), "code": _TEXT, "_code": _SIBLING}
)
_QUANTITY = st.fixed_dictionaries(
    {},
    optional={
        "value": _NUMBER,
        "unit": _TEXT,
        "system": st.just("http://unitsofmeasure.org"),
        "code": st.sampled_from(["mg", "g", "cm"]),
        "comparator": st.just("<"),
    },
)
_CHOICE: dict[str, st.SearchStrategy[Any]] = {
    "valueInteger": _NUMBER,
    "valueDecimal": _NUMBER,
    "valueBoolean": st.booleans(),
    "valueString": _TEXT,
    "valueDate": _DATE,
    "valueCoding": st.one_of(_CODING, st.sampled_from([None, "odd", [], [{"code": "a"}]])),
    "valueQuantity": _QUANTITY,
    "_valueInteger": _SIBLING,
    "_valueDate": _SIBLING,
}
_PLAIN = st.one_of(*(st.fixed_dictionaries({name: each}) for name, each in _CHOICE.items()))
_ANSWER = st.one_of(_PLAIN, _PLAIN, _PLAIN, st.fixed_dictionaries({}, optional=_CHOICE), st.just("odd"))
_ITEMS: st.SearchStrategy[Any] = st.recursive(
    st.lists(_item(_ANSWER, st.just([])), max_size=2),
    lambda inner: st.one_of(
        st.lists(_item(_ANSWER, inner), max_size=4), st.sampled_from(["odd", {"linkId": "a"}, [None], [[]]])
    ),
    max_leaves=6,
)
_FORMS = st.fixed_dictionaries(
    {"resourceType": st.just("QuestionnaireResponse")},
    optional={
        "status": st.just("completed"),
        "authored": _DATE,
        "_authored": _SIBLING,
        "item": _ITEMS,
        "subject": st.sampled_from([{"reference": "Patient/1"}, {"_reference": {"id": "r"}}, "odd"]),
    },
)
_ODD: list[Any] = [None, "odd", [], {"system": 5}, {"code": ["a"]}]
_CODED = st.one_of(_CODING, _CODING, _CODING, st.sampled_from(_ODD))
_CONCEPT = st.fixed_dictionaries(
    {},
    optional={
        "coding": st.one_of(st.lists(_CODED, max_size=2), st.lists(_CODING, max_size=2), _CODED),
        "text": _TEXT,
        "_coding": _SIBLING,
    },
)
_OBSERVATION = st.fixed_dictionaries(
    {"resourceType": st.just("Observation"), "id": _TEXT},
    optional={
        "code": _CONCEPT,
        "effectiveDateTime": _DATE,
        "_effectiveDateTime": _SIBLING,
        "effectivePeriod": st.sampled_from([{"start": "2026-01-01"}, {"end": "2026-01-02"}, {"end": 5}, []]),
        "category": st.one_of(
            st.lists(st.one_of(_CONCEPT, st.none(), _TEXT), max_size=2), _CONCEPT, st.just("odd")
        ),
        "bodySite": st.one_of(_CONCEPT, _CONCEPT, st.lists(_CONCEPT, max_size=2), st.sampled_from([None, 5])),
        **{name: _CHOICE[name] for name in ("valueQuantity", "valueInteger", "valueString")},
    },
)
_PATIENT = st.fixed_dictionaries(
    {"resourceType": st.just("Patient")},
    optional={
        "id": _TEXT,
        "active": st.sampled_from([True, False, "yes", None]),
        "birthDate": _DATE,
        "name": st.lists(
            st.fixed_dictionaries(
                {}, optional={"given": st.lists(st.one_of(_TEXT, st.none())), "_given": st.lists(_SIBLING)}
            ),
            max_size=2,
        ),
    },
)
_RESOURCE = st.one_of(
    _OBSERVATION, _OBSERVATION, _PATIENT, st.sampled_from([{}, {"resourceType": "Odd"}, "odd", None])
)
_BUNDLES = st.fixed_dictionaries(
    {"resourceType": st.just("Bundle")},
    optional={
        "entry": st.lists(
            st.fixed_dictionaries({}, optional={"fullUrl": _TEXT, "resource": _RESOURCE}), max_size=4
        )
    },
)


def _said(ask: Callable[[Any], Any], resource: Any) -> Any:
    try:
        return [(type(value), value) for value in ask(resource)]
    except EvaluationError as error:
        return str(error)


_quick = cache(fhirpath.compile)
_ordinary = cache(lambda text: fhirpath.compile(text))


def placed(result: fhirpath.Result) -> Any:
    """What an item is, and where it and all that is above it stand."""
    above = []
    node = result.item
    while isinstance(node, Node):
        above.append((node.value, node.shape.name, node.sibling, node.name, node.place))
        node = node.parent
    return result.value, result.type, result.location, above


def ordinary_code(patch: pytest.MonkeyPatch) -> None:
    """Lets the ordinary code over nodes answer, in what is compiled and run from now on."""
    patch.setattr(plain, "compile_walk", lambda *_: None)
    patch.setattr(sieves, "compile_sieve", lambda *_: None)
    patch.setattr(quantified, "present", lambda *_: None)
    patch.setattr(criteria.Judging, "judgeable", lambda *_: False)
    patch.setattr(shortcuts, "branched", lambda _branches, ordinary: ordinary)


def _compare(text: str, resource: Any) -> None:
    quick = _quick(text)
    answers = _said(quick, resource)
    nodes = _said(lambda one: [placed(result) for result in quick.nodes(one)], resource)
    with pytest.MonkeyPatch.context() as patch:
        ordinary_code(patch)
        ordinary = _ordinary(text)
        expected = _said(ordinary, resource)
        places = _said(lambda one: [placed(result) for result in ordinary.nodes(one)], resource)
    assert answers == expected
    assert nodes == places


@settings(max_examples=30, deadline=None)
@given(resource=_FORMS)
@pytest.mark.parametrize("text", FORM_PATHS)
def test_over_forms(text: str, resource: Resource) -> None:
    _compare(text, resource)


@settings(max_examples=30, deadline=None)
@given(resource=_BUNDLES)
@pytest.mark.parametrize("text", BUNDLE_PATHS)
def test_over_bundles(text: str, resource: Resource) -> None:
    _compare(text, resource)


@pytest.mark.parametrize(
    ("text", "steps", "expected"),
    [
        ("item.answer.count()", 100, [40]),
        ("item.where(answer.value = 3).count()", 400, [40]),
        ("item.answer.count()", 50, "steps"),
        ("item.where(linkId = 'none')", 30, "steps"),
        ("item.where(text.empty()).answer.where(value = 4)", 70, "steps"),
        ("item.all(answer.value = 3)", 60, "steps"),
        ("item.answer.where(value = 4).exists()", 70, "steps"),
        ("item.answer.value.ofType(Coding).empty()", 70, "steps"),
        ("item.select($this.answer).where($this.value.exists()).count()", 70, "steps"),
        ("item.where(%resource.item.where(linkId = 'none').exists()).count()", 60, "steps"),
        ("item.select(%resource.item.where(linkId = 'none').exists()).count()", 100, "steps"),
        ("item.where(answer.value = 3).count()", 100, "steps"),
    ],
)
def test_walks_count_their_steps(text: str, steps: int, expected: Any) -> None:
    form = {
        "resourceType": "QuestionnaireResponse",
        "item": [{"linkId": f"q{number}", "answer": [{"valueInteger": 3}]} for number in range(40)],
    }
    program = fhirpath.compile(text)
    if expected == "steps":
        with pytest.raises(LimitError, match="steps"):
            program(form, limits=Limits(steps=steps))
    else:
        assert program(form, limits=Limits(steps=steps)) == expected


def test_a_walk_tells_what_it_starts_at_once() -> None:
    heard: list[Any] = []
    patient = {"resourceType": "Patient", "name": [{"given": ["A", None], "_given": [None, {"id": "g"}]}]}
    text = "name.trace('names').given.count()"
    assert fhirpath.evaluate(patient, text, trace=lambda name, values: heard.append((name, len(values)))) == [
        2
    ]
    assert heard == [("names", 1)]
