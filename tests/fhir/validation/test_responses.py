"""Responses against their forms: one fault each, and what is said of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from service.domain.issues import Issue, Severity
from service.fhir.concepts import Terminology
from service.fhir.validation import responses
from tests.fhir.forms.samples import (
    COLOURS,
    answered,
    coding,
    constraint,
    extension,
    fhirpath,
    form,
    group,
    item,
    response,
    when,
)

Json = dict[str, Any]
UCUM = "http://unitsofmeasure.org"


def found(
    questionnaire: Json, given: Json, terminology: Terminology | None = None
) -> list[tuple[str, str, str]]:
    """Severity, key and place of each issue."""
    issues = responses.check(given, questionnaire, terminology=terminology)
    return [
        (issue.severity.value, issue.key, issue.expression.removeprefix("QuestionnaireResponse"))
        for issue in issues
    ]


def one(kind: str, *answers: Json, **more: Any) -> list[tuple[str, str, str]]:
    """The issues of one question answered so."""
    return found(form(item("q", kind, **more)), response(answered("q", *answers)))


def quantity(value: str, code: str, **more: Any) -> Json:
    return {"valueQuantity": {"value": Decimal(value), "unit": code, "system": UCUM, "code": code, **more}}


GOOD: list[tuple[str, Json]] = [
    ("boolean", {"valueBoolean": False}),
    ("decimal", {"valueDecimal": Decimal("6.30")}),
    ("integer", {"valueInteger": 3}),
    ("date", {"valueDate": "2026-11"}),
    ("dateTime", {"valueDateTime": "2026-11-20T10:00:00Z"}),
    ("time", {"valueTime": "10:00:00"}),
    ("string", {"valueString": "one line"}),
    ("text", {"valueString": "two\nlines"}),
    ("url", {"valueUri": "https://example.org"}),
    ("choice", {"valueCoding": coding("red")}),
    ("open-choice", {"valueString": "mauve"}),
    ("open-choice", {"valueCoding": coding("red")}),
    ("attachment", {"valueAttachment": {"contentType": "image/png"}}),
    ("reference", {"valueReference": {"reference": "Patient/1"}}),
    ("quantity", quantity("3", "mg")),
]


@pytest.mark.parametrize(("kind", "answer"), GOOD)
def test_a_good_answer_of_each_type(kind: str, answer: Json) -> None:
    assert one(kind, answer) == []


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in GOOD}))
@pytest.mark.parametrize("answer", [answer for _, answer in GOOD], ids=lambda answer: next(iter(answer)))
def test_an_answer_of_another_type_is_refused(kind: str, answer: Json) -> None:
    name = next(iter(answer))
    allowed = {next(iter(other)) for mine, other in GOOD if mine == kind}
    if kind in ("choice", "open-choice"):
        allowed |= {
            "valueString",
            "valueInteger",
            "valueDate",
            "valueTime",
        }  # without options: any option type
    keys = [issue for issue in one(kind, answer) if issue[0] == "error"]
    assert keys == ([] if name in allowed else [("error", "answer-type", ".item[0].answer[0]")])


RED, BLUE, NONE = ({"valueCoding": coding(code)} for code in ("red", "blue", "none"))
OPTIONS: list[Json] = [
    RED,
    BLUE,
    {**NONE, "extension": [extension("core:questionnaire-optionExclusive", valueBoolean=True)]},
]


def test_the_message_names_the_answer_and_the_options() -> None:
    (issue,) = responses.check(
        response(answered("lesion.nature", {"valueCoding": coding("benine")})),
        form(item("lesion.nature", "choice", answerOption=[RED, BLUE])),
    )
    assert issue == Issue(
        Severity.ERROR,
        "code-invalid",
        "'benine' is not an option of lesion.nature; options: red, blue",
        "QuestionnaireResponse.item[0].answer[0]",
        "option",
    )
    assert str(issue) == (
        "QuestionnaireResponse.item[0].answer[0]: "
        "'benine' is not an option of lesion.nature; options: red, blue"
    )


BAD_OPTION = [("error", "option", ".item[0].answer[0]")]
WRONG_TYPE = [("error", "answer-type", ".item[0].answer[0]")]


@pytest.mark.parametrize(
    ("kind", "options", "answer", "issues"),
    [
        ("choice", OPTIONS, RED, []),
        ("choice", OPTIONS, {"valueCoding": coding("green")}, BAD_OPTION),
        ("choice", OPTIONS, {"valueCoding": coding("red", "https://example.org/other")}, BAD_OPTION),
        ("choice", OPTIONS, {"valueCoding": coding("red", None)}, BAD_OPTION),
        ("choice", OPTIONS, {"valueString": "red"}, WRONG_TYPE),
        ("open-choice", OPTIONS, {"valueString": "mauve"}, []),
        (
            "open-choice",
            OPTIONS,
            {"valueString": "Red"},
            [("warning", "option-as-text", ".item[0].answer[0]")],
        ),
        ("open-choice", OPTIONS, {"valueCoding": coding("green")}, BAD_OPTION),
        ("choice", [{"valueString": "a"}], {"valueString": "a"}, []),
        ("choice", [{"valueString": "a"}], {"valueString": "b"}, BAD_OPTION),
        ("integer", [{"valueInteger": 1}], {"valueInteger": 1}, []),
        ("integer", [{"valueInteger": 1}], {"valueInteger": 2}, BAD_OPTION),
        ("date", [{"valueDate": "2026-01-01"}], {"valueDate": "2026-01-02"}, BAD_OPTION),
        ("time", [{"valueTime": "10:00:00"}], {"valueTime": "10:00:00"}, []),
        ("string", [{"valueString": "a"}], {"valueString": "b"}, BAD_OPTION),
        (
            "reference",
            [{"valueReference": {"reference": "Device/1"}}],
            {"valueReference": {"reference": "Device/2"}},
            BAD_OPTION,
        ),
    ],
)
def test_options(kind: str, options: list[Json], answer: Json, issues: list[tuple[str, str, str]]) -> None:
    assert one(kind, answer, answerOption=options) == issues


def test_an_exclusive_option_stands_alone() -> None:
    assert one("choice", NONE, answerOption=OPTIONS, repeats=True) == []
    assert one("choice", RED, NONE, answerOption=OPTIONS, repeats=True) == [
        ("error", "exclusive-option", ".item[0].answer[1]")
    ]


VALUE_SET = {
    "resourceType": "ValueSet",
    "id": "colours",
    "url": "https://example.org/vs",
    "status": "active",
    "compose": {"include": [{"system": COLOURS, "concept": [{"code": "red"}, {"code": "blue"}]}]},
}


def test_value_sets_held_contained_and_not_held() -> None:
    held = Terminology({"https://example.org/vs": VALUE_SET}.get)
    outer = form(item("q", "choice", answerValueSet="https://example.org/vs"))
    inner = form(item("q", "choice", answerValueSet="#colours"), contained=[VALUE_SET])
    good, bad = (response(answered("q", {"valueCoding": coding(code)})) for code in ("red", "green"))
    assert found(outer, good, held) == []
    assert found(outer, bad, held) == BAD_OPTION
    assert found(inner, good, held) == []
    assert found(inner, bad, held) == BAD_OPTION
    assert found(outer, good) == [("warning", "value-set-unchecked", ".item[0].answer[0]")]
    assert found(inner, bad) == BAD_OPTION
    boxed = {**inner, "id": "form"}
    del boxed["contained"], boxed["url"]
    whole = {**bad, "questionnaire": "#form", "contained": [boxed, VALUE_SET]}
    assert found(boxed, whole) == BAD_OPTION
    (issue,) = responses.check(bad, outer, terminology=held)
    assert issue.message == "'green' is not in the value set of q, https://example.org/vs; codes: red, blue"


def limit(name: str, **value: Any) -> Json:
    return {"extension": [extension(name, **value)]}


@pytest.mark.parametrize(
    ("kind", "limits", "good", "bad", "key"),
    [
        (
            "integer",
            limit("core:minValue", valueInteger=1),
            {"valueInteger": 1},
            {"valueInteger": 0},
            "min-value",
        ),
        (
            "integer",
            limit("core:maxValue", valueInteger=9),
            {"valueInteger": 9},
            {"valueInteger": 10},
            "max-value",
        ),
        (
            "decimal",
            limit("core:maxValue", valueDecimal=Decimal("9.5")),
            {"valueDecimal": Decimal("9.50")},
            {"valueDecimal": Decimal("9.51")},
            "max-value",
        ),
        (
            "date",
            limit("core:minValue", valueDate="2026-05-01"),
            {"valueDate": "2026-05"},
            {"valueDate": "2026-04"},
            "min-value",
        ),
        (
            "dateTime",
            limit("core:maxValue", valueDateTime="2026-05-01T10:00:00Z"),
            {"valueDateTime": "2026-05-01T11:00:00+01:00"},
            {"valueDateTime": "2026-05-01T11:00:00Z"},
            "max-value",
        ),
        (
            "time",
            limit("core:minValue", valueTime="08:00:00"),
            {"valueTime": "08:00:00"},
            {"valueTime": "07:59:59"},
            "min-value",
        ),
        (
            "decimal",
            limit("core:maxDecimalPlaces", valueInteger=1),
            {"valueDecimal": Decimal("6.3")},
            {"valueDecimal": Decimal("6.30")},
            "decimal-places",
        ),
        ("string", {"maxLength": 3}, {"valueString": "abc"}, {"valueString": "abcd"}, "max-length"),
        ("text", {"maxLength": 3}, {"valueString": "abc"}, {"valueString": "abcd"}, "max-length"),
        (
            "string",
            limit("core:minLength", valueInteger=2),
            {"valueString": "ab"},
            {"valueString": "a"},
            "min-length",
        ),
        (
            "string",
            limit("core:regex", valueString="[0-9]+"),
            {"valueString": "12"},
            {"valueString": "12a"},
            "regex",
        ),
        (
            "reference",
            limit("core:questionnaire-referenceResource", valueCode="Device"),
            {"valueReference": {"reference": "Device/1"}},
            {"valueReference": {"reference": "Patient/1"}},
            "reference-type",
        ),
        (
            "reference",
            limit(
                "core:questionnaire-referenceProfile",
                valueCanonical="http://hl7.org/fhir/StructureDefinition/Device",
            ),
            {"valueReference": {"reference": "Device/1"}},
            {"valueReference": {"reference": "Patient/1"}},
            "reference-type",
        ),
        (
            "attachment",
            limit("core:maxSize", valueDecimal=Decimal(3)),
            {"valueAttachment": {"data": "YWJj"}},
            {"valueAttachment": {"data": "YWJjZA=="}},
            "max-size",
        ),
        (
            "quantity",
            limit("sdc:maxQuantity", valueQuantity={"value": 1, "system": UCUM, "code": "g"}),
            quantity("1000", "mg"),
            quantity("1001", "mg"),
            "max-value",
        ),
        (
            "quantity",
            limit("sdc:minQuantity", valueQuantity={"value": 1, "system": UCUM, "code": "g"}),
            quantity("1", "g"),
            quantity("0.9", "g"),
            "min-value",
        ),
        (
            "quantity",
            limit("sdc:minQuantity", valueQuantity={"value": 1, "system": UCUM, "code": "g"}),
            quantity("1", "kg"),
            quantity("5", "cm"),
            "min-value",
        ),
        (
            "quantity",
            limit("core:questionnaire-unitOption", valueCoding={"system": UCUM, "code": "mg"}),
            quantity("1", "mg"),
            quantity("1", "g"),
            "unit",
        ),
    ],
)
def test_limits(kind: str, limits: Json, good: Json, bad: Json, key: str) -> None:
    assert one(kind, good, **limits) == []
    ((severity, broken, place),) = one(kind, bad, **limits)
    assert (severity, broken) == ("error", key)
    assert place.startswith(".item[0].answer[0]")


@pytest.mark.parametrize(
    ("content", "issues"),
    [
        ({"contentType": "image/png"}, []),
        ({"contentType": "image/png; q=1"}, []),
        (
            {"contentType": "application/pdf"},
            [("error", "mime-type", ".item[0].answer[0].value.contentType")],
        ),
        ({"url": "https://example.org/a"}, [("error", "mime-type", ".item[0].answer[0].value")]),
    ],
)
def test_mime_types(content: Json, issues: list[tuple[str, str, str]]) -> None:
    limits = [extension("core:mimeType", valueCode=code) for code in ("image/png", "image/jpeg")]
    assert one("attachment", {"valueAttachment": content}, extension=limits) == issues


@pytest.mark.parametrize(
    ("open_to", "unit", "good"),
    [
        (None, {"system": UCUM, "code": "mg"}, True),
        (None, {"system": UCUM, "code": "g"}, False),
        ("optionsOnly", {"system": UCUM, "code": "g"}, False),
        ("optionsOrType", {"system": UCUM, "code": "g"}, True),
        ("optionsOrType", {"unit": "spoons"}, False),
        ("optionsOrString", {"unit": "spoons"}, True),
        ("optionsOrString", {"system": UCUM, "code": "g", "unit": "g"}, False),
    ],
)
def test_units_off_the_list(open_to: str | None, unit: Json, good: bool) -> None:
    limits = [extension("core:questionnaire-unitOption", valueCoding={"system": UCUM, "code": "mg"})]
    if open_to:
        limits.append(extension("sdc:unitOpen", valueCode=open_to))
    issues = one("quantity", {"valueQuantity": {"value": 1, **unit}}, extension=limits)
    assert issues == ([] if good else [("error", "unit", ".item[0].answer[0].value")])


def test_line_breaks_in_a_one_line_question_are_a_warning() -> None:
    assert one("string", {"valueString": "a\nb"}) == [("warning", "line-break", ".item[0].answer[0]")]


def test_texts_stay_out_of_the_messages() -> None:
    secret = "Ada Lovelace"
    shown = [
        issue.message
        for issue in responses.check(
            response(answered("q", {"valueString": secret})),
            form(item("q", "string", maxLength=3, **limit("core:regex", valueString="x+"))),
        )
    ]
    assert len(shown) == 2
    assert not any(secret[:4] in message for message in shown)


TREE = form(
    item("g", "group", item("g.a", "integer"), item("g.b", "integer"), required=True),
    item("q", "boolean", item("q.why", "string")),
    item("r", "integer", repeats=True, extension=[extension("core:questionnaire-maxOccurs", valueInteger=2)]),
    item("many", "group", item("many.x", "integer"), repeats=True),
    item("shown", "display", text="Read this"),
)
A, B = answered("g.a", {"valueInteger": 1}), answered("g.b", {"valueInteger": 2})
G = group("g", A, B)


@pytest.mark.parametrize(
    ("items", "issues"),
    [
        ([G], []),
        ([group("g", B, A)], [("error", "item-order", ".item[0].item[1]")]),
        ([answered("q", {"valueBoolean": True}), G], [("error", "item-order", ".item[1]")]),
        ([G, A], [("error", "misplaced-item", ".item[1]")]),
        ([G, answered("zz", {"valueInteger": 1})], [("error", "unknown-item", ".item[1]")]),
        ([G, {"answer": [{"valueInteger": 1}]}], [("error", "no-link-id", ".item[1]")]),
        ([group("g", A, A)], [("error", "excess-items", ".item[0].item[1]")]),
        ([G, G], [("error", "excess-items", ".item[1]")]),
        (
            [group("g", answered("g.a", {"valueInteger": 1}, {"valueInteger": 2}))],
            [("error", "excess-answers", ".item[0].item[0]")],
        ),
        (
            [{"linkId": "g", "answer": [{"valueInteger": 1}], "item": [A]}],
            [("error", "group-answer", ".item[0].answer[0]")],
        ),
        ([{"linkId": "g"}], [("error", "required", ".item[0]")]),
        ([], [("error", "required", "")]),
        ([G, answered("q", {"valueBoolean": True, "item": [answered("q.why", {"valueString": "x"})]})], []),
        (
            [
                G,
                {
                    "linkId": "q",
                    "answer": [{"valueBoolean": True}],
                    "item": [answered("q.why", {"valueString": "x"})],
                },
            ],
            [("error", "items-outside-answer", ".item[1].item[0]")],
        ),
        ([G, answered("r", {"valueInteger": 1}, {"valueInteger": 2})], []),
        ([G, answered("r", *[{"valueInteger": n} for n in range(3)])], [("error", "max-occurs", ".item[1]")]),
        (
            [G, answered("r", {"valueInteger": 1}), answered("r", {"valueInteger": 2})],
            [("warning", "split-answers", ".item[2]")],
        ),
        (
            [
                G,
                group("many", answered("many.x", {"valueInteger": 1})),
                group("many", answered("many.x", {"valueInteger": 2})),
            ],
            [],
        ),
        ([G, {"linkId": "shown"}], []),
        ([G, answered("shown", {"valueString": "x"})], [("error", "display-answer", ".item[1].answer[0]")]),
        ([G, group("shown", A)], [("error", "display-items", ".item[1].item[0]")]),
        ([G, {"linkId": "shown", "text": "Read this"}], []),
        ([G, {"linkId": "shown", "text": "Read that"}], [("error", "item-text", ".item[1].text")]),
    ],
)
def test_structure(items: list[Json], issues: list[tuple[str, str, str]]) -> None:
    assert found(TREE, response(*items)) == issues


def test_a_misplaced_item_is_told_where_it_belongs() -> None:
    (issue,) = responses.check(response(G, A), TREE)
    assert issue.message == "g.a is in the wrong place; it belongs in g"


def test_a_mistyped_link_is_told_the_nearest() -> None:
    (issue,) = responses.check(response(G, answered("mani", {"valueInteger": 1})), TREE)
    assert issue.message == "'mani' is no linkId of https://example.org/form; did you mean many?"


@pytest.mark.parametrize(
    ("status", "severity"),
    [
        ("completed", "error"),
        ("amended", "error"),
        ("in-progress", "warning"),
        ("stopped", "warning"),
        ("entered-in-error", "warning"),
    ],
)
def test_what_is_lacking_depends_on_the_status(status: str, severity: str) -> None:
    asked = form(
        item("q", "string", required=True),
        item(
            "n",
            "integer",
            required=True,
            repeats=True,
            extension=[extension("core:questionnaire-minOccurs", valueInteger=2)],
        ),
        extension=[constraint("c-1", "item.where(linkId='n').answer.value > 9")],
    )
    assert found(asked, response(answered("n", {"valueInteger": 1}), status=status)) == [
        (severity, "required", ""),
        (severity, "min-occurs", ".item[0]"),
        (severity, "c-1", ""),
    ]


CONDITIONAL = form(
    item("q", "boolean"),
    item("t", "string", required=True, enableWhen=[when("q", "=", answerBoolean=True)]),
)


def test_required_only_where_enabled_and_answered_only_where_enabled() -> None:
    yes, no = (answered("q", {"valueBoolean": value}) for value in (True, False))
    told = answered("t", {"valueString": "x"})
    assert found(CONDITIONAL, response(yes, told)) == []
    assert found(CONDITIONAL, response(no)) == []
    assert found(CONDITIONAL, response(yes)) == [("error", "required", "")]
    assert found(CONDITIONAL, response(no, told)) == [("error", "not-enabled", ".item[1]")]
    assert found(CONDITIONAL, response(no, told, status="in-progress")) == [
        ("error", "not-enabled", ".item[1]")
    ]
    assert found(CONDITIONAL, response(no, {"linkId": "t"})) == []


def test_enablement_that_cannot_be_told_is_said_and_refuses_nothing() -> None:
    rule = extension("sdc:enableWhenExpression", valueExpression={"language": "text/cql", "expression": "X"})
    asked = form(item("t", "string", required=True, extension=[rule]))
    assert found(asked, response()) == [("warning", "enablement-unknown", "")]
    assert found(asked, response(answered("t", {"valueString": "x"}))) == [
        ("warning", "enablement-unknown", ".item[0]")
    ]


@pytest.mark.parametrize("old", [True, False])
def test_constraints_on_the_form_and_on_items(old: bool) -> None:
    asked = form(
        item("low", "integer"),
        item("high", "integer", extension=[constraint("c-2", "answer.value >= 0", old=old)]),
        extension=[
            constraint(
                "c-1",
                "item.where(linkId='low').answer.value <= item.where(linkId='high').answer.value",
                old=old,
            )
        ],
    )

    def given(low: int, high: int) -> list[tuple[str, str, str]]:
        return found(
            asked, response(answered("low", {"valueInteger": low}), answered("high", {"valueInteger": high}))
        )

    assert given(1, 2) == []
    assert given(3, 2) == [("error", "c-1", "")]
    assert given(-3, -2) == [("error", "c-2", ".item[1]")]


def test_a_constraint_that_cannot_be_evaluated_is_said_to_be_unchecked() -> None:
    asked = form(item("q", "integer"), extension=[constraint("c-1", "item.nonsense(")])
    assert found(asked, response()) == [("warning", "constraint-unchecked", "")]


def test_a_warning_constraint_warns() -> None:
    asked = form(item("q", "integer"), extension=[constraint("c-1", "false", severity="warning")])
    assert found(asked, response()) == [("warning", "c-1", "")]


def test_the_clock_of_constraints_is_the_authored_time() -> None:
    asked = form(item("q", "date"), extension=[constraint("c-1", "today() = @2026-03-04")])
    assert found(asked, response(authored="2026-03-04T10:00:00Z")) == []
    assert found(asked, response(authored="2026-03-05T10:00:00Z")) == [("error", "c-1", "")]
    assert found(asked, response(authored="2026-03-04")) == []
    moment = datetime(2026, 3, 4, 12, tzinfo=UTC)
    assert list(responses.check(response(), asked, now=moment)) == []
    assert [issue.key for issue in responses.check(response(authored="2026-03-05"), asked, now=moment)] == [
        "c-1"
    ]


@pytest.mark.parametrize(
    ("more", "issues"),
    [
        ({}, []),
        ({"questionnaire": "https://example.org/form"}, []),
        ({"questionnaire": "https://example.org/form|2"}, [("error", "other-version", ".questionnaire")]),
        ({"questionnaire": "https://example.org/other|1"}, [("error", "other-form", ".questionnaire")]),
        ({"subject": {"reference": "Patient/1"}}, []),
        ({"subject": {"reference": "Device/1"}}, [("warning", "subject-type", ".subject")]),
        ({"authored": "2026-06-01"}, []),
        ({"authored": "2025-12-31"}, [("warning", "effective-period", ".authored")]),
        ({"authored": "2027-01-01"}, [("warning", "effective-period", ".authored")]),
    ],
)
def test_the_header(more: Json, issues: list[tuple[str, str, str]]) -> None:
    asked = form(
        item("q", "integer"),
        subjectType=["Patient"],
        effectivePeriod={"start": "2026-01-01", "end": "2026-12-31"},
    )
    assert found(asked, response(**more)) == issues


def test_a_text_may_be_a_translation_of_the_forms() -> None:
    sibling = {
        "extension": [
            extension(
                "core:translation",
                extension=[{"url": "lang", "valueCode": "cy"}, {"url": "content", "valueString": "Poen"}],
            )
        ]
    }
    asked = form(item("q", "integer", text="Pain", _text=sibling))
    assert found(asked, response({**answered("q", {"valueInteger": 1}), "text": "Poen"})) == []


def test_a_dynamic_text_is_not_compared() -> None:
    sibling = {"extension": [extension("core:cqf-expression", valueExpression=fhirpath("'x'"))]}
    asked = form(item("q", "integer", text="Pain", _text=sibling))
    assert found(asked, response({**answered("q", {"valueInteger": 1}), "text": "x"})) == []


def test_items_too_deep_to_be_read_are_said() -> None:
    nested: Json = group("g")
    for _ in range(100):
        nested = group("g", nested)
    keys = {key for _, key, _ in found(form(item("g", "group", item("x", "string"))), response(nested))}
    assert "depth" in keys


def toggle(expression: str, *options: Json) -> Json:
    parts = [{"url": "option", **option} for option in options]
    return extension(
        "sdc:answerOptionsToggleExpression",
        extension=[*parts, {"url": "expression", "valueExpression": fhirpath(expression)}],
    )


@pytest.mark.parametrize(
    ("expression", "answer", "issues"),
    [
        ("item.where(linkId='n').answer.value > 3", BLUE, [("error", "option-off", ".item[1].answer[0]")]),
        ("item.where(linkId='n').answer.value > 3", RED, []),
        ("item.where(linkId='n').answer.value > 2", BLUE, []),
        ("item.where(linkId='none').answer.value > 2", BLUE, [("error", "option-off", ".item[1].answer[0]")]),
        ("item.answer.value", BLUE, [("warning", "option-unknown", ".item[1].answer[0]")]),
    ],
)
def test_options_that_other_answers_switch_off(
    expression: str, answer: Json, issues: list[tuple[str, str, str]]
) -> None:
    asked = form(
        item("n", "integer"),
        item("q", "choice", answerOption=[RED, BLUE], extension=[toggle(expression, BLUE)]),
    )
    assert found(asked, response(answered("n", {"valueInteger": 3}), answered("q", answer))) == issues


def test_hints_stop_where_issues_abound() -> None:
    asked = form(item("pain", "integer"))
    issues = list(responses.check(response(*[{"linkId": f"pain{number}"} for number in range(30)]), asked))
    assert [issue.message.endswith("did you mean pain?") for issue in issues] == [True] * 20 + [False] * 10
