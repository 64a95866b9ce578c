"""Code that keeps no places fails as code that keeps them does: the same error, at the same place, within the
same steps, over a frame of its own and over one that many programs share."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import fhirpath
from service.fhirpath import EvaluationError, Limits, Program, framed
from service.fhirpath.compiler import Compiler
from service.fhirpath.values import type_name

from . import strategies
from .test_plain import _FORMS, FORM_PATHS

if TYPE_CHECKING:
    from collections.abc import Callable

Resource = dict[str, Any]

_FAILING = [
    "item.answer.value > 2 and item.linkId > 'a'",
    "item.where(linkId = 'a').answer.value + 'x'",
    "item.select(answer.value & linkId)",
    "item.answer.value.single()",
    "item.linkId.substring(0, 1).upper()",
    "item.where(answer.value.toString().length() > 1).linkId",
    "item.select(iif(answer.value, linkId, text))",
    "(item.text | item.linkId).select($this.toInteger() + 1)",
    "%a.where(linkId = %b).answer.value + 1",
    "item.answer.value.toDate() + 1 'cm'",
    "item[%b]",
    "-item.answer.value",
    "item.defineVariable('x', linkId).select(%x & %x)",
    "item.aggregate($total + answer.value, 0)",
    "item.answer.value is Coding",
    "item.answer.value as Coding",
    "'a' in item.linkId and item.linkId in 'a'",
    "repeat(item).answer.value.sum()",
]
_ALL = [*FORM_PATHS, *_FAILING]


@cache
def _pair(text: str) -> tuple[Program, Program]:
    """The program of an expression, and one whose code keeps places all along."""
    quick = fhirpath.compile(text, variables=["a", "b"])
    compiler = Compiler(text, fhirpath.R4, scoped="defineVariable" in text)
    placed = Program(text, quick.tree, lambda _: compiler.code(quick.tree), fhirpath.R4, None, quick.types)
    return quick, placed


def _outcome(run: Callable[..., list[Any]], *given: Any, **more: Any) -> Any:
    try:
        found = run(*given, **more)
    except EvaluationError as error:
        return type(error), str(error), error.line, error.column
    return [(type_name(one), repr(one)) for one in found]


@settings(max_examples=30, deadline=None)
@given(resource=st.one_of(_FORMS, strategies.JSON), steps=st.integers(0, 60))
@pytest.mark.parametrize("text", _ALL)
def test_an_error_and_its_place(text: str, resource: Any, steps: int) -> None:
    quick, placed = _pair(text)
    for limits in (Limits(), Limits(steps=steps)):
        given = {"variables": {"a": resource, "b": 1}, "limits": limits}
        assert _outcome(quick, resource, **given) == _outcome(placed, resource, **given)
        assert _outcome(quick.items, resource, **given) == _outcome(placed.items, resource, **given)


@settings(max_examples=150, deadline=None)
@given(_FORMS, st.lists(st.sampled_from(_ALL), max_size=6), st.integers(0, 80))
def test_over_one_frame(resource: Resource, texts: list[str], steps: int) -> None:
    """A program that fails leaves the frame as one that keeps places leaves it."""
    limits = Limits(steps=steps)
    one, other = framed(resource, limits=limits), framed(resource, limits=limits)
    given = {"a": fhirpath.items_of(resource), "b": fhirpath.items_of("a")}
    for text in texts:
        quick, placed = _pair(text)
        if "%" not in text:
            assert _outcome(quick.among, one) == _outcome(placed.among, other)
        assert _outcome(quick.anew, one, given) == _outcome(placed.anew, other, given)


@settings(max_examples=150, deadline=None)
@given(_FORMS, st.lists(st.sampled_from([text for text in _ALL if "%" not in text]), max_size=6), st.data())
def test_over_a_frame_of_the_callers_own(resource: Resource, texts: list[str], data: st.DataObject) -> None:
    """Its focus may be another than its context, and its steps run on from one program to the next."""
    limits = Limits(steps=data.draw(st.integers(0, 200)))
    one, other = framed(resource, limits=limits), framed(resource, limits=limits)
    inner = fhirpath.compiled("item.where(linkId = 'a')")
    try:
        items = inner.over(framed(resource))
    except EvaluationError:
        items = []
    for text in texts:
        quick, placed = _pair(text)
        one.this = other.this = items
        assert _outcome(quick.over, one) == _outcome(placed.over, other)


@pytest.mark.parametrize("name", ["trace", "`trace`", "`tr\\u0061ce`"])
def test_a_sink_is_told_once(name: str) -> None:
    told: list[Any] = []
    text = f"id.{name}('id') + 1"
    with pytest.raises(EvaluationError) as caught:
        fhirpath.evaluate({"resourceType": "Patient", "id": "p"}, text, trace=lambda *said: told.append(said))
    assert caught.value.column == text.index("+") + 1
    assert told == [("id", ["p"])]
