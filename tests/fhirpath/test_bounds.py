"""Hostile expressions and resources end in a LimitError before they have used the machine up."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from typing import Any

import pytest

from service import fhirpath
from service.fhirpath import EvaluationError, LimitError, Limits

LONG = "'aaaaaaaaaa'" + ".replace('a', 'aaaaaaaaaa')" * 4
FORM: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse",
    "item": [{"linkId": str(number)} for number in range(300)],
}


@pytest.mark.parametrize(
    "text",
    [
        "'a'.repeat($this & 'a').count()",
        "'a'.repeat($this + 'a').count()",
        f"item.select({LONG}.toChars()).count()",
        f"item.select({LONG}.split('')).count()",
        f"item.select({LONG}.split('a')).count()",
        f"item.select({LONG} & linkId).count()",
        f"item.select({LONG} + linkId).count()",
        f"item.select({LONG}.upper()).count()",
        f"item.select({LONG}.encode('hex')).count()",
        f"item.where({LONG}.matches('(a|b)*c')).count()",
        f"item.where({LONG}.contains('b')).count()",
        f"item.select((linkId | {LONG}).join(';')).count()",
    ],
)
def test_long_texts_are_counted_as_many_steps(text: str) -> None:
    program = fhirpath.compile(text)
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match="steps"):
            program(FORM, limits=Limits(steps=100_000))
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def nested(depth: int, width: int = 1) -> dict[str, Any]:
    item: dict[str, Any] = {}
    for _ in range(depth):
        item = {"linkId": "a", "item": [item] * width}
    return {"resourceType": "QuestionnaireResponse", "item": [item]}


@pytest.mark.parametrize(
    "text",
    [
        "repeat(item).count()",
        "repeat(item | answer).count()",
        "descendants().where($this in %resource.descendants()).count()",
        "descendants().where($this = %resource.item.item).count()",
        "descendants().where($this ~ %resource.item.item).count()",
    ],
)
def test_telling_deep_elements_apart_is_counted(text: str) -> None:
    with pytest.raises(LimitError, match="steps"):
        fhirpath.evaluate(nested(150), text, limits=Limits(steps=20_000))


def test_telling_deep_elements_apart_has_an_end() -> None:
    with pytest.raises(LimitError, match="comparisons"):
        fhirpath.evaluate(nested(200), "descendants().distinct()")


def test_short_texts_cost_no_more_than_their_items() -> None:
    assert fhirpath.evaluate(FORM, "item.select(linkId & '!').count()", limits=Limits(steps=5_000)) == [300]


@pytest.mark.parametrize(
    "text", ["value.toString()", "value.toQuantity().toString()", "value.toDecimal() * 2"]
)
def test_an_integer_longer_than_any_number_has_no_text(text: str) -> None:
    assert fhirpath.evaluate({"resourceType": "Observation", "valueInteger": 10**5000}, text) == []
    assert fhirpath.evaluate({"resourceType": "Observation", "valueInteger": -(10**40)}, text) != []


@pytest.mark.parametrize(
    "number", [float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")]
)
@pytest.mark.parametrize("text", ["%a < 1", "%a | %a", "$this > 1", "a > 1", "(a | a).count()"])
def test_what_is_no_number_is_an_error(number: object, text: str) -> None:
    resource = {"a": number} if "(a" in text or text == "a > 1" else number
    with pytest.raises(EvaluationError):
        fhirpath.evaluate(resource, text, variables={"a": number})


@pytest.mark.parametrize("number", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")])
@pytest.mark.parametrize("unit", [{}, {"unit": "mg"}, {"code": "mg", "system": "http://unitsofmeasure.org"}])
@pytest.mark.parametrize(
    "text", ["value > 1 'mg'", "value = 1 'mg'", "value | value | 3 'mg'", "(value | value).sum()"]
)
def test_a_quantity_of_no_number_is_an_error(number: Decimal, unit: dict[str, str], text: str) -> None:
    resource = {"resourceType": "Observation", "valueQuantity": {"value": number, **unit}}
    with pytest.raises(EvaluationError, match="value is not a decimal"):
        fhirpath.evaluate(resource, text)
