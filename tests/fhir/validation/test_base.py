"""Base R4: each kind of fault is found, at its place, under its rule; and nothing else is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from service.fhir import validation
from tests.fhir.validation.samples import (
    BUNDLE,
    GONE,
    OBSERVATION,
    PATIENT,
    QUESTIONNAIRE,
    RESPONSE,
    TRANSACTION,
    changed,
)

ABSENT = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    ]
}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
CITIZEN = "http://hl7.org/fhir/StructureDefinition/patient-citizenship"


def errors(resource: Any) -> list[tuple[str, str, str]]:
    """Code, expression and key of each error."""
    found = validation.check(resource, resolve=lambda canonical: held(canonical))
    return [(issue.code, issue.expression, issue.key) for issue in found if issue.fails]


def held(canonical: str) -> dict[str, Any] | None:
    return QUESTIONNAIRE if canonical.partition("|")[0] == QUESTIONNAIRE["url"] else None


OBS, P, Q, R, B, T = OBSERVATION, PATIENT, QUESTIONNAIRE, RESPONSE, BUNDLE, TRANSACTION
S, V, REQ, INV, COD = "structure", "value", "required", "invariant", "code-invalid"

FAULTS: dict[str, tuple[dict[str, Any], list[tuple[str, Any]], list[tuple[str, str, str]]]] = {
    # structure
    "unknown element": (OBS, [("subjct", "x")], [(S, "Observation.subjct", "")]),
    "unknown element below": (P, [("name.0.nick", "x")], [(S, "Patient.name[0].nick", "")]),
    "missing element": (OBS, [("status", GONE)], [(REQ, "Observation", "")]),
    "missing below": (Q, [("item.3.linkId", GONE)], [(REQ, "Questionnaire.item[3]", "")]),
    "empty array": (OBS, [("note", [])], [(S, "Observation.note", "ele-1")]),
    "empty object": (OBS, [("method", {})], [(S, "Observation.method", "ele-1")]),
    "null": (OBS, [("note", None)], [(S, "Observation.note", "")]),
    "null in an array": (P, [("name.0.given", ["A", None])], [(S, "Patient.name[0].given[1]", "string")]),
    "array for one": (OBS, [("status", ["final"])], [(S, "Observation.status", "code")]),
    "one for an array": (OBS, [("performer", {"display": "x"})], [(S, "Observation.performer", "")]),
    "two values": (OBS, [("valueString", "x")], [(S, "Observation.value", "")]),
    "wrong choice": (
        Q,
        [("item.1.enableWhen.0.answerBoolean", GONE), ("item.1.enableWhen.0.answerUri", "x:y")],
        [
            (S, "Questionnaire.item[1].enableWhen[0].answerUri", ""),
            (REQ, "Questionnaire.item[1].enableWhen[0]", ""),
            (V, "Questionnaire.item[1].enableWhen[0].answer", "enable-when-type"),
        ],
    ),
    "sibling without extension": (
        P,
        [("gender", GONE), ("_gender", {"id": "x"})],
        [(S, "Patient.gender", "ele-1")],
    ),
    "sibling of a complex element": (P, [("_name", [{"id": "x"}])], [(S, "Patient.name", "")]),
    "text for an object": (P, [("name", ["x"])], [(S, "Patient.name[0]", "")]),
    # primitives
    "number for a code": (OBS, [("status", 5)], [(S, "Observation.status", "code")]),
    "text for a decimal": (
        OBS,
        [("valueQuantity.value", "6.3")],
        [(S, "Observation.value.value", "decimal")],
    ),
    "text for a boolean": (P, [("active", "true")], [(S, "Patient.active", "boolean")]),
    "not a number": (
        OBS,
        [("valueQuantity.value", Decimal("NaN"))],
        [(V, "Observation.value.value", "decimal")],
    ),
    "no such day": (OBS, [("effectiveDateTime", "2023-02-29")], [(V, "Observation.effective", "dateTime")]),
    "no zone": (
        OBS,
        [("effectiveDateTime", "2024-01-01T10:00:00")],
        [(V, "Observation.effective", "dateTime")],
    ),
    "no seconds": (
        OBS,
        [("effectiveDateTime", "2024-01-01T10:00Z")],
        [(V, "Observation.effective", "dateTime")],
    ),
    "hour 24": (
        OBS,
        [("effectiveDateTime", "2024-01-01T24:00:00Z")],
        [(V, "Observation.effective", "dateTime")],
    ),
    "time in a date": (P, [("birthDate", "1970-01-01T00:00:00Z")], [(V, "Patient.birthDate", "date")]),
    "long id": (OBS, [("id", "a" * 65)], [(V, "Observation.id", "id")]),
    "id with underscore": (OBS, [("id", "a_b")], [(V, "Observation.id", "id")]),
    "uri with a space": (OBS, [("implicitRules", "http://x y")], [(V, "Observation.implicitRules", "uri")]),
    "oid": (
        OBS,
        [("identifier", [{"system": "urn:oid:1.02", "value": "1"}])],
        [(V, "Observation.identifier[0].system", "uri")],
    ),
    "empty text": (P, [("name.0.family", "")], [(V, "Patient.name[0].family", "string")]),
    "code with a space before it": (P, [("gender", " female")], [(V, "Patient.gender", "code")]),
    "base64": (
        P,
        [("photo", [{"contentType": "text/plain", "data": "AAA"}])],
        [(V, "Patient.photo[0].data", "base64Binary")],
    ),
    "positiveInt": (
        P,
        [("telecom", [{"system": "phone", "value": "1", "rank": 0}])],
        [(V, "Patient.telecom[0].rank", "positiveInt")],
    ),
    "large integer": (
        Q,
        [("item.2.item.0.maxLength", 2**31)],
        [(V, "Questionnaire.item[2].item[0].maxLength", "integer")],
    ),
    "endless decimal": (
        OBS,
        [("valueQuantity.value", Decimal("1E999999"))],
        [(V, "Observation.value.value", "decimal")],
    ),
    "an id alone": (P, [("name.0", {"id": "x"})], [(S, "Patient.name[0]", "ele-1")]),
    "instant": (B, [("timestamp", "2024-01-01")], [(V, "Bundle.timestamp", "instant")]),
    "relative canonical": (
        Q,
        [("derivedFrom", ["Questionnaire/1"])],
        [(V, "Questionnaire.derivedFrom[0]", "canonical")],
    ),
    "relative url": (Q, [("url", "form")], [(V, "Questionnaire.url", "canonical")]),
    # codes
    "code outside a required binding": (OBS, [("status", "done")], [(COD, "Observation.status", "binding")]),
    "unknown code of HL7's": (
        OBS,
        [("category.0.coding.0.code", "nonsense")],
        [(COD, "Observation.category[0].coding[0].code", "coding")],
    ),
    "value set as system": (
        OBS,
        [("category.0.coding.0.system", "http://hl7.org/fhir/ValueSet/observation-category")],
        [(COD, "Observation.category[0].coding[0].system", "coding")],
    ),
    "unit": (OBS, [("valueQuantity.code", "mLx")], [(COD, "Observation.value.code", "ucum")]),
    "language": (OBS, [("language", "english")], [(COD, "Observation.language", "binding")]),
    "currency": (
        {
            "resourceType": "Invoice",
            "text": P["text"],
            "status": "issued",
            "totalNet": {"value": 1, "currency": "XXQ"},
        },
        [],
        [(COD, "Invoice.totalNet.currency", "binding")],
    ),
    # references and contained resources
    "target type": (
        OBS,
        [("subject.reference", "Medication/1")],
        [(V, "Observation.subject", "reference-target")],
    ),
    "type against reference": (
        OBS,
        [("subject.type", "Group")],
        [(V, "Observation.subject.type", "reference")],
    ),
    "reference to nothing contained": (
        OBS,
        [("subject.reference", "#x")],
        [(INV, "Observation.subject.reference", "ref-1")],
    ),
    "reference with a space": (
        OBS,
        [("subject.reference", "Patient/1 ")],
        [(V, "Observation.subject.reference", "reference")],
    ),
    "contained, of a wrong type": (
        OBS,
        [("contained", [{"resourceType": "Medication", "id": "x"}]), ("subject.reference", "#x")],
        [(V, "Observation.subject", "reference-target")],
    ),
    "contained, not referred to": (
        OBS,
        [("contained", [{"resourceType": "Patient", "id": "x"}])],
        [(INV, "Observation.contained[0]", "dom-3")],
    ),
    "contained in contained": (
        OBS,
        [
            (
                "contained",
                [
                    {
                        "resourceType": "Patient",
                        "id": "x",
                        "contained": [{"resourceType": "Patient", "id": "y"}],
                    }
                ],
            ),
            ("subject.reference", "#x"),
        ],
        [(INV, "Observation.contained[0].contained", "dom-2")],
    ),
    "contained with a version": (
        OBS,
        [
            ("contained", [{"resourceType": "Patient", "id": "x", "meta": {"versionId": "1"}}]),
            ("subject.reference", "#x"),
        ],
        [(INV, "Observation.contained[0].meta", "dom-4")],
    ),
    # extensions
    "extension of HL7's that is none": (
        P,
        [("extension", [{"url": "http://hl7.org/fhir/StructureDefinition/no-such", "valueString": "x"}])],
        [("extension", "Patient.extension[0].url", "extension")],
    ),
    "relative extension": (
        P,
        [("extension", [{"url": "x", "valueString": "x"}])],
        [(V, "Patient.extension[0].url", "extension-url")],
    ),
    "extension with both": (
        P,
        [
            (
                "extension",
                [
                    {
                        "url": "https://example.org/x",
                        "valueString": "x",
                        "extension": [{"url": "a", "valueString": "x"}],
                    }
                ],
            )
        ],
        [(INV, "Patient.extension[0]", "ext-1")],
    ),
    "extension with neither": (
        P,
        [("extension", [{"url": "https://example.org/x"}])],
        [(INV, "Patient.extension[0]", "ext-1")],
    ),
    "unknown modifier": (
        P,
        [("modifierExtension", [{"url": "https://example.org/x", "valueString": "x"}])],
        [("extension", "Patient.modifierExtension[0].url", "extension")],
    ),
    "extension's value type": (
        P,
        [("extension", [{"url": PLACE, "valueString": "x"}])],
        [(S, "Patient.extension[0].value", "extension-value")],
    ),
    "extension's place": (
        OBS,
        [("extension", [{"url": PLACE, "valueAddress": {"city": "x"}}])],
        [(S, "Observation.extension[0]", "extension-context")],
    ),
    "extension too often": (
        P,
        [("extension", [{"url": PLACE, "valueAddress": {"city": "x"}}] * 2)],
        [(S, "Patient.extension", "extension")],
    ),
    "extension's part": (
        P,
        [("extension", [{"url": CITIZEN, "extension": [{"url": "x", "valueString": "x"}]}])],
        [("extension", "Patient.extension[0].extension[0]", "extension-part")],
    ),
    "extension's code": (
        P,
        [("_gender", {"extension": [{"url": ABSENT["extension"][0]["url"], "valueCode": "x"}]})],
        [(COD, "Patient.gender.extension[0].value", "binding")],
    ),
    # narrative
    "script": (P, [("text.div", DIV.format("<script>x</script>"))], [(INV, "Patient.text.div", "txt-1")]),
    "event handler": (
        P,
        [("text.div", DIV.format('<p onclick="x">a</p>'))],
        [(INV, "Patient.text.div", "txt-1")],
    ),
    "script in a link": (
        P,
        [("text.div", DIV.format('<a href="javascript:x">a</a>'))],
        [(INV, "Patient.text.div", "txt-1")],
    ),
    "empty narrative": (P, [("text.div", DIV.format(" "))], [(INV, "Patient.text.div", "txt-2")]),
    "not well-formed": (P, [("text.div", DIV.format("<p>"))], [("invalid", "Patient.text.div", "txt-1")]),
    "no namespace": (P, [("text.div", "<div>a</div>")], [("invalid", "Patient.text.div", "txt-1")]),
    "HTML's entity": (P, [("text.div", DIV.format("&nbsp;"))], [("invalid", "Patient.text.div", "txt-1")]),
    "document type": (
        P,
        [("text.div", "<!DOCTYPE div>" + DIV.format("a"))],
        [("invalid", "Patient.text.div", "txt-1")],
    ),
    "image that is not there": (
        P,
        [("text.div", DIV.format('<img src="#x" alt="x"/>'))],
        [(INV, "Patient.text.div", "txt-1")],
    ),
    # invariants
    "obs-6": (OBS, [("dataAbsentReason", {"text": "x"})], [(INV, "Observation", "obs-6")]),
    "qty-3": (OBS, [("valueQuantity.system", GONE)], [(INV, "Observation.value", "qty-3")]),
    "per-1": (
        P,
        [("name.0.period", {"start": "2024-02-01", "end": "2024-01-01"})],
        [(INV, "Patient.name[0].period", "per-1")],
    ),
    "pat-1": (P, [("contact", [{"relationship": [{"text": "x"}]}])], [(INV, "Patient.contact[0]", "pat-1")]),
    "cpt-2": (P, [("telecom", [{"value": "1"}])], [(INV, "Patient.telecom[0]", "cpt-2")]),
    "que-12 at two": (
        Q,
        [("item.1.enableWhen", Q["item"][1]["enableWhen"] * 2)],
        [(INV, "Questionnaire.item[1]", "que-12")],
    ),
    # Bundles
    "bdl-1": (B, [("total", 2)], [(INV, "Bundle", "bdl-1")]),
    "bdl-3": (B, [("entry.0.request", {"method": "GET", "url": "x"})], [(INV, "Bundle", "bdl-3")]),
    "bdl-7": (
        B,
        [
            ("entry.0.fullUrl", "urn:uuid:21111111-1111-4111-8111-111111111111"),
            ("entry.1.resource.subject.reference", "Patient/1"),
        ],
        [(INV, "Bundle", "bdl-7")],
    ),
    "bdl-8": (
        B,
        [
            ("entry.0.fullUrl", "http://x.org/Patient/synthetic/_history/1"),
            ("entry.1.resource.subject.reference", "Patient/1"),
        ],
        [(INV, "Bundle.entry[0].fullUrl", "bdl-8")],
    ),
    "full URL against id": (
        B,
        [
            ("entry.0.fullUrl", "http://x.org/Patient/other"),
            ("entry.1.resource.subject.reference", "Patient/1"),
        ],
        [(V, "Bundle.entry[0].fullUrl", "fullUrl")],
    ),
    "no full URL": (
        B,
        [("entry.0.fullUrl", GONE), ("entry.1.resource.subject.reference", "Patient/1")],
        [(REQ, "Bundle.entry[0]", "fullUrl")],
    ),
    "target in the Bundle": (
        B,
        [("entry.0.resource", {"resourceType": "Medication", "text": P["text"]})],
        [(V, "Bundle.entry[1].resource.subject", "reference-target")],
    ),
    "unknown type inside": (
        B,
        [("entry.0.resource", {"resourceType": "Foo"}), ("entry.1.resource.subject.reference", "Patient/1")],
        [(S, "Bundle.entry[0].resource", "")],
    ),
    "fault inside": (
        B,
        [("entry.0.resource.gender", "x")],
        [(COD, "Bundle.entry[0].resource.gender", "binding")],
    ),
    "request missing": (T, [("entry.0.request", GONE)], [(INV, "Bundle", "bdl-3")]),
    "request's method": (
        T,
        [("entry.0.request.method", "FETCH")],
        [(COD, "Bundle.entry[0].request.method", "binding")],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_is_found_and_only_that(name: str) -> None:
    resource, changes, expected = FAULTS[name]
    assert errors(changed(resource, *changes)) == expected
