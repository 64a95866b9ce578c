"""Template-based extraction, rule by rule (SDC 4.0, Form Data Extraction, Template-based extraction)."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from service.domain.errors import Unprocessable
from service.fhir.extraction import Extraction, check, extract
from tests.fhir.extraction.samples import complex_ext, ext, form, item, new_id, part, questionnaire

Json = dict[str, Any]


def value(expression: str) -> Json:
    return {"extension": [ext("templateExtractValue", valueString=expression)]}


def context(expression: str, name: str | None = None) -> Json:
    if name is None:
        return {"extension": [ext("templateExtractContext", valueString=expression)]}
    said = {"language": "text/fhirpath", "name": name, "expression": expression}
    return {"extension": [ext("templateExtractContext", valueExpression=said)]}


def use(*parts: Json) -> Json:
    return complex_ext("templateExtract", part("template", valueReference={"reference": "#t"}), *parts)


def run(template: Json, response: Json, *, parts: tuple[Json, ...] = (), **root: Any) -> Extraction:
    """The extraction of a template that stands on the form's root."""
    made = questionnaire(
        {"linkId": "a", "type": "string", "repeats": True},
        {"linkId": "n", "type": "decimal"},
        {"linkId": "c", "type": "choice"},
        extension=[*root.get("more", ()), use(*parts)],
        contained=[{"id": "t", **template}],
    )
    return extract(response, made, new_id=new_id)


def made(template: Json, response: Json) -> Json:
    """The one resource that the template extracts to, without issues."""
    found = run(template, response)
    assert found.issues == ()
    (entry,) = found.bundle["entry"]
    resource: Json = entry["resource"]
    return resource


A, B = {"valueString": "A"}, {"valueString": "B"}
CODING = {"system": "https://example.org/cs", "code": "x", "display": "X"}
FORM = form(item("a", A, B), item("n", {"valueDecimal": Decimal("6.30")}), item("c", {"valueCoding": CODING}))

RULES: list[tuple[str, Json, Json]] = [
    (
        "a value replaces a primitive and its _ sibling goes",
        {"gender": "unknown", "_gender": value("'male'")},
        {"gender": "male"},
    ),
    ("a value without the static one beside it", {"_gender": value("'male'")}, {"gender": "male"}),
    (
        "no result removes the property, static value and all",
        {"gender": "unknown", "_gender": value("{}")},
        {},
    ),
    (
        "other extensions of a primitive remain",
        {
            "_birthDate": {
                "extension": [
                    {"url": "https://example.org/e", "valueBoolean": True},
                    *value("'1970-01-01'")["extension"],
                ]
            }
        },
        {
            "birthDate": "1970-01-01",
            "_birthDate": {"extension": [{"url": "https://example.org/e", "valueBoolean": True}]},
        },
    ),
    (
        "several results of a value fill a collection",
        {"name": [{"family": "F", "_given": [value("item.where(linkId='a').answer.value")]}]},
        {"name": [{"family": "F", "given": ["A", "B"]}]},
    ),
    (
        "in a collection only the templated entry goes",
        {"name": [{"given": ["kept", "gone"], "_given": [None, value("{}")]}]},
        {"name": [{"given": ["kept"]}]},
    ),
    (
        "a context makes an entry for each result, its children see that result",
        {"name": [{**context("item.where(linkId='a').answer"), "use": "usual", "_text": value("value")}]},
        {"name": [{"use": "usual", "text": "A"}, {"use": "usual", "text": "B"}]},
    ),
    (
        "the context goes before the value on one element",
        {
            "name": [
                {
                    "_given": [
                        {
                            "extension": [
                                *value("$this + '!'")["extension"],
                                *context("item.where(linkId='a').answer.value")["extension"],
                            ]
                        }
                    ]
                }
            ]
        },
        {"name": [{"given": ["A!", "B!"]}]},
    ),
    (
        "a named context is a variable for what is inside",
        {
            "name": [
                {
                    **context("item.where(linkId='a').answer.value", "each"),
                    "_text": value("%each + %resource.status"),
                }
            ]
        },
        {"name": [{"text": "Acompleted"}, {"text": "Bcompleted"}]},
    ),
    (
        "a context without results removes the element",
        {"name": [{**context("item.where(linkId='z')"), "use": "usual"}], "active": True},
        {"active": True},
    ),
    ("an element left empty is none", {"name": [{"_text": value("{}")}], "active": True}, {"active": True}),
    (
        "an extension left with its url alone is none",
        {"extension": [{"url": "https://example.org/e", "_valueString": value("{}")}], "active": True},
        {"active": True},
    ),
    (
        "an extension's value is made too",
        {"extension": [{"url": "https://example.org/e", "_valueString": value("'said'")}]},
        {"extension": [{"url": "https://example.org/e", "valueString": "said"}]},
    ),
    (
        "a complex element is replaced whole",
        {"managingOrganization": {**value("%resource.author"), "display": "gone"}},
        {"managingOrganization": {"reference": "Practitioner/d1"}},
    ),
    (
        "a Coding makes a code and a CodeableConcept",
        {
            "_gender": value("item.where(linkId='c').answer.value"),
            "maritalStatus": value("item.where(linkId='c').answer.value"),
        },
        {"gender": "x", "maritalStatus": {"coding": [CODING]}},
    ),
    (
        "a text makes a Reference",
        {"managingOrganization": value("'Organization/1'")},
        {"managingOrganization": {"reference": "Organization/1"}},
    ),
    (
        "%context and %questionnaire are in scope",
        {"name": [{"_text": value("%context.status + %questionnaire.status")}]},
        {"name": [{"text": "completedactive"}]},
    ),
    (
        "%context stays the item while contexts move",
        {"name": [{**context("item.where(linkId='n')"), "_text": value("%context.id")}]},
        {"name": [{"text": "form-1"}]},
    ),
]


