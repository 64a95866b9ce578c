"""Beside a literal an operator says what it says beside a variable of that value: literals have code of their
own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import fhirpath
from service.fhirpath import EvaluationError

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
    try:
        return fhirpath.compiled(text, variables=frozenset("lz"))(resource, variables=variables)
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
