"""Parts that several expressions have in common are evaluated once over one resource, and every expression
says what it says alone."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import fhirpath
from service.fhirpath import EvaluationError, Limits, framed, shared

Resource = dict[str, Any]

_BLOCKS = [
    "item.where(linkId = 'site').answer.value.code = 'sacrum'",
    "%resource.item.where(linkId = 'site').answer.value.code.select($this & '!').exists()",
    "item.where(linkId = 'site' and answer.exists()).count() > 1",
    "item.linkId.single() = 'site'",
    "item.answer.value + 1",
    "item.aggregate($total + 1, 0) > 1",
    "item.select($index).count() = 2",
    "authored.toString().select(iif(length() > 4, substring(0, 4), $this)).toInteger() > 2000",
    "%resource.authored <= today()",
    "$this.item.count() > 1",
    "%resource.item[0].linkId = linkId",
    "item.where(%resource.item.count() = 2 and linkId = 'site').exists()",
    "item.linkId | %resource.item.linkId",
    "defineVariable('x', item.count()).item.where(%x > 1).exists()",
    "QuestionnaireResponse.item.exists()",
    "iif(item.exists(), {}, 1)",
    "'a' & 'b' = 'ab'",
]
_FRAMES = [
    "{0}",
    "({0}).exists() and ({1}).exists()",
    "({0}).exists().not()",
    "iif(({0}).exists(), {1}, {2})",
    "%resource.select({0})",
    "%resource.select(iif(({0}).exists(), {1}, {2}))",
    "%resource.select(item.select({0}) | ({1}))",
    "item.where(({0}).exists()).linkId",
    "%resource.item.all(({0}).exists()) or ({1}).empty()",
    "({0}) | ({1})",
    "item.select({0})[({1}).count()]",
    "item.linkId.select(%resource.select({0}))",
]
_BLOCK = st.sampled_from(_BLOCKS)
_TEXTS = st.lists(
    st.builds(lambda around, *parts: around.format(*parts), st.sampled_from(_FRAMES), _BLOCK, _BLOCK, _BLOCK),
    min_size=2,
    max_size=5,
)
_ODD: st.SearchStrategy[Any] = st.sampled_from(
    ["sacrum", "site", "", None, 3, {}, [], True, [None], {"code": "sacrum"}]
)
_ITEM = st.one_of(
    st.builds(
        lambda link, kind, value: {"linkId": link, "answer": [{kind: value}]},
        st.sampled_from(["site", "note", None, 7]),
        st.sampled_from(["valueCoding", "valueInteger", "valueString"]),
        _ODD,
    ),
    _ODD,
)
_RESPONSE = st.builds(
    lambda items, authored: {"resourceType": "QuestionnaireResponse", "item": items, "authored": authored},
    st.one_of(st.lists(_ITEM, max_size=4), _ODD),
    st.one_of(st.sampled_from(["2026-07-02", "2026", "soon"]), _ODD),
)


def _outcomes(texts: list[str], response: Resource, limits: Limits, *, together: bool) -> list[Any]:
    """What each expression gives over one frame, one after the other: its answer, or its error and place."""
    with patch.object(shared, "_LEAST", 0):
        found = fhirpath.common(texts) if together else frozenset[str]()
        programs = [fhirpath.compile(text, shared=found) for text in texts]
    frame = framed(response, limits=limits)
    out: list[Any] = []
    for program in programs:
        try:
            out.append(program.among(frame))
        except EvaluationError as fault:
            out.append(str(fault))
    return out


@given(_TEXTS, _RESPONSE)
def test_what_is_shared_is_what_each_finds_alone(texts: list[str], response: Resource) -> None:
    """The same answers, and the same errors at the same places, whatever the resource is like."""
    together = _outcomes(texts, response, Limits(), together=True)
    assert together == _outcomes(texts, response, Limits(), together=False)


_ITEMS = [{"linkId": link, "answer": [{"valueCoding": {"code": link}}]} for link in ("site", "note", "aim")]
_FORM: Resource = {"resourceType": "QuestionnaireResponse", "item": _ITEMS, "authored": "2026-07-02"}
_SITE = "item.where(linkId = 'site').answer.value.code = 'sacrum'"


@pytest.mark.parametrize(
    "texts",
    [
        [f"%resource.select({_SITE})", f"(1).exists() and ({_SITE}).exists()"],
        [f"({_SITE}).not()", f"iif({_SITE}, item.count(), item.where(linkId = 'aim').count())", _SITE],
        [
            text
            for block in (*_BLOCKS[:3], _BLOCKS[7], _BLOCKS[10])
            for text in (f"({block}).exists()", f"({block}).not()")
        ],
    ],
)
def test_what_is_shared_costs_its_steps(texts: list[str]) -> None:
    """An expression costs what it costs alone, whether it evaluates a part or is told what it gives."""
    left = []
    for together in (True, False):
        with patch.object(shared, "_LEAST", 0):
            found = fhirpath.common(texts) if together else frozenset[str]()
            programs = [fhirpath.compile(text, shared=found) for text in texts]
        assert bool(found) is together
        frame = framed(_FORM)
        left.append([(program.among(frame), frame.steps) for program in programs])
    assert left[0] == left[1]


def test_what_one_program_found_the_next_is_told() -> None:
    """The part is evaluated once, for as long as the frame is over that resource."""
    part = "item.where(linkId = 'site').answer.value.code.select($this & '!') = 'site!'"
    texts = [f"%resource.select({part})", f"({part}).not()", f"item.select({part}).exists()"]
    with patch.object(shared, "_LEAST", 2):
        found = fhirpath.common(texts)
        programs = [fhirpath.compile(text, shared=found) for text in texts]
    assert found == {part}
    frame = framed(_FORM)
    assert [program.among(frame) for program in programs] == [[True], [False], [False]]
    assert frame.shared == {part: (True, 9)}
    frame.shared[part] = False, 9
    assert [program.among(frame) for program in programs] == [[False], [True], [False]]
    assert [program(_FORM) for program in programs] == [[True], [False], [False]]
    assert programs[1].anew(frame, {}) == [False]
    assert not frame.shared
    dear = framed(_FORM)
    assert dear.shared == {}
    dear.shared[part] = False, 10**9
    assert programs[1].among(dear) == [False]  # what it would cost is more than there is: it is evaluated
    several = framed([_FORM, _FORM | {"item": []}])
    assert [program.among(several) for program in programs[:1]] == [[True]]


def test_a_failure_forgets_what_was_found() -> None:
    """What is looked up again after it costs again, and so does what rests on it."""
    texts = [f"({_SITE}).not()", f"({_SITE}).empty() or item.linkId.single() = 'site'"]
    with patch.object(shared, "_LEAST", 0):
        found = fhirpath.common(texts)
        first, failing = [fhirpath.compile(text, shared=found) for text in texts]
    frame = framed(_FORM)
    assert first.among(frame) == [True]
    left = frame.steps
    assert frame.shared
    with pytest.raises(EvaluationError, match=r"line 1, column \d+.*single"):
        failing.among(frame)
    assert not frame.shared
    assert first.among(frame) == [True]
    assert left <= frame.steps


def test_small_parts_and_parts_of_paths_are_evaluated_as_they_come() -> None:
    test = "item.where(linkId = 'site').answer.value.code.lower().upper().trim().length() > 1"
    large = f"({test}).not().not().not()"
    assert fhirpath.common([test, f"({test}).not()"]) == frozenset()
    assert fhirpath.common([large, f"({large}) or item.empty()", "no such ("]) == {large}
    assert fhirpath.common([large, large]) == frozenset()
    assert fhirpath.common([f"{large} and %now", f"{large}.single()"]) == frozenset()
