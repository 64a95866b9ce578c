"""Parts that rest on published content alone are evaluated once, and say what they say anywhere; what one
program looked up in a resource is looked up again once the resource has grown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import fhirpath
from service.fhirpath import Constants, EvaluationError, Limits, framed
from service.fhirpath.dependence import AROUND, OUTSIDE, THIS, resting_on, rests_on
from service.fhirpath.functions import FUNCTIONS

Resource = dict[str, Any]

_FORM: Resource = {
    "resourceType": "Questionnaire",
    "status": "active",
    "item": [
        {
            "linkId": "site",
            "type": "choice",
            "answerOption": [
                {"valueCoding": {"code": "vertebra"}},
                {"valueCoding": {"code": "sacrum"}},
                {"valueInteger": 3},
            ],
        },
        {"linkId": "note", "type": "text", "item": [{"linkId": "note.more", "type": "string"}]},
    ],
}
_RESPONSE: Resource = {
    "resourceType": "QuestionnaireResponse",
    "status": "in-progress",
    "item": [{"linkId": "site", "answer": [{"valueCoding": {"code": "sacrum"}}]}],
}
_NAMES = frozenset({"form", "wanted"})
_TEXTS = [
    "%form.item.where(linkId = 'site').answerOption.value",
    "%form.item.where(linkId = 'site').answerOption.value.where(code = %wanted)",
    "%form.item.where(linkId = 'site').answerOption.value.where(code in %resource.item.answer.value.code)",
    "%form.item.where(linkId = %resource.item.linkId).answerOption.count()",
    "%form.repeat(item).linkId.select($this & %wanted)",
    "%resource.item.where(linkId in %form.item.linkId).linkId",
    "item.linkId | %form.item.linkId",
    "%form.item.select(iif($index = 0, linkId, %form.item.count()))",
    "%form.item.aggregate($total + %form.item.count(), 0)",
    "%form.item.answerOption.value.ofType(integer) + 1",
    "%form.item.answerOption.value + 1",
    "%form.item[%form.item.count() - 1].linkId",
    "%wanted.where(%form.item.linkId.exists())",
    "%form",
]


def _both(
    text: str, constants: Constants, form: Any, wanted: Any, response: Resource, limits: Limits
) -> tuple[Any, Any]:
    """What a program gives with a frame's constants, and what it gives with variables of its own."""
    kept = fhirpath.compiled(text, variables=_NAMES, constants=frozenset({"form"}))
    own = fhirpath.compiled(text, variables=_NAMES)
    frame = framed(response, limits=limits, constants=constants)
    wanted_items = fhirpath.items_of(wanted)

    def constant() -> list[Any]:
        return [item.value for item in map(fhirpath.Result.of, kept.anew(frame, {"wanted": wanted_items}))]

    def alone() -> list[Any]:
        variables = {"form": form, "wanted": wanted}
        return [found.value for found in own.nodes(response, variables=variables, limits=limits)]

    return _outcome(constant), _outcome(alone)


def _outcome(run: Any) -> Any:
    try:
        return run()
    except EvaluationError as fault:
        return str(fault)


_CODES: st.SearchStrategy[Any] = st.sampled_from(["vertebra", "sacrum", "site", "", None, 3, {}, [], True])
_OPTIONS = st.lists(
    st.one_of(
        st.builds(lambda code: {"valueCoding": {"code": code}}, _CODES),
        st.builds(lambda code: {"valueString": code}, _CODES),
        st.just(None),
        st.just({"valueInteger": 2}),
        st.just("text"),
    ),
    max_size=4,
)
_ITEMS = st.lists(
    st.builds(
        lambda link, options: {"linkId": link, "answerOption": options},
        st.sampled_from(["site", "note", None, 7]),
        st.one_of(_OPTIONS, st.just({}), st.just("options")),
    ),
    max_size=4,
)


@given(st.sampled_from(_TEXTS), _ITEMS, _CODES)
def test_what_is_kept_is_what_is_found_anywhere(text: str, items: list[Any], wanted: Any) -> None:
    """The same answer, or the same error at the same place, at the first call and at later ones."""
    form = {**_FORM, "item": items}
    constants = Constants({"form": form})
    for _ in range(3):
        kept, alone = _both(text, constants, form, wanted, _RESPONSE, Limits())
        assert kept == alone


@given(st.sampled_from(_TEXTS), _ITEMS, st.integers(0, 40))
def test_what_is_kept_costs_its_steps(text: str, items: list[Any], steps: int) -> None:
    """Within any number of steps, what was found before does not change what is found, or where it ends."""
    form = {**_FORM, "item": items}
    warm = Constants({"form": form})
    _both(text, warm, form, "sacrum", _RESPONSE, Limits())
    known, _ = _both(text, warm, form, "sacrum", _RESPONSE, Limits(steps=steps))
    first, _ = _both(text, Constants({"form": form}), form, "sacrum", _RESPONSE, Limits(steps=steps))
    assert known == first


@pytest.mark.parametrize("text", _TEXTS)
def test_a_form_as_it_should_be(text: str) -> None:
    constants = Constants({"form": _FORM})
    for wanted in ("sacrum", "vertebra"):
        kept, alone = _both(text, constants, _FORM, wanted, _RESPONSE, Limits())
        assert kept == alone


