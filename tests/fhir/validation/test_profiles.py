"""Profiles: cardinality, values, slices, bindings, invariants; and what cannot be checked is said."""

from __future__ import annotations

from typing import Any

import pytest

from service.fhir import validation
from tests.fhir.validation.samples import BUNDLE, GONE, OBSERVATION, PATIENT, changed

BASE = "https://example.org/StructureDefinition/"
CODES = "https://example.org/CodeSystem/codes"
VALUES = "https://example.org/ValueSet/values"
HL7 = "http://hl7.org/fhir/StructureDefinition/"


def element(identifier: str, **rules: Any) -> dict[str, Any]:
    steps = identifier.split(".")
    made: dict[str, Any] = {"id": identifier, "path": ".".join(step.partition(":")[0] for step in steps)}
    if ":" in steps[-1]:
        made["sliceName"] = steps[-1].partition(":")[2]
    return made | rules


def profile(name: str, of: str, *elements: dict[str, Any], base: str = "", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "StructureDefinition",
        "id": name,
        "url": BASE + name,
        "version": "1",
        "name": name.title(),
        "status": "active",
        "fhirVersion": "4.0.1",
        "kind": "resource",
        "abstract": False,
        "type": of,
        "baseDefinition": base or HL7 + of,
        "derivation": "constraint",
        "differential": {"element": [{"id": of, "path": of}, *elements]},
        **more,
    }


def slicing(kind: str, path: str, rules: str = "open", **more: Any) -> dict[str, Any]:
    return {"discriminator": [{"type": kind, "path": path}], "rules": rules, **more}


def concept(code: str) -> dict[str, Any]:
    return {"coding": [{"system": CODES, "code": code}]}


def components(*codes: str, **value: Any) -> list[dict[str, Any]]:
    return [{"code": concept(code), **(value or {"valueInteger": 1})} for code in codes]


PROFILES = (
    profile(
        "counts",
        "Observation",
        element("Observation.performer", max="1"),
        element("Observation.note", min=1),
        element("Observation.method", max="0"),
    ),
    profile(
        "values",
        "Observation",
        element("Observation.status", fixedCode="final"),
        element("Observation.code", patternCodeableConcept=concept("a")),
        element("Observation.value[x]", min=1, type=[{"code": "Quantity"}]),
        element("Observation.value[x].unit", min=1),
    ),
    profile(
        "pattern-slices",
        "Observation",
        element("Observation.component", min=1, slicing=slicing("pattern", "code")),
        element("Observation.component:one", min=1, max="1"),
        element("Observation.component:one.code", patternCodeableConcept=concept("one")),
        element("Observation.component:one.value[x]", min=1, type=[{"code": "integer"}]),
    ),
    profile(
        "closed-slices",
        "Observation",
        element(
            "Observation.component", slicing=slicing("value", "code.coding.code", "closed", ordered=True)
        ),
        element("Observation.component:one"),
        element("Observation.component:one.code.coding.code", fixedCode="one"),
        element("Observation.component:two"),
        element("Observation.component:two.code.coding.code", fixedCode="two"),
    ),
    profile(
        "open-at-end",
        "Patient",
        element("Patient.telecom", slicing=slicing("value", "system", "openAtEnd")),
        element("Patient.telecom:phone"),
        element("Patient.telecom:phone.system", min=1, fixedCode="phone"),
    ),
    profile(
        "exists-slices",
        "Observation",
        element("Observation.component", slicing=slicing("exists", "value")),
        element("Observation.component:with", max="1"),
        element("Observation.component:with.value[x]", min=1),
        element("Observation.component:without", max="1"),
        element("Observation.component:without.value[x]", max="0"),
    ),
    profile(
        "type-slices",
        "Observation",
        element("Observation.value[x]", slicing=slicing("type", "$this")),
        element("Observation.value[x]:valueQuantity", type=[{"code": "Quantity"}]),
        element("Observation.value[x]:valueQuantity.code", fixedCode="kg"),
    ),
    profile(
        "bound",
        "Observation",
        element("Observation.code", binding={"strength": "required", "valueSet": VALUES}),
        element("Observation.method", binding={"strength": "extensible", "valueSet": VALUES}),
        element("Observation.bodySite", binding={"strength": "required", "valueSet": VALUES + "-elsewhere"}),
    ),
    profile(
        "ruled",
        "Observation",
        element(
            "Observation.code",
            constraint=[
                {
                    "key": "own-1",
                    "severity": "error",
                    "human": "a code needs words",
                    "expression": "text.exists()",
                }
            ],
        ),
    ),
    profile(
        "limited",
        "Observation",
        element("Observation.value[x]", type=[{"code": "integer"}], minValueInteger=1, maxValueInteger=10),
    ),
    profile(
        "derived",
        "Observation",
        element("Observation.component:one", max="1"),
        element("Observation.component:one.interpretation", min=1),
        base=BASE + "pattern-slices",
    ),
    profile(
        "aimed",
        "Observation",
        element("Observation.subject", type=[{"code": "Reference", "targetProfile": [BASE + "person"]}]),
    ),
    profile("person", "Patient", element("Patient.birthDate", min=1)),
    profile(
        "entries",
        "Bundle",
        element("Bundle.entry", slicing=slicing("type", "resource")),
        element("Bundle.entry:person", min=1, max="1"),
        element(
            "Bundle.entry:person.resource", min=1, type=[{"code": "Patient", "profile": [BASE + "person"]}]
        ),
    ),
    profile(
        "extended",
        "Patient",
        element("Patient.extension", slicing=slicing("value", "url")),
        element("Patient.extension:mark", min=1, type=[{"code": "Extension", "profile": [BASE + "mark"]}]),
    ),
    profile(
        "mark",
        "Extension",
        element("Extension.url", fixedUri=BASE + "mark"),
        element(
            "Extension.value[x]",
            min=1,
            type=[{"code": "code"}],
            binding={
                "strength": "required",
                "valueSet": "http://hl7.org/fhir/ValueSet/administrative-gender",
            },
        ),
        kind="complex-type",
        context=[{"type": "element", "expression": "Patient"}],
    ),
    profile("orphan", "Observation", base=BASE + "not-held"),
)

