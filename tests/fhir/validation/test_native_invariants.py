"""The invariants that are checked in Python say what HL7's text says, run as FHIRPath, on the same resources.

dom-6 differs on purpose in one point: a contained resource is not asked for a narrative of its own.
"""

from __future__ import annotations

from typing import Any

import pytest

from service import fhirpath
from service.fhir import validation
from tests.fhir.validation.samples import BUNDLE, NARRATIVE, OBSERVATION, PATIENT, QUESTIONNAIRE, changed

# HL7's text of R4 4.0.1. In dom-3 HL7 writes as() over many items, which FHIRPath 2.0 (§6.3) makes an error;
# what is meant is ofType().
REFERRED = " | ".join(
    f"%resource.descendants().{step}"
    for step in ("reference", "ofType(canonical)", "ofType(uri)", "ofType(url)")
)
WHOLE = " or ".join(
    f"descendants().where({test} = '#').exists()"
    for test in ("reference", "ofType(canonical)", "ofType(canonical)")
)
DOM_3 = f"contained.where((('#'+id in ({REFERRED})) or {WHOLE}).not()).trace('unmatched', id).empty()"
TEXTS = {
    "ele-1": "hasValue() or (children().count() > id.count())",
    "ext-1": "extension.exists() != value.exists()",
    "dom-2": "contained.contained.empty()",
    "dom-3": DOM_3,
    "dom-4": "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()",
    "dom-5": "contained.meta.security.empty()",
    "dom-6": "text.`div`.exists()",
    "bdl-8": "fullUrl.contains('/_history/').not()",
    "que-2": "descendants().linkId.isDistinct()",
    "ref-1": "reference.startsWith('#').not() or (reference.substring(1).trace('url') in "
    "%rootResource.contained.id.trace('ids'))",
}
CONTAINED = {"resourceType": "Patient", "id": "p"}
LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}


def observation(*contained: dict[str, Any], reference: str = "#p", **more: Any) -> dict[str, Any]:
    made = changed(OBSERVATION, ("subject.reference", reference), *more.items())
    return {**made, "contained": list(contained)} if contained else made


RESOURCES: dict[str, list[dict[str, Any]]] = {
    "dom-2": [
        observation(CONTAINED),
        observation({**CONTAINED, "contained": [{"resourceType": "Patient", "id": "q"}]}),
    ],
    "dom-3": [
        observation(CONTAINED),
        observation(CONTAINED, reference="Patient/1"),
        observation(CONTAINED, {"resourceType": "Device", "id": "d"}),
        observation(CONTAINED, {"resourceType": "Device", "id": "d", "patient": {"reference": "#"}}),
        observation(CONTAINED, {"resourceType": "Device", "id": "d", "patient": {"reference": "#p"}}),
        {
            **changed(QUESTIONNAIRE, ("item.1.answerOption", [{"valueReference": {"reference": "#p"}}])),
            "contained": [CONTAINED],
        },
        {
            **changed(QUESTIONNAIRE, ("derivedFrom", ["#q"])),
            "contained": [{**QUESTIONNAIRE, "id": "q", "text": NARRATIVE}],
        },
    ],
    "dom-4": [
        observation({**CONTAINED, "meta": {"tag": [LABEL]}}),
        observation({**CONTAINED, "meta": {"versionId": "1"}}),
        observation({**CONTAINED, "meta": {"lastUpdated": "2024-01-01T00:00:00Z"}}),
    ],
    "dom-5": [
        observation({**CONTAINED, "meta": {"tag": [LABEL]}}),
        observation({**CONTAINED, "meta": {"security": [LABEL]}}),
    ],
    "dom-6": [PATIENT, {key: value for key, value in PATIENT.items() if key != "text"}],
    "que-2": [
        QUESTIONNAIRE,
        changed(QUESTIONNAIRE, ("item.3.linkId", "3.1")),
        changed(QUESTIONNAIRE, ("item.2.item.0.linkId", "4")),
    ],
}


def reported(key: str, resource: dict[str, Any]) -> bool:
    return any(issue.key == key for issue in validation.check(resource))


@pytest.mark.parametrize(
    ("key", "resource"), [(key, resource) for key, resources in RESOURCES.items() for resource in resources]
)
def test_a_resources_rule_is_broken_where_hl7s_text_says_so(key: str, resource: dict[str, Any]) -> None:
    holds = fhirpath.evaluate(resource, TEXTS[key]) == [True]
    assert reported(key, resource) is not holds


def test_each_rule_is_seen_both_kept_and_broken() -> None:
    for key, resources in RESOURCES.items():
        assert {reported(key, resource) for resource in resources} == {True, False}, key


EXTENSIONS: list[dict[str, Any]] = [
    {"url": "https://example.org/x", "valueString": "x"},
    {"url": "https://example.org/x"},
    {"url": "https://example.org/x", "extension": [{"url": "a", "valueString": "x"}]},
    {"url": "https://example.org/x", "valueString": "x", "extension": [{"url": "a", "valueString": "x"}]},
    {"url": "https://example.org/x", "_valueString": {"extension": [{"url": "a:b", "valueString": "x"}]}},
]


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_ext_1_is_broken_where_hl7s_text_says_so(extension: dict[str, Any]) -> None:
    program = fhirpath.compile(TEXTS["ext-1"], context_type="Extension")
    resource = {**PATIENT, "extension": [extension]}
    assert reported("ext-1", resource) is (program(extension) != [True])


@pytest.mark.parametrize("name", [{"id": "x"}, {}, {"family": "x"}, {"id": "x", "family": "x"}])
def test_ele_1_is_broken_where_hl7s_text_says_so(name: dict[str, Any]) -> None:
    program = fhirpath.compile(TEXTS["ele-1"], context_type="HumanName")
    assert reported("ele-1", {**PATIENT, "name": [name]}) is (program(name) != [True])


@pytest.mark.parametrize("reference", ["#p", "#q", "Patient/1"])
def test_ref_1_is_broken_where_hl7s_text_says_so(reference: str) -> None:
    resource = observation(CONTAINED, reference=reference)
    program = fhirpath.compile(TEXTS["ref-1"], context_type="Reference")
    found = program(resource["subject"], variables={"resource": resource, "rootResource": resource})
    assert reported("ref-1", resource) is (found != [True])


@pytest.mark.parametrize(
    "url", ["http://x.org/Patient/synthetic", "http://x.org/Patient/synthetic/_history/1"]
)
def test_bdl_8_is_broken_where_hl7s_text_says_so(url: str) -> None:
    bundle = changed(BUNDLE, ("entry.0.fullUrl", url), ("entry.1.resource.subject.reference", "Patient/1"))
    program = fhirpath.compile(TEXTS["bdl-8"], context_type="Bundle.entry")
    assert reported("bdl-8", bundle) is (program(bundle["entry"][0]) != [True])