@pytest.mark.parametrize(
    ("template", "expected"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES]
)
def test_a_rule(template: Json, expected: Json) -> None:
    assert made({"resourceType": "Patient", **template}, FORM) == {"resourceType": "Patient", **expected}


def test_numbers_keep_their_places() -> None:
    template = {
        "resourceType": "Observation",
        "status": "final",
        "valueQuantity": {"_value": value("item.where(linkId='n').answer.value"), "unit": "m"},
    }
    found = made(template, FORM)
    assert str(found["valueQuantity"]["value"]) == "6.30"
    assert found["valueQuantity"]["unit"] == "m"


def test_a_comparator_is_kept() -> None:
    quantity = {"value": Decimal(5), "comparator": "<", "unit": "mg"}
    template = {
        "resourceType": "Observation",
        "status": "final",
        "valueQuantity": value("item.where(linkId='n').answer.value"),
    }
    assert made(template, form(item("n", {"valueQuantity": quantity})))["valueQuantity"] == quantity


def test_extensions_of_an_answer_go_with_it_to_a_primitive_alone() -> None:
    said = {"extension": [{"url": "https://example.org/e", "valueBoolean": True}]}
    template = {
        "resourceType": "Patient",
        "name": [{"_text": value("item.where(linkId='a').answer.value")}],
        "managingOrganization": value("item.where(linkId='a').answer.value"),
    }
    found = made(template, form(item("a", {"valueString": "A", "_valueString": said})))
    assert found["name"] == [{"text": "A", "_text": said}]
    assert found["managingOrganization"] == {"reference": "A"}
    assert "_managingOrganization" not in found


def test_one_value_is_used_where_one_is_wanted_and_a_warning_said() -> None:
    found = run({"resourceType": "Patient", "_gender": value("'male' | 'female'")}, FORM)
    assert found.bundle["entry"][0]["resource"] == {"resourceType": "Patient", "gender": "male"}
    assert [str(issue) for issue in found.issues] == [
        "Questionnaire.contained[0].gender: gender takes one value and is given 2; the first is used"
    ]
    assert not found.fails


def test_an_error_is_logged_and_the_next_property_done() -> None:
    template = {
        "resourceType": "Patient",
        "_gender": value("1 / 'a'"),
        "_birthDate": value("'1970-01-01'"),
        "active": False,
        "_active": value("'no'"),
    }
    found = run(template, FORM)
    assert found.bundle["entry"][0]["resource"] == {"resourceType": "Patient", "birthDate": "1970-01-01"}
    assert found.fails
    assert {issue.expression for issue in found.issues} == {
        "Questionnaire.contained[0].gender",
        "Questionnaire.contained[0].active",
    }


