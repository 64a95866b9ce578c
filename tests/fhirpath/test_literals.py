"""Short ways say what the long ones say: a literal beside an operator is as a variable of its value, what a
projection asks of values is what it asks of their elements, and one value is as a collection of one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import fhirpath
from service.fhirpath import EvaluationError, ExpressionError, compiler
from service.fhirpath.dependence import reads_values

from . import strategies
from .test_plain import _FORMS

_PATHS = [
    "item.linkId",
    "item.text",
    "item.answer.value",
    "item.answer.value.code",
    "item.where(linkId = 'a').answer.value",
    "item.linkId | item.answer.value",
    "item.answer",
    "item.first().linkId",
    "authored",
    "{}",
]
_OPERATORS = [
    "{} in ({})",
    "({1}) contains {0}",
    "({1}) = {0}",
    "({1}) != {0}",
    "{} = ({})",
    "({1}).select($this = {0})",
]
_LITERALS = {"'a'": "a", "'mg'": "mg", "''": "", "3": 3, "true": True, "false": False, "2.5": 2.5, "1.0": 1.0}


def _said(text: str, resource: Any, **variables: Any) -> Any:
    return _outcome(fhirpath.compiled(text, variables=frozenset("lz")), resource, **variables)


def _outcome(program: fhirpath.Program, resource: Any, **variables: Any) -> Any:
    try:
        return program(resource, variables=variables)
    except EvaluationError as error:
        return error.reason


@settings(max_examples=60, deadline=None)
@given(st.one_of(_FORMS, strategies.JSON), st.sampled_from(_OPERATORS), st.sampled_from(_PATHS))
@pytest.mark.parametrize("literal", _LITERALS)
def test_a_literal_is_its_value(literal: str, resource: Any, operator: str, path: str) -> None:
    said = _said(operator.format(literal, path), resource)
    assert said == _said(operator.format("%l", path), resource, l=_LITERALS[literal])


@settings(max_examples=200, deadline=None)
@given(st.one_of(_FORMS, strategies.JSON), st.sampled_from(_PATHS))
def test_texts_are_their_union(resource: Any, path: str) -> None:
    each = f"({path}).select($this in "
    said = _said(f"{each}('a' | 'mg'))", resource)
    assert said == _said(f"{each}(%l | %z))", resource, l="a", z="mg")


_PROJECTIONS = [
    "$this in ('a' | 'mg')",
    "$this = 'a'",
    "$this > 2",
    "$this >= @2026-01-01",
    "toString() & '/' & $this.toString()",
    "iif($this = 'a', true, iif($this = 'b', false, {}))",
    "iif($this, 'x')",
    "iif($this.toString().length() > 1, $index, %l)",
    "$this + 1",
    "-$this",
    "substring(0, 1)",
    "$this.toDate() + 1 day",
    "%l.where($this = 'a')",
    "%l.replace($this, 'b')",
    "convertsToQuantity() and toQuantity() > 1 'mg'",
    "toBoolean().not() xor true",
]


@settings(max_examples=60, deadline=None)
@given(st.one_of(_FORMS, strategies.JSON), st.sampled_from(_PATHS))
@pytest.mark.parametrize("projection", _PROJECTIONS)
def test_a_projection_of_values_is_that_of_their_elements(projection: str, resource: Any, path: str) -> None:
    assert reads_values(fhirpath.parse(projection))
    quick = _said(f"({path}).select({projection})", resource, l="a")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "reads_values", lambda _node: False)
        slow = fhirpath.compile(f"({path}).select({projection})", variables=["l"])
    assert quick == _outcome(slow, resource, l="a")


@pytest.mark.parametrize(
    "projection",
    [
        "$this",
        "linkId",
        "linkId = 'a'",
        "$this | 'a'",
        "$this is code",
        "$this as Coding",
        "extension('x')",
        "exists()",
        "$this.exists()",
        "not()",
        "iif(true, $this)",
        "iif(linkId = 'a', 1)",
        "%l.combine($this)",
        "trace('x') = 1",
        "children()",
        "%l[linkId]",
        "-linkId",
        "memberOf('x')",
        "$this.select($this)",
        "single()",
    ],
)
def test_what_may_ask_for_an_element_gets_it(projection: str) -> None:
    assert not reads_values(fhirpath.parse(projection))


@pytest.mark.parametrize("projection", _PROJECTIONS)
@pytest.mark.parametrize("value", ["'a'", "'abc'", "3", "2.5", "true", "@2026-01-01", "{}", "1 'mg'"])
def test_one_value_is_as_a_collection_of_one(value: str, projection: str) -> None:
    try:
        said = _said(f"({value}).select({projection})", {}, l="a")
    except ExpressionError:  # what cannot be is refused before it is evaluated
        return
    items = fhirpath.compiled(value).items({})
    assert said == _said(f"%z.select({projection})", {}, l="a", z=items)
    assert said == _said(f"%z.select(({projection}) | {{}})", {}, l="a", z=items)
