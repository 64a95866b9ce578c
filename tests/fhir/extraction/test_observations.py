"""Observation-based extraction, rule by rule (SDC 4.0, Form Data Extraction)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from service.domain.issues import Severity
from service.fhir.extraction import Extraction, check, extract
from tests.fhir.extraction.samples import SDC, complex_ext, ext, form, item, new_id, part, questionnaire

Json = dict[str, Any]
YES = ext("observationExtract", valueBoolean=True)
NO = ext("observationExtract", valueBoolean=False)
HEIGHT = {"system": "http://loinc.org", "code": "8302-2"}
OTHER = {"system": "https://example.org/cs", "code": "height"}


def question(
    link_id: str = "q", kind: str = "decimal", *extension: Json, code: list[Json] | None = None, **more: Any
) -> Json:
    found: Json = {"linkId": link_id, "type": kind, "code": [HEIGHT] if code is None else code, **more}
    return {**found, "extension": list(extension)} if extension else found


def run(source: Json, *items: Json, **head: Any) -> Extraction:
    return extract(form(*items, **head), source, new_id=new_id)


def observed(found: Extraction) -> list[Json]:
    assert found.issues == ()
    return [entry.resource for entry in found.entries]


def test_an_answer_becomes_an_observation_with_all_that_the_form_tells() -> None:
    found = run(
        questionnaire(question("q", "decimal", YES)),
        item("q", {"valueDecimal": Decimal("1.80")}),
        basedOn=[{"reference": "ServiceRequest/1"}],
        partOf=[{"reference": "Procedure/1"}],
    )
    assert found.issues == ()
    assert found.bundle == {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:q[0]#observationExtract",
                "resource": {
                    "resourceType": "Observation",
                    "basedOn": [{"reference": "ServiceRequest/1"}],
                    "partOf": [{"reference": "Procedure/1"}],
                    "status": "final",
                    "code": {"coding": [HEIGHT]},
                    "subject": {"reference": "Patient/p1"},
                    "encounter": {"reference": "Encounter/e1"},
                    "effectiveDateTime": "2026-11-02T10:00:00+00:00",
                    "issued": "2026-11-02T10:00:00+00:00",
                    "performer": [{"reference": "Practitioner/d1"}],
                    "valueQuantity": {"value": Decimal("1.80")},
                    "derivedFrom": [{"reference": "QuestionnaireResponse/form-1"}],
                },
                "request": {"method": "POST", "url": "Observation"},
            }
        ],
    }
    assert found.entries[0].place == "QuestionnaireResponse.item[0].answer[0]"


def test_a_form_that_tells_less_makes_less() -> None:
    source = questionnaire(question("q", "decimal", YES))
    response = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "authored": "2026-11",
        "item": [item("q", {"valueDecimal": Decimal(1)})],
    }
    assert observed(extract(response, source, new_id=new_id)) == [
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [HEIGHT]},
            "effectiveDateTime": "2026-11",
            "valueQuantity": {"value": Decimal(1)},
        }
    ]


UNIT = {
    "url": "http://hl7.org/fhir/StructureDefinition/questionnaire-unit",
    "valueCoding": {"system": "http://unitsofmeasure.org", "code": "cm", "display": "centimetre"},
}
LOW = {"value": Decimal(5), "comparator": "<", "unit": "mg"}
CODING = {"system": "https://example.org/cs", "code": "x"}
VALUES: list[tuple[str, Json, Json, Json]] = [
    ("boolean", {}, {"valueBoolean": False}, {"valueBoolean": False}),
    ("integer", {}, {"valueInteger": 3}, {"valueInteger": 3}),
    (
        "integer with unit",
        {"extension": [YES, UNIT]},
        {"valueInteger": 3},
        {
            "valueQuantity": {
                "value": 3,
                "unit": "centimetre",
                "system": "http://unitsofmeasure.org",
                "code": "cm",
            }
        },
    ),
    ("string", {}, {"valueString": "s"}, {"valueString": "s"}),
    ("url", {}, {"valueUri": "https://example.org"}, {"valueString": "https://example.org"}),
    ("date", {}, {"valueDate": "2026-01-01"}, {"valueDateTime": "2026-01-01"}),
    ("dateTime", {}, {"valueDateTime": "2026-01-01T01:00:00Z"}, {"valueDateTime": "2026-01-01T01:00:00Z"}),
    ("time", {}, {"valueTime": "01:00:00"}, {"valueTime": "01:00:00"}),
    ("choice", {}, {"valueCoding": CODING}, {"valueCodeableConcept": {"coding": [CODING]}}),
    ("quantity", {}, {"valueQuantity": LOW}, {"valueQuantity": LOW}),
    (
        "translated",
        {},
        {"valueString": "s", "_valueString": {"id": "x"}},
        {"valueString": "s", "_valueString": {"id": "x"}},
    ),
]


@pytest.mark.parametrize(
    ("more", "answer", "expected"), [one[1:] for one in VALUES], ids=[one[0] for one in VALUES]
)
def test_each_type_of_answer(more: Json, answer: Json, expected: Json) -> None:
    source = questionnaire({**question("q", "string"), **more}, extension=[YES])
    (found,) = observed(run(source, item("q", answer)))
    assert {name: value for name, value in found.items() if "value" in name} == expected


@pytest.mark.parametrize(
    "answer",
    [{"valueReference": {"reference": "Device/1"}}, {"valueAttachment": {"url": "https://example.org"}}],
)
def test_what_an_observation_cannot_hold_is_said(answer: Json) -> None:
    found = run(questionnaire(question("q", "reference", YES)), item("q", answer))
    assert found.entries == ()
    assert [issue.severity for issue in found.issues] == [Severity.WARNING, Severity.INFORMATION]


def tagged(flag: bool | None) -> Json:
    return OTHER if flag is None else {**OTHER, "extension": [ext("observationExtract", valueBoolean=flag)]}


CODES: list[tuple[str, Json | None, Json | None, bool | None, list[Json]]] = [
    ("nothing asks for extraction", None, None, None, []),
    ("the root asks", YES, None, None, [HEIGHT, OTHER]),
    ("the item refuses what the root asks", YES, NO, None, []),
    ("the item asks though the root refuses", NO, YES, None, [HEIGHT, OTHER]),
    ("a tagged code stands alone", YES, None, True, [OTHER]),
    ("a tagged code is enough", None, None, True, [OTHER]),
    ("a tagged code overrides the item", None, NO, True, [OTHER]),
    ("a code that is refused is left out", YES, None, False, [HEIGHT]),
]


@pytest.mark.parametrize(
    ("root", "own", "code", "expected"), [one[1:] for one in CODES], ids=[one[0] for one in CODES]
)
def test_which_codes_are_extracted(
    root: Json | None, own: Json | None, code: bool | None, expected: list[Json]
) -> None:
    entry = question("q", "integer", *([own] if own else []), code=[HEIGHT, tagged(code)])
    source = questionnaire(entry, extension=[root] if root else None)
    found = run(source, item("q", {"valueInteger": 1}))
    assert [entry.resource["code"]["coding"] for entry in found.entries] == ([expected] if expected else [])


def test_an_item_without_code_is_not_extracted() -> None:
    source = questionnaire({"linkId": "q", "type": "integer"}, extension=[YES])
    assert run(source, item("q", {"valueInteger": 1})).entries == ()


def test_each_answer_is_an_observation_and_no_answer_none() -> None:
    source = questionnaire(question("q", "integer", YES, repeats=True), question("r", "integer", YES))
    found = run(source, item("q", {"valueInteger": 1}, {"valueInteger": 2}), item("r"))
    assert [(entry.resource["valueInteger"], entry.key) for entry in found.entries] == [
        (1, "q[0].0#observationExtract"),
        (2, "q[0].1#observationExtract"),
    ]


def concept(code: str) -> Json:
    return {"coding": [{"code": code}]}


def category(code: str) -> Json:
    return ext("observation-extract-category", valueCodeableConcept=concept(code))


def test_the_nearest_category_holds() -> None:
    source = questionnaire(
        question("root", "integer"),
        question("own", "integer", category("a"), category("b")),
        question("code", "integer", code=[{**HEIGHT, "extension": [category("c")]}]),
        extension=[YES, category("top")],
    )
    found = run(source, *(item(link_id, {"valueInteger": 1}) for link_id in ("root", "own", "code")))
    assert [entry.resource["category"] for entry in found.entries] == [
        [concept("top")],
        [concept("a"), concept("b")],
        [concept("c")],
    ]
    assert found.entries[2].resource["code"] == {"coding": [HEIGHT]}


def relation(code: str) -> Json:
    return ext("observationExtract", valueCode=code)


def panel(code: str) -> Json:
    return questionnaire(
        {
            "linkId": "g",
            "type": "group",
            "code": [{"code": "panel"}],
            "extension": [YES],
            "item": [question("q", "integer", relation(code), code=[{"code": "part"}])],
        }
    )


FILLED = item("g", items=[item("q", {"valueInteger": 1})])


def test_components() -> None:
    (found,) = observed(run(panel("component"), FILLED))
    assert found["code"] == concept("panel")
    assert found["component"] == [{"code": concept("part"), "valueInteger": 1}]
    assert not any(name.startswith("value") for name in found)


def test_members() -> None:
    parent, child = observed(run(panel("member"), FILLED))
    assert parent["hasMember"] == [{"reference": "urn:uuid:g[0]/q[0]#observationExtract"}]
    assert child["valueInteger"] == 1
    assert child["derivedFrom"] == [{"reference": "QuestionnaireResponse/form-1"}]


def test_independent_children_leave_no_empty_parent() -> None:
    assert [one["code"] for one in observed(run(panel("independent"), FILLED))] == [concept("part")]


def test_derived_children_point_at_the_answer_above() -> None:
    source = questionnaire(
        question("q", "integer", YES, item=[question("d", "integer", relation("derived"))])
    )
    parent, child = observed(
        run(source, item("q", {"valueInteger": 1, "item": [item("d", {"valueInteger": 2})]}))
    )
    assert child["derivedFrom"] == [*parent["derivedFrom"], {"reference": "urn:uuid:q[0]#observationExtract"}]


def test_a_panel_without_answers_is_nothing() -> None:
    assert run(panel("component"), item("g", items=[item("q")])).entries == ()


def baby(*inner: Json) -> Extraction:
    source = questionnaire(
        question("m", "integer"),
        {
            "linkId": "g",
            "type": "group",
            "item": [
                {"linkId": "who", "type": "reference", "extension": [ext("isSubject", valueBoolean=True)]},
                question("q", "integer"),
            ],
        },
        extension=[YES],
    )
    return run(
        source, item("m", {"valueInteger": 1}), item("g", items=[*inner, item("q", {"valueInteger": 2})])
    )


def test_a_group_about_somebody_else() -> None:
    found = baby(item("who", {"valueReference": {"reference": "Patient/baby"}}))
    assert [one["subject"] for one in observed(found)] == [
        {"reference": "Patient/p1"},
        {"reference": "Patient/baby"},
    ]


def test_a_group_about_nobody_knows_whom_is_left_out() -> None:
    found = baby()
    assert [entry.resource["valueInteger"] for entry in found.entries] == [1]
    assert [issue.severity for issue in found.issues] == [Severity.WARNING]


def test_what_an_observation_may_not_point_at_is_left_out_and_said() -> None:
    found = run(
        questionnaire(question("q", "integer", YES)),
        item("q", {"valueInteger": 1}),
        author={"reference": "Device/1"},
        partOf=[{"reference": "Observation/1"}],
        encounter={"reference": "EpisodeOfCare/1"},
    )
    assert {"performer", "partOf", "encounter"}.isdisjoint(found.entries[0].resource)
    assert {issue.expression for issue in found.issues} == {
        "QuestionnaireResponse.author",
        "QuestionnaireResponse.partOf",
    }


def test_the_entry_can_be_named_for_others() -> None:
    entry = complex_ext(
        "observationExtractEntry",
        part("fullUrl", valueString="%obs"),
        part("resourceId", valueString="'h-' + answer.value.toString()"),
        part("ifNoneExist", valueString="'code=' + %qitem.code.code"),
    )
    source = questionnaire(question("q", "integer", YES, entry, ext("extractAllocateId", valueString="obs")))
    found = run(source, item("q", {"valueInteger": 7}))
    assert found.issues == ()
    (made,) = found.bundle["entry"]
    assert made["fullUrl"] == "urn:uuid:q[0]%obs"
    assert made["request"] == {"method": "PUT", "url": "Observation/h-7", "ifNoneExist": "code=8302-2"}
    assert made["resource"]["id"] == "h-7"


@pytest.mark.parametrize(
    ("extension", "code"),
    [
        ([YES], {**HEIGHT, "extension": [relation("component")]}),
        ([ext("observationExtract", valueCode="sibling")], HEIGHT),
        ([YES, YES], HEIGHT),
    ],
)
def test_what_contradicts_itself_is_a_fault_and_not_extracted(extension: list[Json], code: Json) -> None:
    source = questionnaire(question("q", "integer", *extension, code=[code]))
    assert [issue.expression for issue in check(source)] == ["Questionnaire.item[0]"]
    assert run(source, item("q", {"valueInteger": 1})).entries == ()


def test_a_component_of_nothing_stands_alone_with_a_warning() -> None:
    source = questionnaire(question("q", "integer", relation("component")))
    assert [issue.severity for issue in check(source)] == [Severity.WARNING]
    assert [
        entry.resource["valueInteger"] for entry in run(source, item("q", {"valueInteger": 1})).entries
    ] == [1]


def test_addresses_are_those_of_the_guide() -> None:
    assert YES["url"] == f"{SDC}observationExtract"
