"""A primitive with extensions and no value is unknown to the operators, never a value that differs."""

from __future__ import annotations

from typing import Any

import pytest

from service import fhirpath

_SAID = {"extension": [{"url": "http://example.org/why", "valueCode": "unknown"}]}
_FORM = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "item": [
        {"linkId": "boolean", "answer": [{"_valueBoolean": _SAID}]},
        {"linkId": "date", "answer": [{"_valueDate": _SAID}]},
        {"linkId": "decimal", "answer": [{"_valueDecimal": _SAID}]},
        {"linkId": "string", "answer": [{"_valueString": _SAID}]},
    ],
}


@pytest.mark.parametrize("link", ["boolean", "date", "decimal", "string"])
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("{} = true", []),
        ("{} != true", []),
        ("{} = 1 'mg'", []),
        ("true = {}", []),
        ("{} in (true | false)", []),
        ("(true | false) contains {}", []),
        ("{} ~ true", [False]),
        ("true in {}", [False]),
        ("{0} = {0}", [True]),
        ("{}.exists() and {}.hasValue().not()", [True]),
        ("item.answer.where(value = true or value != true)", []),
        ("item.answer.where(value = 'a').exists()", [False]),
    ],
)
def test_no_value_is_neither_equal_nor_different(link: str, expression: str, expected: list[Any]) -> None:
    path = f"item.where(linkId = '{link}').answer.value"
    text = expression.replace("{0}", path).replace("{}", path)
    assert fhirpath.evaluate(_FORM, text) == expected
