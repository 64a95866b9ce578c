"""What is refused at compile time because it can never be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from service import fhirpath
from service.fhirpath import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterable


@pytest.mark.parametrize(
    ("text", "context_type", "column", "said"),
    [
        ("name.given1", "Patient", 6, "did you mean given?"),
        ("Patient.nam", None, 9, "did you mean name?"),
        ("Encounter.name", None, 11, "Encounter has no element"),
        ("Encounter.status", "Patient", 1, "expected Patient"),
        ("Observation.valueQuantity.unit", None, 13, "did you mean value, or value.ofType(Quantity)?"),
        ("(value as Period).unit", "Observation", 19, "Period has no element"),
        ("item.where(linkld = 'a')", "QuestionnaireResponse", 12, "did you mean linkId?"),
        ("item.answer.value.ofType(Coding).cod", "QuestionnaireResponse", 34, "did you mean code?"),
        ("name.exists", "Patient", 6, "write exists()"),
        ("name.exists().given", "Patient", 15, "System.Boolean has no element"),
        ("name.select(given).family", "Patient", 20, "string has no element"),
        ("contact.name.given | contact.nam", "Patient", 30, "did you mean name?"),
        ("iif(true, name, contact).relation", "Patient", 26, "did you mean relationship?"),
        ("entry.resource.statuss", "Bundle", 16, "has no element"),
        ("identifier.startsWith('a')", "Appointment", 12, "expected String"),
        ("name.given.substring('a')", "Patient", 22, "expected Integer"),
        ("linkId", "Questionnaire.itemm", 1, "did you mean Questionnaire.item?"),
        ("a.gender.as(string1)", None, 13, "unknown type"),
        ("value is Quantitty", None, 10, "did you mean Quantity?"),
        ("name.frist()", "Patient", 6, "did you mean first()?"),
        ("name.first(1)", None, 6, "expected first()"),
        ("'a'.substring()", None, 5, "expected substring(start [, length])"),
        ("name.where()", None, 6, "expected where(criteria)"),
        ("%nope", None, 1, "found %nope"),
        ("%paln > 6", None, 1, "did you mean %pain?"),
        ("defineVariable('pain', 1)", None, 16, "already defined"),
        ("(defineVariable('x', 1).select(%x)) | %x", None, 39, "found %x"),
    ],
)
def test_what_cannot_be_is_refused(text: str, context_type: str | None, column: int, said: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        fhirpath.compile(text, context_type=context_type, variables=["pain"])
    assert said in str(caught.value)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("text", "context_type", "variables"),
    [
        ("Patient.name | Practitioner.name", None, ()),
        ("Resource.id", "Patient", ()),
        ("name.given", None, ()),
        ("repeat(item).where(linkId = 'a').answer.value.ofType(Coding).code", "QuestionnaireResponse", ()),
        ("entry.resource.ofType(Patient).name.given", "Bundle", ()),
        ("entry.resource.name", "Bundle", ()),
        ("descendants().linkId", "Questionnaire", ()),
        ("linkId", "Questionnaire.item", ()),
        ("extension('x').value.ofType(Age).value > 3", "Patient", ()),
        ("birthDate.extension('x').value", "Patient", ()),
        ("value.value.value > 1 and value.unit = 'x'", "Observation", ()),
        ("%resource.name.given = %context.name.given", "Patient", ()),
        ("%x.given", None, {"x": "HumanName"}),
        ("defineVariable('y', name).name.where(given in %y.given).select(%y.family)", "Patient", ()),
        ("children().id.first()", "Patient", ()),
    ],
)
def test_what_can_be_is_not(text: str, context_type: str | None, variables: Iterable[str]) -> None:
    assert fhirpath.compile(text, context_type=context_type, variables=variables).text == text


def test_variables_with_types_are_checked() -> None:
    with pytest.raises(ExpressionError, match=r"did you mean given\?"):
        fhirpath.compile("%x.givenn", variables={"x": "HumanName"})


def test_order_is_asked_for_only_on_request() -> None:
    assert fhirpath.compile("Patient.children().skip(1)").text == "Patient.children().skip(1)"
    for text in ("Patient.children().skip(1)", "descendants().where(true).first()", "children()[0]"):
        with pytest.raises(ExpressionError, match="depends on order"):
            fhirpath.compile(text, require_order=True)
    fhirpath.compile("descendants().sort(id).first()", require_order=True)
