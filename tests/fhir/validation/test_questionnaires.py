"""Forms that work and forms that do not: one fault each, and what is said of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from service.fhir.concepts import Terminology
from service.fhir.validation import questionnaires
from tests.fhir.forms.samples import (
    coding,
    constraint,
    extension,
    fhirpath,
    form,
    item,
    when,
)

Json = dict[str, Any]
VALUE_SET = {
    "resourceType": "ValueSet",
    "id": "vs",
    "url": "https://example.org/vs",
    "status": "active",
    "compose": {"include": [{"system": "https://example.org/colours", "concept": [{"code": "red"}]}]},
}


def found(questionnaire: Json, *held: Json) -> list[tuple[str, str, str]]:
    """Severity, key and place of each issue."""
    resolve = {resource["url"]: resource for resource in held}.get
    issues = questionnaires.check(questionnaire, resolve=resolve)
    return [
        (issue.severity.value, issue.key, issue.expression.removeprefix("Questionnaire")) for issue in issues
    ]


def one(kind: str, **more: Any) -> list[tuple[str, str, str]]:
    """The issues of a form of one item."""
    return found(form(item("q", kind, **more)))


RED, BLUE = {"valueCoding": coding("red")}, {"valueCoding": coding("blue")}


def test_a_form_that_works_has_no_issues() -> None:
    patient = extension(
        "sdc:launchContext",
        extension=[
            {"url": "name", "valueCoding": {"code": "patient"}},
            {"url": "type", "valueCode": "Patient"},
        ],
    )
    assert (
        found(
            form(
                item("c", "choice", answerOption=[RED, BLUE]),
                item("d", "open-choice", answerValueSet="#vs", initial=[{"valueString": "mauve"}]),
                item(
                    "n",
                    "integer",
                    extension=[extension("core:minValue", valueInteger=0)],
                    initial=[{"valueInteger": 1}],
                ),
                item(
                    "g",
                    "group",
                    item("g.a", "string", enableWhen=[when("c", "=", answerCoding=coding("red"))]),
                    item(
                        "g.b",
                        "date",
                        extension=[
                            extension("sdc:initialExpression", valueExpression=fhirpath("%patient.birthDate"))
                        ],
                    ),
                    item("g.c", "display", enableWhen=[when("n", ">", answerDecimal=Decimal("0.5"))]),
                ),
                contained=[VALUE_SET],
                extension=[
                    patient,
                    extension("core:variable", valueExpression=fhirpath("%patient.gender", name="gender")),
                    constraint("c-1", "item.where(linkId='n').answer.value > 0"),
                ],
            )
        )
        == []
    )


def test_link_ids_are_unique_across_the_tree() -> None:
    assert found(form(item("x", "string"), item("g", "group", item("x", "string")))) == [
        ("error", "que-2", ".item[1].item[0].linkId")
    ]


@pytest.mark.parametrize(
    ("condition", "issues"),
    [
        (when("c", "exists", answerBoolean=True), []),
        (when("c", "=", answerCoding=coding("red")), []),
        (when("c", "=", answerCoding={"code": "red"}), []),
        (when("c", "=", answerCoding=coding("green")), [("warning", "enable-when-option", ".answer")]),
        (when("c", "=", answerString="red"), [("warning", "enable-when-type", ".answer")]),
        (when("c", ">", answerCoding=coding("red")), [("error", "enable-when-operator", ".operator")]),
        (when("b", "=", answerBoolean=True), []),
        (when("b", "=", answerInteger=1), [("error", "enable-when-type", ".answer")]),
        (when("b", ">", answerBoolean=True), [("error", "enable-when-operator", ".operator")]),
        (when("n", ">", answerDecimal=Decimal("1.5")), []),
        (when("u", "=", answerString="https://example.org"), []),
        (when("zz", "exists", answerBoolean=True), [("error", "enable-when-question", ".question")]),
        (when("t", "exists", answerBoolean=True), [("error", "enable-when-self", ".question")]),
        (when("t.in", "exists", answerBoolean=True), [("error", "enable-when-inner", ".question")]),
        (when("g", "exists", answerBoolean=True), [("error", "enable-when-question", ".question")]),
        (when("late", "exists", answerBoolean=True), [("warning", "enable-when-order", ".question")]),
    ],
)
def test_conditions(condition: Json, issues: list[tuple[str, str, str]]) -> None:
    asked = form(
        item("c", "choice", answerOption=[RED, BLUE]),
        item("b", "boolean"),
        item("n", "integer"),
        item("u", "url"),
        item("g", "group", item("g.x", "string")),
        item("t", "string", item("t.in", "string"), enableWhen=[condition]),
        item("late", "boolean"),
    )
    at = ".item[5].enableWhen[0]"
    assert found(asked) == [(severity, key, at + place) for severity, key, place in issues]


def test_a_condition_on_the_question_that_holds_the_item_is_fine() -> None:
    inner = item("q.why", "string", enableWhen=[when("q", "=", answerBoolean=True)])
    assert found(form(item("q", "boolean", inner))) == []


@pytest.mark.parametrize(
    ("kind", "option", "fits"),
    [
        ("choice", RED, True),
        ("choice", {"valueString": "a"}, True),
        ("choice", {"valueReference": {"reference": "Device/1"}}, False),
        ("string", {"valueString": "a"}, True),
        ("string", RED, False),
        ("integer", {"valueInteger": 1}, True),
        ("integer", {"valueString": "1"}, False),
        ("date", {"valueDate": "2026-01-01"}, True),
        ("time", {"valueDate": "2026-01-01"}, False),
        ("reference", {"valueReference": {"reference": "Device/1"}}, True),
    ],
)
def test_options_fit_the_type(kind: str, option: Json, fits: bool) -> None:
    severity = "warning" if kind == "choice" else "error"
    assert one(kind, answerOption=[option]) == (
        [] if fits else [(severity, "option-type", ".item[0].answerOption[0]")]
    )


def test_options_differ() -> None:
    assert one("choice", answerOption=[RED, BLUE, RED]) == [
        ("warning", "option-unique", ".item[0].answerOption[2]")
    ]


def test_a_choice_offers_something() -> None:
    assert one("choice") == [("warning", "no-options", ".item[0]")]


def test_only_as_many_options_are_selected_at_first_as_may_be() -> None:
    options = [{**RED, "initialSelected": True}, {**BLUE, "initialSelected": True}]
    assert one("choice", answerOption=options) == [("warning", "initial-selected", ".item[0]")]
    assert one("choice", answerOption=options, repeats=True) == []


def test_value_sets_are_held() -> None:
    outer = form(item("q", "choice", answerValueSet="https://example.org/vs"))
    assert found(outer, VALUE_SET) == []
    assert found(outer) == [("warning", "value-set", ".item[0].answerValueSet")]
    assert one("choice", answerValueSet="#none") == [("error", "value-set", ".item[0].answerValueSet")]


@pytest.mark.parametrize(
    ("kind", "initial", "more", "key"),
    [
        ("integer", {"valueInteger": 1}, {}, None),
        ("integer", {"valueString": "1"}, {}, "initial-type"),
        (
            "integer",
            {"valueInteger": -1},
            {"extension": [extension("core:minValue", valueInteger=0)]},
            "initial-bounds",
        ),
        ("quantity", {"valueQuantity": {"unit": "mg"}}, {}, None),
        ("choice", RED, {"answerValueSet": "https://example.org/vs"}, None),
        ("choice", BLUE, {"answerValueSet": "https://example.org/vs"}, "initial-option"),
    ],
)
def test_initial_values(kind: str, initial: Json, more: Json, key: str | None) -> None:
    issues = found(form(item("q", kind, initial=[initial], **more)), VALUE_SET)
    assert issues == ([] if key is None else [("error", key, ".item[0].initial[0]")])


@pytest.mark.parametrize("name", ["initialExpression", "calculatedExpression"])
def test_an_initial_value_and_an_expression_for_it_exclude_each_other(name: str) -> None:
    rule = extension(f"sdc:{name}", valueExpression=fhirpath("1"))
    assert one("integer", initial=[{"valueInteger": 1}], extension=[rule]) == [
        ("error", "initial-twice", ".item[0]")
    ]


@pytest.mark.parametrize(
    ("kind", "extensions", "more", "issues"),
    [
        (
            "integer",
            [extension("core:minValue", valueInteger=0), extension("core:maxValue", valueInteger=9)],
            {},
            [],
        ),
        (
            "integer",
            [extension("core:minValue", valueInteger=9), extension("core:maxValue", valueInteger=0)],
            {},
            [("error", "limit-order", ".item[0]")],
        ),
        ("date", [extension("core:minValue", valueInteger=1)], {}, [("error", "limit-type", ".item[0]")]),
        (
            "string",
            [extension("core:minValue", valueInteger=1)],
            {},
            [("warning", "limit-type", ".item[0].extension[0]")],
        ),
        (
            "string",
            [extension("core:minLength", valueInteger=5)],
            {"maxLength": 4},
            [("error", "limit-order", ".item[0]")],
        ),
        (
            "string",
            [extension("core:questionnaire-maxOccurs", valueInteger=3)],
            {},
            [("error", "limit-repeats", ".item[0]")],
        ),
        ("string", [extension("core:questionnaire-maxOccurs", valueInteger=3)], {"repeats": True}, []),
        ("string", [extension("core:regex", valueString="[")], {}, [("error", "regex", ".item[0]")]),
        ("string", [extension("core:regex", valueString="(?=a)a")], {}, [("warning", "regex", ".item[0]")]),
        (
            "string",
            [extension("core:maxSize", valueDecimal=1)],
            {},
            [("warning", "limit-type", ".item[0].extension[0]")],
        ),
        (
            "reference",
            [extension("core:questionnaire-referenceResource", valueCode="Patent")],
            {},
            [("error", "reference-type", ".item[0]")],
        ),
        (
            "string",
            [extension("sdc:isSubject", valueBoolean=True)],
            {},
            [("error", "is-subject", ".item[0]")],
        ),
    ],
)
def test_limits(kind: str, extensions: list[Json], more: Json, issues: list[tuple[str, str, str]]) -> None:
    assert one(kind, extension=extensions, **more) == issues


AT = ".item[0].extension[0].value"


@pytest.mark.parametrize(
    ("rule", "issues"),
    [
        (extension("sdc:calculatedExpression", valueExpression=fhirpath("%resource.item.answer.value")), []),
        (
            extension(
                "sdc:calculatedExpression", valueExpression=fhirpath("%qitem.text & %questionnaire.title")
            ),
            [],
        ),
        (extension("sdc:calculatedExpression", valueExpression=fhirpath("answer.value + 1")), []),
        (
            extension("sdc:calculatedExpression", valueExpression=fhirpath("1 +")),
            [("error", "expression", AT)],
        ),
        (
            extension("sdc:calculatedExpression", valueExpression=fhirpath("%nobody.name")),
            [("error", "expression", AT)],
        ),
        (
            extension("sdc:calculatedExpression", valueExpression=fhirpath("answr.value")),
            [("warning", "expression", AT)],
        ),
        (
            extension(
                "sdc:calculatedExpression", valueExpression={"language": "text/cql", "expression": "1 +"}
            ),
            [],
        ),
        (
            extension(
                "sdc:enableWhenExpression", valueExpression=fhirpath("item.where(linkId='a').exists()")
            ),
            [],
        ),
        (
            extension(
                "sdc:enableWhenExpression",
                valueExpression={"language": "application/x-fhir-query", "expression": "Patient"},
            ),
            [("error", "expression-language", AT)],
        ),
        (extension("core:variable", valueExpression=fhirpath("1")), [("error", "variable-name", AT)]),
        (
            extension("core:variable", valueExpression=fhirpath("1", name="qitem")),
            [("error", "variable-name", AT)],
        ),
        (
            extension("core:variable", valueExpression=fhirpath("1", name="a-b")),
            [("error", "variable-name", AT)],
        ),
        (
            constraint("c-1", "answer.value ="),
            [("error", "expression", ".item[0].extension[0].extension[3].value")],
        ),
        (
            constraint("c-1", "answer.value =", old=True),
            [("error", "expression", ".item[0].extension[0].extension[3].value")],
        ),
    ],
)
def test_expressions(rule: Json, issues: list[tuple[str, str, str]]) -> None:
    assert one("integer", extension=[rule]) == issues


def test_expressions_on_primitives_are_compiled() -> None:
    text = {"extension": [extension("core:cqf-expression", valueExpression=fhirpath("'a' &"))]}
    assert one("integer", text="x", _text=text) == [
        ("error", "expression", ".item[0].text.extension[0].value")
    ]


def test_names_hold_together() -> None:
    def named(*names: str) -> list[Json]:
        return [extension("core:variable", valueExpression=fhirpath("1", name=name)) for name in names]

    assert found(form(item("q", "integer"), extension=named("a", "b"))) == []
    assert found(form(item("q", "integer"), extension=named("a", "a"))) == [
        ("error", "variable-name", ".extension[1].value")
    ]
    assert found(form(item("q", "integer", extension=named("a")), extension=named("a"))) == [
        ("warning", "variable-name", ".item[0].extension[0].value")
    ]


def test_enable_when_and_its_expression_exclude_each_other() -> None:
    rule = extension("sdc:enableWhenExpression", valueExpression=fhirpath("true"))
    asked = form(
        item("q", "boolean"),
        item("t", "string", enableWhen=[when("q", "=", answerBoolean=True)], extension=[rule]),
    )
    assert found(asked) == [("error", "enable-twice", ".item[1]")]


def template(**parts: Json) -> Json:
    return extension(
        "sdc:templateExtract", extension=[{"url": name, **value} for name, value in parts.items()]
    )


def observation(expression: str, **context: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": "obs",
        **({"extension": [extension("sdc:templateExtractContext", **context)]} if context else {}),
        "_effectiveDateTime": {"extension": [extension("sdc:templateExtractValue", valueString=expression)]},
    }


OBS = {"valueReference": {"reference": "#obs"}}


@pytest.mark.parametrize(
    ("contained", "extensions", "issues"),
    [
        ([observation("%resource.authored")], [template(template=OBS)], []),
        (
            [observation("%obsId")],
            [
                extension("sdc:extractAllocateId", valueString="obsId"),
                template(template=OBS, fullUrl={"valueString": "%obsId"}),
            ],
            [],
        ),
        (
            [observation("%one.value", valueExpression=fhirpath("item.answer", name="one"))],
            [template(template=OBS)],
            [],
        ),
        ([], [template(template=OBS)], [("error", "template", ".extension[0]")]),
        (
            [observation("now()")],
            [template(fullUrl={"valueString": "'x'"})],
            [
                ("error", "template", ".extension[0]"),
                ("warning", "template-unused", ".contained[0]"),
            ],
        ),
        (
            [observation("%patient.id")],
            [template(template=OBS)],
            [("error", "expression", ".contained[0].effectiveDateTime.extension[0].value")],
        ),
        (
            [observation("item.where(")],
            [template(template=OBS)],
            [("error", "expression", ".contained[0].effectiveDateTime.extension[0].value")],
        ),
        (
            [observation("1")],
            [template(template=OBS, fullUrl={"valueString": "%none"})],
            [("error", "expression", ".extension[0].extension[1].value")],
        ),
        ([observation("1")], [], [("warning", "template-unused", ".contained[0]")]),
        (
            [observation("1")],
            [extension("sdc:templateExtractBundle", valueReference={"reference": "#obs"})],
            [("error", "template-bundle", ".extension[0]")],
        ),
        (
            [],
            [extension("sdc:extractAllocateId", valueString="an id")],
            [("error", "allocate-id", "")],
        ),
    ],
)
def test_templates(contained: list[Json], extensions: list[Json], issues: list[tuple[str, str, str]]) -> None:
    assert found(form(item("q", "string"), contained=contained, extension=extensions)) == issues


def test_allocated_ids_reach_the_items_below() -> None:
    use = template(template=OBS, fullUrl={"valueString": "%groupId"})
    inner = item("g", "group", item("g.q", "string", extension=[use]))
    allocate = extension("sdc:extractAllocateId", valueString="groupId")
    contained = [observation("1")]
    assert found(form({**inner, "extension": [allocate]}, contained=contained)) == []
    assert found(form(inner, contained=contained)) == [
        ("error", "expression", ".item[0].item[0].extension[0].extension[1].value")
    ]


BASE = "http://hl7.org/fhir/StructureDefinition/"


@pytest.mark.parametrize(
    ("definition", "severity"),
    [
        (f"{BASE}Patient#Patient.name.given", None),
        (f"{BASE}Patient#Patient.name:official.given", None),
        (f"{BASE}Observation#Observation.value[x]", None),
        (f"{BASE}Observation#Observation.valueQuantity.value", None),
        (f"{BASE}Observation#Observation.component.code", None),
        (f"{BASE}Patient", None),
        (f"{BASE}Patient#Patient.nam", "error"),
        (f"{BASE}Patient#Person.name", "error"),
        ("https://example.org/profile#Patient.name", "warning"),
        ("Patient.name", "error"),
    ],
)
def test_definitions(definition: str, severity: str | None) -> None:
    extract = extension(
        "sdc:definitionExtract", extension=[{"url": "definition", "valueCanonical": f"{BASE}Patient"}]
    )
    followed = found(form(item("q", "string", definition=definition), extension=[extract]))
    assert followed == ([] if severity is None else [(severity, "definition", ".item[0].definition")])
    unfollowed = one("string", definition=definition)
    assert unfollowed == ([] if severity is None else [("warning", "definition", ".item[0].definition")])


@pytest.mark.parametrize(
    ("parts", "keys"),
    [
        (
            {
                "definition": {"valueUri": f"{BASE}Patient#Patient.active"},
                "fixed-value": {"valueBoolean": True},
            },
            [],
        ),
        (
            {
                "definition": {"valueUri": f"{BASE}Patient#Patient.active"},
                "expression": {"valueExpression": fhirpath("true")},
            },
            [],
        ),
        ({"definition": {"valueUri": f"{BASE}Patient#Patient.active"}}, ["definition-value"]),
        (
            {"definition": {"valueUri": f"{BASE}Patient"}, "fixed-value": {"valueBoolean": True}},
            ["definition"],
        ),
        ({"fixed-value": {"valueBoolean": True}}, ["definition"]),
        (
            {
                "definition": {"valueUri": f"{BASE}Patient#Patient.active"},
                "expression": {"valueExpression": fhirpath("%x")},
            },
            ["expression"],
        ),
    ],
)
def test_definition_values(parts: dict[str, Json], keys: list[str]) -> None:
    value = extension(
        "sdc:definitionExtractValue", extension=[{"url": name, **part} for name, part in parts.items()]
    )
    assert [key for _, key, _ in one("string", extension=[value])] == keys


def test_what_becomes_an_observation_has_a_code() -> None:
    flag = extension("sdc:observationExtract", valueBoolean=True)
    assert one("integer", extension=[flag], code=[coding("pain")]) == []
    assert one("integer", extension=[flag]) == [("warning", "observation-code", ".item[0].extension[0]")]


PARENT = {
    **form(item("a", "integer", required=True), item("b", "string", maxLength=5)),
    "url": "https://example.org/parent",
}


def derived(code: str | None, *items: Json) -> Json:
    kind = {"valueCoding": {"code": code}}
    sibling = {"extension": [extension("core:questionnaire-derivationType", **kind)]} if code else None
    return form(*items, derivedFrom=["https://example.org/parent"], _derivedFrom=[sibling])


@pytest.mark.parametrize(
    ("questionnaire", "issues"),
    [
        (derived("extends", item("a", "integer"), item("new", "string")), []),
        (derived("compliesWith", item("new", "string")), [("error", "derived-item", ".item[0]")]),
        (derived("extends", item("a", "decimal")), [("error", "derived-item", ".item[0].type")]),
        (
            derived("extends", item("a", "integer", repeats=True)),
            [("error", "derived-item", ".item[0].repeats")],
        ),
        (
            derived("extends", item("a", "integer", required=False)),
            [("error", "derived-item", ".item[0].required")],
        ),
        (derived("extends", item("b", "string")), [("error", "derived-item", ".item[0]")]),
        (derived("inspiredBy", item("a", "decimal")), []),
        (derived(None, item("a", "decimal")), [("warning", "derivation-type", ".derivedFrom[0]")]),
    ],
)
def test_derivation(questionnaire: Json, issues: list[tuple[str, str, str]]) -> None:
    assert found(questionnaire, PARENT) == issues


def test_a_parent_that_is_not_held_is_said() -> None:
    assert found(derived("extends", item("a", "decimal"))) == [("warning", "derived-from", ".derivedFrom[0]")]


def test_items_too_deep_to_be_read_are_said() -> None:
    nested = item("x", "group")
    for number in range(60):
        nested = item(f"g{number}", "group", nested)
    assert [key for _, key, _ in found(form(nested))] == ["depth"]


def test_without_a_resolver_value_sets_are_unchecked() -> None:
    asked = form(item("q", "choice", answerValueSet="https://example.org/vs"))
    (issue,) = questionnaires.check(asked, terminology=Terminology(lambda _: None))
    assert issue.key == "value-set"


def test_a_contained_form_finds_the_value_sets_beside_it() -> None:
    asked = form(item("q", "choice", answerValueSet="#vs", initial=[BLUE]))
    issues = questionnaires.check(asked, contained={"vs": VALUE_SET})
    assert [issue.key for issue in issues] == ["initial-option"]


@pytest.mark.parametrize(
    "more",
    [
        extension("sdc:assembleContext", valueString="person"),
        extension("sdc:sourceQueries", valueReference={"reference": "#person"}),
    ],
)
def test_names_that_come_from_outside_are_in_scope(more: Json) -> None:
    rule = extension("sdc:initialExpression", valueExpression=fhirpath("%person.name.text"))
    asked = item("q", "string", extension=[rule])
    assert [key for _, key, _ in found(form(asked))] == ["expression"]
    assert found(form(asked, extension=[more])) == []


def test_a_function_that_only_sdc_knows_does_not_make_the_form_wrong() -> None:
    rule = extension(
        "sdc:calculatedExpression", valueExpression=fhirpath("%resource.item.answer.value.weight()")
    )
    assert one("integer", extension=[rule]) == [("warning", "expression", AT)]


def test_only_options_are_switched() -> None:
    def switching(option: Json) -> Json:
        rule = {"url": "expression", "valueExpression": fhirpath("item.exists()")}
        return extension("sdc:answerOptionsToggleExpression", extension=[{"url": "option", **option}, rule])

    assert one("choice", answerOption=[RED, BLUE], extension=[switching(BLUE)]) == []
    green = {"valueCoding": coding("green")}
    assert one("choice", answerOption=[RED, BLUE], extension=[switching(green)]) == [
        ("error", "toggle-option", ".item[0].extension[0]")
    ]