HELD: dict[str, dict[str, Any]] = {each["url"]: each for each in PROFILES}
HELD[CODES] = {
    "resourceType": "CodeSystem",
    "url": CODES,
    "status": "active",
    "content": "complete",
    "concept": [{"code": code} for code in ("a", "b", "one", "two")],
}
HELD[VALUES] = {
    "resourceType": "ValueSet",
    "url": VALUES,
    "status": "active",
    "compose": {"include": [{"system": CODES, "concept": [{"code": "a"}]}]},
}


def held(canonical: str) -> dict[str, Any] | None:
    return HELD.get(canonical.partition("|")[0])


def found(resource: dict[str, Any], name: str) -> list[tuple[str, str, str]]:
    issues = validation.check(resource, profiles=[BASE + name], resolve=held)
    return [(issue.severity.value, issue.expression, issue.key) for issue in issues]


OBS, P, B = OBSERVATION, PATIENT, BUNDLE
NOTE = ("note", [{"text": "x"}])
KG = {"value": 1, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
MARK = {"url": BASE + "mark", "valueCode": "male"}
INTEGER = [("valueQuantity", GONE), ("valueInteger", 5)]

CASES: dict[str, tuple[str, dict[str, Any], list[tuple[str, Any]], list[tuple[str, str, str]]]] = {
    "counts kept": ("counts", OBS, [NOTE], []),
    "too few": ("counts", OBS, [], [("error", "Observation", "minimum")]),
    "too many": (
        "counts",
        OBS,
        [NOTE, ("performer", OBS["performer"] * 2)],
        [("error", "Observation", "maximum")],
    ),
    "forbidden": ("counts", OBS, [NOTE, ("method", {"text": "x"})], [("error", "Observation", "maximum")]),
    "values kept": ("values", OBS, [("code", {**concept("a"), "text": "x"})], []),
    "fixed": (
        "values",
        OBS,
        [("code", concept("a")), ("status", "amended")],
        [("error", "Observation.status", "fixed")],
    ),
    "pattern": ("values", OBS, [("code", concept("b"))], [("error", "Observation.code", "pattern")]),
    "type": ("values", OBS, [("code", concept("a")), *INTEGER], [("error", "Observation.value", "type")]),
    "child": (
        "values",
        OBS,
        [("code", concept("a")), ("valueQuantity.unit", GONE)],
        [("error", "Observation.value", "minimum")],
    ),
    "slice kept": ("pattern-slices", OBS, [("component", components("one", "two"))], []),
    "slice missing": (
        "pattern-slices",
        OBS,
        [("component", components("two"))],
        [("error", "Observation", "minimum")],
    ),
    "slice twice": (
        "pattern-slices",
        OBS,
        [("component", components("one", "one"))],
        [("error", "Observation", "maximum")],
    ),
    "slice's child": (
        "pattern-slices",
        OBS,
        [("component", components("one", valueString="x"))],
        [("error", "Observation.component[0].value", "type")],
    ),
    "closed kept": ("closed-slices", OBS, [("component", components("one", "two"))], []),
    "closed broken": (
        "closed-slices",
        OBS,
        [("component", components("one", "a"))],
        [("error", "Observation.component[1]", "slicing")],
    ),
    "order broken": (
        "closed-slices",
        OBS,
        [("component", components("two", "one"))],
        [("error", "Observation.component[1]", "slicing")],
    ),
    "open at the end": (
        "open-at-end",
        P,
        [("telecom", [{"system": "phone", "value": "1"}, {"system": "email", "value": "x"}])],
        [],
    ),
    "open before the end": (
        "open-at-end",
        P,
        [("telecom", [{"system": "email", "value": "x"}, {"system": "phone", "value": "1"}])],
        [("error", "Patient.telecom[0]", "slicing")],
    ),
    "exists": (
        "exists-slices",
        OBS,
        [("component", components("a", "b"))],
        [("error", "Observation", "maximum")],
    ),
    "type slice kept": ("type-slices", OBS, [("valueQuantity", KG)], []),
    "type slice": ("type-slices", OBS, [], [("error", "Observation.value.code", "fixed")]),
    "type slice of another type": ("type-slices", OBS, INTEGER, []),
    "bound": ("bound", OBS, [("code", concept("a"))], []),
    "required binding": ("bound", OBS, [("code", concept("b"))], [("error", "Observation.code", "binding")]),
    "required binding, text": ("bound", OBS, [], [("error", "Observation.code", "binding")]),
    "extensible binding": (
        "bound",
        OBS,
        [("code", concept("a")), ("method", concept("b"))],
        [("warning", "Observation.method", "binding")],
    ),
    "binding that is not held": (
        "bound",
        OBS,
        [("code", concept("a")), ("bodySite", concept("b"))],
        [("information", "Observation.bodySite", "binding-unchecked")],
    ),
    "unknown code": (
        "ruled",
        OBS,
        [("code", {**concept("zz"), "text": "x"})],
        [("error", "Observation.code.coding[0].code", "coding")],
    ),
    "rule": ("ruled", OBS, [("code", concept("a"))], [("error", "Observation.code", "own-1")]),
    "limit kept": ("limited", OBS, INTEGER, []),
    "least": (
        "limited",
        OBS,
        [("valueQuantity", GONE), ("valueInteger", 0)],
        [("error", "Observation.value", "minValue")],
    ),
    "greatest": (
        "limited",
        OBS,
        [("valueQuantity", GONE), ("valueInteger", 11)],
        [("error", "Observation.value", "maxValue")],
    ),
    "derived": (
        "derived",
        OBS,
        [("component", components("one"))],
        [("error", "Observation.component[0]", "minimum")],
    ),
    "derived, its base": (
        "derived",
        OBS,
        [],
        [("error", "Observation", "minimum"), ("error", "Observation", "minimum")],
    ),
    "target type": (
        "aimed",
        OBS,
        [("subject.reference", "Group/1")],
        [("error", "Observation.subject", "reference-target")],
    ),
    "target's profile": (
        "aimed",
        OBS,
        [("contained", [{"resourceType": "Patient", "id": "p"}]), ("subject.reference", "#p")],
        [("error", "Observation.subject", "reference-target")],
    ),
    "entries kept": ("entries", B, [], []),
    "entry's resource": (
        "entries",
        B,
        [("entry.0.resource.birthDate", GONE)],
        [("error", "Bundle.entry[0].resource", "minimum")],
    ),
    "entry missing": (
        "entries",
        B,
        [("entry", [B["entry"][0]]), ("entry.0.resource", {**OBS, "subject": {"display": "x"}})],
        [("error", "Bundle", "minimum")],
    ),
    "extension kept": ("extended", P, [("extension", [MARK])], []),
    "extension missing": ("extended", P, [], [("error", "Patient", "minimum")]),
    "extension's code": (
        "extended",
        P,
        [("extension", [{**MARK, "valueCode": "x"}])],
        [("error", "Patient.extension[0].value", "binding")],
    ),
    "extension's place": (
        "values",
        OBS,
        [("code", concept("a")), ("extension", [MARK])],
        [("error", "Observation.extension[0]", "extension-context")],
    ),
    "another type": ("person", OBS, [], [("error", "Observation", "profile")]),
    "a base that is not held": ("orphan", OBS, [], [("information", "Observation", "profile-unchecked")]),
    "not held": ("nowhere", OBS, [], [("information", "Observation", "profile-unchecked")]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_profile_is_kept_or_broken(name: str) -> None:
    wanted, resource, changes, expected = CASES[name]
    assert found(changed(resource, *changes), wanted) == expected


def test_a_claimed_profile_is_checked() -> None:
    claimed = changed(OBSERVATION, ("meta", {"profile": [BASE + "counts|1"]}))
    assert [issue.key for issue in validation.check(claimed, resolve=held)] == ["minimum"]


def test_a_claimed_profile_that_is_not_held_is_said_to_be_unchecked() -> None:
    claimed = changed(OBSERVATION, ("meta", {"profile": [BASE + "counts"]}))
    (issue,) = validation.check(claimed)
    assert (
        str(issue) == f"Observation: the profile {BASE}counts is not held here: what it asks was not checked"
    )


def test_a_profile_may_be_given_itself() -> None:
    given = validation.check(OBSERVATION, profiles=[HELD[BASE + "counts"]])
    assert [issue.key for issue in given] == ["minimum"]


def test_what_is_no_profile_is_said_to_be_none() -> None:
    (issue,) = validation.check(OBSERVATION, profiles=[{"resourceType": "StructureDefinition", "type": 5}])
    assert issue.key == "profile-unchecked"


def test_a_snapshot_serves_where_the_base_is_not_held() -> None:
    elements = [
        element("Observation", min=0, max="*"),
        element("Observation.note", min=1, max="*", base={"path": "Observation.note", "min": 0, "max": "*"}),
    ]
    whole = {**HELD[BASE + "orphan"], "snapshot": {"element": elements}}
    assert [issue.key for issue in validation.check(OBSERVATION, profiles=[whole])] == ["minimum"]