def test_another_value_for_a_name_is_that_value() -> None:
    program = fhirpath.compiled(
        "%form.item.linkId", variables=frozenset({"form"}), constants=frozenset({"form"})
    )
    frame = framed(_RESPONSE, constants=Constants({"form": _FORM}))
    other = fhirpath.items_of({**_FORM, "item": [{"linkId": "other"}]})
    found = [[item.value for item in program.anew(frame, given)] for given in ({}, {"form": other}, {})]
    assert found == [["site", "note"], ["other"], ["site", "note"]]
    bare = [item.value for item in program.anew(framed(_RESPONSE), {"form": other})]
    assert bare == ["other"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("%form.item.where(linkId = 'a').text.where($this = %a)", ["%form.item.where(linkId = 'a').text"]),
        ("%form.item.linkId = item.linkId", ["%form.item.linkId"]),
        ("%form.item.where(linkId = item.id).exists()", ["%form.item.where(linkId = item.id).exists()"]),
        ("%form.item.where(linkId = $total)", ["%form.item"]),
        ("%form.item.where($index = 0)", ["%form.item"]),
        ("%form.item.where(today() > @2020)", ["%form.item"]),
        ("%form.date > today()", ["%form.date"]),
        ("%form.item.trace('x').linkId", ["%form.item"]),
        ("%form.item.where(code.memberOf('http://x'))", ["%form.item"]),
        ("%form.item.skip(item.count())", ["%form.item"]),
        ("%form.item.defineVariable('x').linkId", ["%form.item"]),
        ("%form.item.select(%x)", ["%form.item"]),
        ("%form", []),
        ("item.where(linkId = 'a')", []),
        ("'a' & 'b'", []),
    ],
)  # fmt: skip
def test_the_widest_parts_that_rest_on_constants(text: str, parts: list[str]) -> None:
    found = resting_on(fhirpath.parse(text), frozenset({"form"}))
    assert [fhirpath.to_text(part) for part in found] == parts


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("item", {THIS}),
        ("$this", {THIS}),
        ("$index + $total", {AROUND}),
        ("%a.where(b = %c)", {"a", "c"}),
        ("%a.take(b)", {"a", THIS}),
        ("%a.select(iif($this, %b, c))", {"a", "b"}),
        ("iif(%a, %b)", {THIS, "a", "b"}),
        ("now()", {THIS, OUTSIDE}),
        ("%a.resolve()", {"a", OUTSIDE}),
        ("%a is Patient", {"a"}),
        ("%a.sort(b desc)", {"a"}),
        ("%a[%b] | {}", {"a", "b"}),
    ],
)
def test_what_a_part_rests_on(text: str, names: set[str]) -> None:
    assert rests_on(fhirpath.parse(text)) == names


def test_functions_that_ask_more_than_their_input_are_known_as_such() -> None:
    """Each function whose code reaches for the clock, the caller's services or the variables says so."""
    asking = {name for name, function in FUNCTIONS.items() if function.outward}
    assert asking == {
        "now", "today", "timeOfDay", "trace", "defineVariable",
        "resolve", "memberOf", "subsumes", "subsumedBy", "conformsTo",
    }  # fmt: skip


def test_the_clock_is_never_kept() -> None:
    program = fhirpath.compiled(
        "%form.date < today()", variables=frozenset({"form"}), constants=frozenset({"form"})
    )
    constants = Constants({"form": {**_FORM, "date": "2026-05-01"}})
    said = [
        program.anew(framed(_RESPONSE, now=datetime(2026, month, 1, tzinfo=UTC), constants=constants), {})
        for month in (4, 6)
    ]
    assert said == [[False], [True]]


_GROWTH = st.lists(
    st.tuples(
        st.sampled_from(["item", "nested", "answer"]), st.sampled_from(["site", "note", "a"]), st.booleans()
    ),
    max_size=8,
)
_ASKED = [
    "%resource.item.where(linkId = 'site').answer.value.code",
    "%resource.item.where(linkId = 'site').item.where(linkId = 'a').answer.value",
    "%resource.item.where(linkId = 'note' and item.exists()).item.linkId",
    "%resource.item.where(linkId = 'a').exists()",
    "%resource.repeat(item).where(linkId = 'a').count()",
]


@given(_GROWTH)
def test_what_has_grown_is_looked_up_again(growth: list[tuple[str, str, bool]]) -> None:
    """Programs that share a frame say of a growing response what each would say of it alone."""
    response: Resource = {"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": []}
    frame = framed(response)
    items: list[Resource] = response["item"]
    for kind, link, asked_first in growth:
        if asked_first:
            _ask(frame, response)
        if kind == "item" or not items:
            items.append({"linkId": link})
        elif kind == "nested":
            items[-1].setdefault("item", []).append({"linkId": link})
        else:
            items[-1].setdefault("answer", []).append({"valueCoding": {"code": link}})
        _ask(frame, response)


def _ask(frame: fhirpath.Frame, response: Resource) -> None:
    for text in _ASKED:
        program = fhirpath.compiled(text)
        together = [fhirpath.Result.of(item) for item in program.anew(frame, {})]
        alone = program.nodes(response)
        assert [(one.value, one.location) for one in together] == [(one.value, one.location) for one in alone]


def test_a_variable_that_nobody_gives_is_empty_where_the_caller_says_what_there_is() -> None:
    """Over one frame, `anew` takes what its mapping lacks for empty, `among` after it for an error still."""
    program = fhirpath.compiled("%wanted.exists()", variables=frozenset({"wanted"}))
    frame = framed(_RESPONSE)
    assert program.anew(frame, {}) == [False]
    with pytest.raises(EvaluationError, match="%wanted is not given"):
        program.among(frame)
    assert program.anew(frame, {"wanted": ["x"]}) == [True]
