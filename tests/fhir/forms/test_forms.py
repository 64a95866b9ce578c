"""The form as an index: items, paths, variables, and a response read beside it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from service.fhir.forms import FilledForm, Unevaluated, Value, evaluate, evaluation, form_of
from service.fhir.forms.expressions import read_expression
from service.fhir.forms.references import type_of_reference
from service.fhir.forms.values import compare, decimal_places, equal
from tests.fhir.forms.samples import answered, coding, extension, fhirpath, form, group, item, response, when

NESTED = form(
    item("a", "group", item("a.1", "integer"), item("a.2", "group", item("a.2.x", "string")), repeats=True),
    item("b", "choice", item("b.why", "text"), answerOption=[{"valueCoding": coding("red")}]),
)


def test_every_item_is_found_by_its_link_with_its_place_and_ancestors() -> None:
    found = form_of(NESTED)
    assert [(entry.link_id, entry.place, entry.ancestors) for entry in found.all] == [
        ("a", "Questionnaire.item[0]", ()),
        ("a.1", "Questionnaire.item[0].item[0]", ("a",)),
        ("a.2", "Questionnaire.item[0].item[1]", ("a",)),
        ("a.2.x", "Questionnaire.item[0].item[1].item[0]", ("a", "a.2")),
        ("b", "Questionnaire.item[1]", ()),
        ("b.why", "Questionnaire.item[1].item[0]", ("b",)),
    ]
    assert found.parent(found.by_link["a.2.x"]) is found.by_link["a.2"]
    assert found.parent(found.by_link["b"]) is None


def test_a_form_is_built_once_for_a_questionnaire() -> None:
    assert form_of(NESTED) is form_of(NESTED)
    assert form_of(dict(NESTED)) is not form_of(NESTED)


def test_the_first_item_of_a_repeated_link_stands() -> None:
    found = form_of(form(item("g", "group", item("x", "string")), item("x", "integer")))
    assert found.by_link["x"].type == "string"


def test_a_response_is_read_beside_its_form() -> None:
    filled = FilledForm(
        form_of(NESTED),
        response(
            group("a", answered("a.1", {"valueInteger": 1})),
            group(
                "a",
                answered("a.1", {"valueInteger": 2}),
                group("a.2", answered("a.2.x", {"valueString": "s"})),
            ),
            {
                "linkId": "b",
                "answer": [{"valueCoding": coding("red"), "item": [answered("b.why", {"valueString": "w"})]}],
            },
            answered("a.2.x", {"valueString": "lost"}),
            answered("c", {"valueInteger": 9}),
        ),
    )
    assert [(one.place, one.item.link_id if one.item else None, one.misplaced) for one in filled.walk()] == [
        ("QuestionnaireResponse.item[0]", "a", False),
        ("QuestionnaireResponse.item[0].item[0]", "a.1", False),
        ("QuestionnaireResponse.item[1]", "a", False),
        ("QuestionnaireResponse.item[1].item[0]", "a.1", False),
        ("QuestionnaireResponse.item[1].item[1]", "a.2", False),
        ("QuestionnaireResponse.item[1].item[1].item[0]", "a.2.x", False),
        ("QuestionnaireResponse.item[2]", "b", False),
        ("QuestionnaireResponse.item[2].answer[0].item[0]", "b.why", False),
        ("QuestionnaireResponse.item[3]", "a.2.x", True),
        ("QuestionnaireResponse.item[4]", None, False),
    ]
    assert filled.values("a.1") == [Value("integer", 1), Value("integer", 2)]
    assert filled.values("a.1", filled.roots[1]) == [Value("integer", 2)]
    assert [one.link_id for one in filled.missing(filled.roots[0])] == ["a.2"]
    assert [one.link_id for one in filled.missing()] == []


def test_a_response_can_be_read_without_what_is_not_answered() -> None:
    given = response(
        {"linkId": "b"}, group("a", {"linkId": "a.1"}, group("a.2", answered("a.2.x", {"valueString": "s"})))
    )
    filled = FilledForm(form_of(NESTED), given, answered=True)
    assert [one.place for one in filled.walk()] == [
        "QuestionnaireResponse.item[1]",
        "QuestionnaireResponse.item[1].item[1]",
        "QuestionnaireResponse.item[1].item[1].item[0]",
    ]


def _enabled(conditions: dict[str, Any], *answers: dict[str, Any], kind: str = "integer") -> bool | None:
    tree = form_of(form(item("q", kind, repeats=True), item("t", "display", **conditions)))
    return FilledForm(tree, response(answered("q", *answers))).enabled(tree.by_link["t"])


RED, BLUE = {"valueCoding": coding("red")}, {"valueCoding": coding("blue")}
WORDS = {"valueCoding": {"display": "Pale red"}}
MG, G = (
    {"value": Decimal(value), "system": "http://unitsofmeasure.org", "code": code}
    for value, code in (("1500", "mg"), ("1", "g"))
)


@pytest.mark.parametrize(
    ("kind", "answers", "operator", "expected", "holds"),
    [
        ("integer", [], "exists", {"answerBoolean": True}, False),
        ("integer", [], "exists", {"answerBoolean": False}, True),
        ("integer", [{"valueInteger": 1}], "exists", {"answerBoolean": True}, True),
        ("integer", [], "=", {"answerInteger": 1}, False),
        ("integer", [], "!=", {"answerInteger": 1}, False),
        ("integer", [{"valueInteger": 1}], "=", {"answerInteger": 1}, True),
        ("integer", [{"valueInteger": 1}], "!=", {"answerInteger": 1}, False),
        ("integer", [{"valueInteger": 1}, {"valueInteger": 2}], "!=", {"answerInteger": 1}, True),
        ("integer", [{"valueInteger": 2}], ">", {"answerInteger": 1}, True),
        ("integer", [{"valueInteger": 1}], ">", {"answerInteger": 1}, False),
        ("integer", [{"valueInteger": 1}], ">=", {"answerInteger": 1}, True),
        ("integer", [{"valueInteger": 1}], "<=", {"answerDecimal": Decimal("1.5")}, True),
        ("decimal", [{"valueDecimal": Decimal("1.50")}], "=", {"answerDecimal": Decimal("1.5")}, True),
        ("decimal", [{"valueDecimal": Decimal("1.6")}], "<", {"answerDecimal": Decimal("1.5")}, False),
        ("boolean", [{"valueBoolean": False}], "=", {"answerBoolean": False}, True),
        ("boolean", [{"valueBoolean": True}], "=", {"answerBoolean": False}, False),
        ("date", [{"valueDate": "2026-05-01"}], ">", {"answerDate": "2026-04-30"}, True),
        ("date", [{"valueDate": "2026"}], ">", {"answerDate": "2026-04-30"}, None),
        (
            "dateTime",
            [{"valueDateTime": "2026-05-01T10:00:00Z"}],
            "=",
            {"answerDateTime": "2026-05-01T11:00:00+01:00"},
            True,
        ),
        ("time", [{"valueTime": "10:00:00"}], "<", {"answerTime": "11:00:00"}, True),
        ("string", [{"valueString": "a"}], "=", {"answerString": "a"}, True),
        ("string", [{"valueString": "b"}], "=", {"answerString": "a"}, False),
        ("choice", [RED], "=", {"answerCoding": coding("red")}, True),
        ("choice", [RED], "=", {"answerCoding": coding("red", None)}, True),
        ("choice", [RED], "=", {"answerCoding": coding("red", "https://example.org/other")}, False),
        ("choice", [RED], "!=", {"answerCoding": coding("blue")}, True),
        ("choice", [RED, BLUE], "=", {"answerCoding": coding("blue")}, True),
        ("open-choice", [{"valueString": "red"}], "=", {"answerCoding": coding("red")}, False),
        ("open-choice", [WORDS], "=", {"answerCoding": {"display": "Pale red"}}, True),
        ("open-choice", [WORDS], "=", {"answerCoding": {"display": "Pale blue"}}, False),
        ("quantity", [{"valueQuantity": MG}], ">", {"answerQuantity": G}, True),
        ("quantity", [{"valueQuantity": {"value": 1, "unit": "x"}}], ">", {"answerQuantity": G}, None),
        (
            "reference",
            [{"valueReference": {"reference": "Patient/1"}}],
            "=",
            {"answerReference": {"reference": "Patient/1"}},
            True,
        ),
    ],
)
def test_operators(
    kind: str, answers: list[dict[str, Any]], operator: str, expected: dict[str, Any], holds: bool | None
) -> None:
    assert _enabled({"enableWhen": [when("q", operator, **expected)]}, *answers, kind=kind) is holds


@pytest.mark.parametrize(
    ("behaviour", "first", "second", "enabled"),
    [
        ("all", 1, 2, False),
        ("all", 1, 1, True),
        ("any", 1, 2, True),
        ("any", 2, 3, False),
        (None, 1, 2, False),
    ],
)
def test_all_and_any(behaviour: str | None, first: int, second: int, enabled: bool) -> None:
    conditions: dict[str, Any] = {
        "enableWhen": [when("q", "=", answerInteger=first), when("q", "=", answerInteger=second)]
    }
    if behaviour:
        conditions["enableBehavior"] = behaviour
    assert _enabled(conditions, {"valueInteger": 1}) is enabled


def test_what_stands_below_a_disabled_item_is_disabled() -> None:
    tree = form_of(
        form(
            item("q", "boolean"),
            item("g", "group", item("g.1", "string"), enableWhen=[when("q", "=", answerBoolean=True)]),
        )
    )
    filled = FilledForm(
        tree,
        response(answered("q", {"valueBoolean": False}), group("g", answered("g.1", {"valueString": "x"}))),
    )
    assert filled.enabled(tree.by_link["g.1"], filled.roots[1]) is False


def test_a_condition_within_a_repeating_group_asks_its_own_repetition() -> None:
    tree = form_of(
        form(
            item(
                "event",
                "group",
                item("serious", "boolean"),
                item("why", "string", enableWhen=[when("serious", "=", answerBoolean=True)]),
                repeats=True,
            ),
            item("any", "display", enableWhen=[when("serious", "=", answerBoolean=True)]),
        )
    )
    filled = FilledForm(
        tree,
        response(
            group("event", answered("serious", {"valueBoolean": True})),
            group("event", answered("serious", {"valueBoolean": False})),
        ),
    )
    why = tree.by_link["why"]
    assert [filled.enabled(why, root) for root in filled.roots] == [True, False]
    assert filled.enabled(tree.by_link["any"]) is True


def test_enable_when_expression_with_variables() -> None:
    tree = form_of(
        form(
            item("q", "integer"),
            item(
                "t",
                "string",
                extension=[extension("sdc:enableWhenExpression", valueExpression=fhirpath("%double > 6"))],
            ),
            extension=[
                extension(
                    "core:variable", valueExpression=fhirpath("item.where(linkId='q').answer.value", name="q")
                ),
                extension("core:variable", valueExpression=fhirpath("%q * 2", name="double")),
            ],
        )
    )
    for answer, enabled in ((4, True), (3, False)):
        filled = FilledForm(tree, response(answered("q", {"valueInteger": answer})))
        assert filled.enabled(tree.by_link["t"]) is enabled
    assert FilledForm(tree, response()).enabled(tree.by_link["t"]) is False


def test_what_cannot_be_evaluated_is_unknown() -> None:
    name = extension(
        "sdc:launchContext",
        extension=[
            {"url": "name", "valueCoding": {"code": "patient"}},
            {"url": "type", "valueCode": "Patient"},
        ],
    )
    rule = extension("sdc:enableWhenExpression", valueExpression=fhirpath("%patient.gender = 'female'"))
    tree = form_of(form(item("t", "string", extension=[rule]), extension=[name]))
    target = tree.by_link["t"]
    assert FilledForm(tree, response()).enabled(target) is None
    patient = {"resourceType": "Patient", "gender": "female"}
    assert FilledForm(tree, response(), {"patient": patient}).enabled(target) is True


def test_a_variable_made_from_itself_is_refused() -> None:
    tree = form_of(
        form(
            extension=[
                extension("core:variable", valueExpression=fhirpath("%b", name="a")),
                extension("core:variable", valueExpression=fhirpath("%a", name="b")),
            ]
        )
    )
    expression = read_expression(fhirpath("%a"), "Questionnaire")
    assert expression is not None
    with pytest.raises(Unevaluated, match="made from itself"):
        evaluate(FilledForm(tree, response()), expression)


def test_an_item_variable_hides_the_forms() -> None:
    tree = form_of(
        form(
            item(
                "q",
                "integer",
                extension=[extension("core:variable", valueExpression=fhirpath("2", name="n"))],
            ),
            extension=[extension("core:variable", valueExpression=fhirpath("1", name="n"))],
        )
    )
    filled = FilledForm(tree, response(answered("q", {"valueInteger": 3})))
    expression = read_expression(fhirpath("%n + answer.value"), "Questionnaire.item[0]")
    assert expression is not None
    assert evaluate(filled, expression, tree.by_link["q"], filled.roots[0]) == [5]


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ({"reference": "Patient/1"}, "Patient"),
        ({"reference": "https://example.org/fhir/Device/2/_history/3"}, "Device"),
        ({"reference": "#p"}, "Patient"),
        ({"reference": "urn:uuid:9b1d6a0e-6a77-4a51-8a39-0a4a0c0b6f10"}, None),
        ({"type": "Group", "identifier": {"value": "1"}}, "Group"),
    ],
)
def test_the_type_that_a_reference_names(reference: dict[str, Any], kind: str | None) -> None:
    assert type_of_reference(reference, {"contained": [{"resourceType": "Patient", "id": "p"}]}) == kind


def test_decimal_places_are_those_written() -> None:
    assert [decimal_places(value) for value in (Decimal("6.30"), Decimal(6), 6, "x")] == [2, 0, 0, 0]


def test_values_of_kinds_that_do_not_meet_are_not_equal_and_have_no_order() -> None:
    assert equal(Value("integer", 1), Value("string", "1")) is False
    assert compare(Value("integer", 1), Value("string", "1")) is None


def test_so_many_evaluations_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "MAX_EVALUATIONS", 2)
    rule = extension("sdc:enableWhenExpression", valueExpression=fhirpath("true"))
    tree = form_of(form(item("g", "group", item("t", "string", extension=[rule]), repeats=True)))
    filled = FilledForm(tree, response(*[group("g") for _ in range(3)]))
    assert [filled.enabled(tree.by_link["t"], root) for root in filled.roots] == [True, True, None]