def test_the_entry_has_its_own_expressions() -> None:
    parts = (
        part("fullUrl", valueString="%one"),
        part("resourceId", valueString="'pat-' + %resource.id"),
        part("ifMatch", valueString="'W/\"1\"'"),
        part("ifNoneMatch", valueString="'*'"),
        part("ifModifiedSince", valueString="%resource.authored"),
        part("ifNoneExist", valueString="'identifier=' + item.where(linkId='a').answer.value.first()"),
    )
    found = run(
        {"resourceType": "Patient", "active": True},
        FORM,
        parts=parts,
        more=[ext("extractAllocateId", valueString="one")],
    )
    assert found.issues == ()
    assert found.bundle["entry"] == [
        {
            "fullUrl": "urn:uuid:%one",
            "resource": {"resourceType": "Patient", "id": "pat-form-1", "active": True},
            "request": {
                "method": "PUT",
                "url": "Patient/pat-form-1",
                "ifNoneMatch": "*",
                "ifModifiedSince": "2026-11-02T10:00:00+00:00",
                "ifMatch": 'W/"1"',
                "ifNoneExist": "identifier=A",
            },
        }
    ]


def test_without_an_id_a_resource_is_posted_under_a_new_full_url() -> None:
    found = run({"resourceType": "Patient", "active": True}, FORM)
    assert found.bundle == {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:#templateExtract[0]",
                "resource": {"resourceType": "Patient", "active": True},
                "request": {"method": "POST", "url": "Patient"},
            }
        ],
    }


ON_ITEMS = questionnaire(
    {
        "linkId": "group",
        "type": "group",
        "repeats": True,
        "extension": [ext("extractAllocateId", valueString="id"), use(part("fullUrl", valueString="%id"))],
        "item": [
            {
                "linkId": "q",
                "type": "string",
                "repeats": True,
                "extension": [
                    complex_ext("templateExtract", part("template", valueReference={"reference": "#o"}))
                ],
            }
        ],
    },
    contained=[
        {
            "resourceType": "Patient",
            "id": "t",
            "name": [{"_text": value("item.where(linkId='q').answer.value.join('+')")}],
        },
        {
            "resourceType": "Basic",
            "id": "o",
            "subject": {"_reference": value("%id")},
            "code": {"_text": value("answer.value + %qitem.linkId")},
        },
    ],
)


def test_groups_make_one_each_and_questions_one_for_each_answer() -> None:
    response = form(
        item("group", items=[item("q", A, B)]),
        item("group", items=[item("q", A)]),
        item("group", items=[item("q")]),
        item("group"),
    )
    found = extract(response, ON_ITEMS, new_id=new_id)
    assert found.issues == ()
    assert [
        (entry.place, entry.key, entry.full_url, entry.method, entry.resource) for entry in found.entries
    ] == [
        (
            "QuestionnaireResponse.item[0]",
            "group[0]#templateExtract[0]",
            "urn:uuid:group[0]%id",
            "POST",
            {"resourceType": "Patient", "name": [{"text": "A+B"}]},
        ),
        (
            "QuestionnaireResponse.item[0].item[0].answer[0]",
            "group[0]/q[0].0#templateExtract[0]",
            "urn:uuid:group[0]/q[0].0#templateExtract[0]",
            "POST",
            {
                "resourceType": "Basic",
                "subject": {"reference": "urn:uuid:group[0]%id"},
                "code": {"text": "Aq"},
            },
        ),
        (
            "QuestionnaireResponse.item[0].item[0].answer[1]",
            "group[0]/q[0].1#templateExtract[0]",
            "urn:uuid:group[0]/q[0].1#templateExtract[0]",
            "POST",
            {
                "resourceType": "Basic",
                "subject": {"reference": "urn:uuid:group[0]%id"},
                "code": {"text": "Bq"},
            },
        ),
        (
            "QuestionnaireResponse.item[1]",
            "group[1]#templateExtract[0]",
            "urn:uuid:group[1]%id",
            "POST",
            {"resourceType": "Patient", "name": [{"text": "A"}]},
        ),
        (
            "QuestionnaireResponse.item[1].item[0]",
            "group[1]/q[0]#templateExtract[0]",
            "urn:uuid:group[1]/q[0]#templateExtract[0]",
            "POST",
            {
                "resourceType": "Basic",
                "subject": {"reference": "urn:uuid:group[1]%id"},
                "code": {"text": "Aq"},
            },
        ),
    ]


def test_a_context_on_the_root_of_a_template_makes_resources_or_none() -> None:
    template = {
        "resourceType": "Patient",
        **context("item.where(linkId='a').answer.value"),
        "name": [{"_text": value("$this")}],
    }
    found = run(template, FORM)
    assert [entry.resource["name"] for entry in found.entries] == [[{"text": "A"}], [{"text": "B"}]]
    assert run(template, form(item("n", {"valueDecimal": Decimal(1)}))).bundle == {
        "resourceType": "Bundle",
        "type": "transaction",
    }


