"""The guidance's own forms and the guide's own examples, extracted whole."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from service.fhir import validation
from service.fhir.extraction import check, extract
from tests.conformance.reference import Job, require_reference, validate
from tests.fhir.extraction.samples import ROOT, fill, form, item, load, published

Json = dict[str, Any]
GUIDE = Path(__file__).parents[4] / "shared" / "sdc" / "resources"
NAMES = ("procedure", "follow-up")


def numbered() -> Any:
    """Ids as a server makes them, in the order that they are asked for."""
    made: dict[str, str] = {}
    return lambda key: made.setdefault(key, f"urn:uuid:00000000-0000-4000-8000-{len(made):012d}")


@pytest.mark.parametrize("name", NAMES)
def test_the_forms_extraction_has_no_faults(name: str) -> None:
    assert check(published(name)) == ()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("option", range(8))
def test_a_filled_form_extracts_without_issues(name: str, option: int) -> None:
    source = published(name)
    found = extract(fill(source, option), source, new_id=numbered())
    assert found.issues == ()
    kinds = {entry.resource["resourceType"] for entry in found.entries}
    assert {"AdverseEvent", "Observation", "Device"} <= kinds
    assert not _templated(found.bundle)


def profiles() -> Any:
    """What resolves the canonicals that are published here."""
    held: dict[str, Json] = {}
    for path in (ROOT / "profiles").rglob("*.json"):
        one = load(path)
        if "url" in one:
            held |= {one["url"]: one, f"{one['url']}|{one.get('version')}": one}
    return held.get


@pytest.mark.parametrize("name", NAMES)
def test_what_is_extracted_is_valid(name: str) -> None:
    source, resolve = published(name), profiles()
    for option in (0, 3, 7):
        found = extract(fill(source, option), source, new_id=numbered())
        issues = validation.check(found.bundle, resolve=resolve)
        assert [str(issue) for issue in issues if issue.fails] == []


@pytest.mark.conformance
def test_what_is_extracted_is_valid_to_the_reference_validator() -> None:
    require_reference()
    jobs = []
    for name in NAMES:
        source = published(name)
        for option in range(8):
            found = extract(fill(source, option), source, new_id=numbered())
            jobs.append(Job(f"{name}-{option}", found.bundle))
    messages = validate(jobs)
    assert {job.id: [str(one) for one in messages[job.id] if one.is_error] for job in jobs} == {
        job.id: [] for job in jobs
    }


def _templated(node: Any) -> bool:
    """Whether anything of a template is left in what was extracted."""
    if isinstance(node, list):
        return any(_templated(entry) for entry in node)
    if isinstance(node, dict):
        return "templateExtract" in str(node.get("url", "")) or any(
            _templated(value) for value in node.values()
        )
    return False


def guide(name: str) -> Json:
    path = GUIDE / f"extract-complex-{name}.json"
    if not path.exists():
        pytest.skip("the guide's examples are not beside this checkout")
    return load(path)


ANSWERED = form(
    item(
        "patient",
        items=[
            item(
                "name",
                items=[
                    item("given", {"valueString": "Ann"}, {"valueString": "Bea"}),
                    item("family", {"valueString": "Fox"}),
                ],
            ),
            item(
                "gender",
                {"valueCoding": {"system": "http://hl7.org/fhir/administrative-gender", "code": "female"}},
            ),
            item("ihi", {"valueString": "8003"}),
            item("mobile-phone", {"valueString": "07700 900000"}),
        ],
    ),
    item(
        "contacts",
        items=[
            item("contact-name", {"valueString": "Cat"}),
            item("relationship", {"valueCoding": {"code": "N"}}),
        ],
    ),
    item(
        "obs",
        items=[
            item("height", {"valueDecimal": Decimal("1.80")}),
            item("complication", {"valueBoolean": False}),
        ],
    ),
)
PATIENT_ID = "urn:uuid:00000000-0000-4000-8000-000000000000"
IDENTIFIER = {
    "type": {"text": "National Identifier (IHI)"},
    "system": "http://example.org/nhio",
    "value": "8003",
}
HEIGHT: Json = {
    "resourceType": "Observation",
    "status": "final",
    "category": [
        {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                    "code": "vital-signs",
                }
            ]
        }
    ],
    "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2", "display": "Body height"}]},
    "subject": {"reference": PATIENT_ID},
    "effectiveDateTime": "2026-11-02T10:00:00+00:00",
    "issued": "2026-11-02T10:00:00+00:00",
    "performer": [{"reference": "Practitioner/d1"}],
    "valueQuantity": {
        "system": "http://unitsofmeasure.org",
        "unit": "cm",
        "code": "cm",
        "value": Decimal("180.00"),
    },
    "derivedFrom": [{"reference": "QuestionnaireResponse/form-1"}],
}
COMPLICATION: Json = {
    **{name: value for name, value in HEIGHT.items() if name not in ("category", "valueQuantity")},
    "code": {
        "coding": [
            {
                "system": "http://example.org/sdh/demo/CodeSystem/cc-screening-codes",
                "code": "sigmoidoscopy-complication",
            }
        ]
    },
    "valueBoolean": False,
}
PATIENT: Json = {
    "resourceType": "Patient",
    "identifier": [IDENTIFIER],
    "name": [{"text": "Ann Bea Fox", "family": "Fox", "given": ["Ann", "Bea"]}],
    "gender": "female",
    "telecom": [{"use": "mobile", "value": "07700 900000", "system": "phone"}],
}
RELATED: Json = {
    "resourceType": "RelatedPerson",
    "patient": {"reference": PATIENT_ID},
    "relationship": [{"coding": [{"code": "N"}]}],
    "name": [{"text": "Cat"}],
}


def test_the_guides_template_example() -> None:
    found = extract(ANSWERED, guide("template"), new_id=numbered())
    assert found.issues == ()
    assert found.bundle["entry"] == [
        {
            "fullUrl": f"urn:uuid:00000000-0000-4000-8000-{number:012d}",
            "resource": resource,
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for number, resource in enumerate((PATIENT, RELATED, HEIGHT, COMPLICATION))
    ]


def test_the_guides_bundle_example() -> None:
    found = extract(ANSWERED, guide("template2"), new_id=numbered())
    assert found.issues == ()
    there = "urn:uuid:6f6177d2-13ee-4d27-b0e8-3eaf663dd031"
    assert [(entry["fullUrl"][-3:], entry["request"]["url"]) for entry in found.bundle["entry"]] == [
        ("031", "Patient"),
        ("032", "RelatedPerson"),
        ("033", "Observation"),
        ("035", "Observation"),
    ]
    assert [entry.resource for entry in found.entries] == [
        PATIENT,
        {**RELATED, "patient": {"reference": there}},
        {**HEIGHT, "subject": {"reference": there}},
        {**COMPLICATION, "subject": {"reference": there}},
    ]


def test_the_guides_definition_example() -> None:
    found = extract(ANSWERED, guide("defn3"), new_id=numbered())
    # The example sets values of an Observation on an item that starts none.
    assert {issue.expression.rpartition(".")[0] for issue in found.issues} == {
        "Questionnaire.item[2].item[2]"
    }
    assert not found.fails
    phone = [{"value": "07700 900000", "use": "phone", "system": "mobile"}]
    vital = {**HEIGHT["category"][0]["coding"][0], "display": "Vital Signs"}
    assert [entry.resource for entry in found.entries] == [
        {**PATIENT, "telecom": phone},
        RELATED,
        {
            **HEIGHT,
            "category": [{"coding": [vital]}],
            "valueQuantity": {"value": Decimal("1.80"), "unit": "m"},
        },
    ]