def test_two_resources_under_one_full_url_are_an_error() -> None:
    template = {"resourceType": "Patient", **context("item.where(linkId='a').answer.value"), "active": True}
    found = run(
        template,
        FORM,
        parts=(part("fullUrl", valueString="%one"),),
        more=[ext("extractAllocateId", valueString="one")],
    )
    assert found.fails
    assert "one fullUrl" in found.issues[0].message


def test_a_bundle_template_is_the_transaction() -> None:
    template = {
        "resourceType": "Bundle",
        "id": "b",
        "type": "transaction",
        "entry": [
            {
                **context("item.where(linkId='a').answer.value"),
                "resource": {"resourceType": "Patient", "name": [{"_text": value("$this")}]},
                "request": {"method": "POST", "url": "Patient"},
            },
            {
                **context("item.where(linkId='z')"),
                "resource": {"resourceType": "Basic"},
                "request": {"method": "POST", "url": "Basic"},
            },
        ],
    }
    made_of = questionnaire(
        {"linkId": "a", "type": "string", "repeats": True},
        extension=[ext("templateExtractBundle", valueReference={"reference": "#b"})],
        contained=[template],
    )
    found = extract(form(item("a", A, B)), made_of, new_id=new_id)
    assert found.bundle == {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": {"resourceType": "Patient", "name": [{"text": text}]},
                "request": {"method": "POST", "url": "Patient"},
            }
            for text in ("A", "B")
        ],
    }


def test_only_completed_or_amended_forms_are_extracted() -> None:
    with pytest.raises(Unprocessable) as refused:
        extract({**FORM, "status": "in-progress"}, ON_ITEMS, new_id=new_id)
    assert refused.value.issues[0].expression == "QuestionnaireResponse.status"
    assert extract({**FORM, "status": "amended"}, ON_ITEMS, new_id=new_id).fails is False


def test_nothing_given_is_changed() -> None:
    response, source = deepcopy(FORM), deepcopy(ON_ITEMS)
    extract(response, source, new_id=new_id)
    assert (response, source) == (FORM, ON_ITEMS)


FAULTS: list[tuple[str, Json, str]] = [
    (
        "a path that no response has",
        {"_gender": value("itm.answer.value")},
        "Questionnaire.contained[0].gender",
    ),
    ("unknown variable", {"_gender": value("%other")}, "Questionnaire.contained[0].gender"),
    ("launch context", {"_gender": value("%patient.gender")}, "Questionnaire.contained[0].gender"),
    ("no expression", {"_gender": value("male and")}, "Questionnaire.contained[0].gender"),
    ("no such element", {"_sex": value("'male'")}, "Questionnaire.contained[0].sex"),
    (
        "two values",
        {"_gender": {"extension": value("'a'")["extension"] * 2}},
        "Questionnaire.contained[0].gender",
    ),
    (
        "another language",
        {
            "name": [
                {
                    "extension": [
                        ext(
                            "templateExtractContext",
                            valueExpression={"language": "text/cql", "expression": "x"},
                        )
                    ]
                }
            ]
        },
        "Questionnaire.contained[0].name[0].extension[0]",
    ),
]


@pytest.mark.parametrize(
    ("template", "place"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_check_names_faults(template: Json, place: str) -> None:
    source = questionnaire(extension=[use()], contained=[{"resourceType": "Patient", "id": "t", **template}])
    assert [issue.expression for issue in check(source)] == [place]


def test_check_names_a_template_that_is_not_there() -> None:
    assert [issue.expression for issue in check(questionnaire(extension=[use()]))] == [
        "Questionnaire.extension[0]"
    ]


def test_a_template_on_the_root_is_filled_though_nothing_is_answered() -> None:
    assert [entry.resource for entry in run({"resourceType": "Patient", "active": True}, form()).entries] == [
        {"resourceType": "Patient", "active": True}
    ]


def test_the_clock_of_the_expressions_is_the_time_of_authoring() -> None:
    template = {"resourceType": "Patient", "_birthDate": value("today()")}
    assert made(template, FORM)["birthDate"] == "2026-11-02"
    found = run(template, {name: said for name, said in FORM.items() if name != "authored"})
    assert [issue.code for issue in found.issues] == ["required"]
    assert found.fails


def test_structure_maps_are_said_not_to_be_followed() -> None:
    source = questionnaire(extension=[ext("targetStructureMap", valueCanonical="https://example.org/map")])
    assert [issue.code for issue in check(source)] == ["not-supported"]
    assert [issue.code for issue in extract(FORM, source, new_id=new_id).issues] == [
        "not-supported",
        "informational",
    ]
