"""The reference validator as it is set up here finds each kind of fault, and nothing in good documents."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance import reference
from tests.conformance.reference import SHARED_PROFILES, Job, Message, packages, require_reference, validate

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.conformance

BASE = "https://toy.example/fhir"
ANIMALS = f"{BASE}/CodeSystem/animals"
SNOMED = "http://snomed.info/sct"


def described(kind: str, name: str, /, **more: Any) -> dict[str, Any]:
    """A canonical resource of the toy guide."""
    return {
        "resourceType": kind,
        "id": name,
        "url": f"{BASE}/{kind}/{name}",
        "version": "1.0.0",
        "name": name.title().replace("-", ""),
        "status": "active",
        **more,
    }


def coding(code: str, system: str = ANIMALS) -> dict[str, Any]:
    return {"system": system, "code": code}


CONTENT = [
    described("CodeSystem", "animals", content="complete", concept=[{"code": "cat"}, {"code": "dog"}]),
    described("ValueSet", "animals", compose={"include": [{"system": ANIMALS}]}),
    described(
        "ValueSet",
        "findings-by-rule",
        compose={
            "include": [
                {
                    "system": SNOMED,
                    "filter": [{"property": "concept", "op": "is-a", "value": "404684003"}],
                }
            ]
        },
    ),
    described(
        "ValueSet",
        "findings-listed",
        compose={"include": [{"system": SNOMED, "concept": [{"code": "22253000"}]}]},
    ),
    # No snapshot: the validator makes it.
    described(
        "StructureDefinition",
        "toy-patient",
        fhirVersion="4.0.1",
        kind="resource",
        abstract=False,
        type="Patient",
        baseDefinition="http://hl7.org/fhir/StructureDefinition/Patient",
        derivation="constraint",
        differential={
            "element": [
                {"id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1},
                {
                    "id": "Patient",
                    "path": "Patient",
                    "constraint": [
                        {
                            "key": "toy-1",
                            "severity": "error",
                            "human": "A patient that is active has a name",
                            "expression": "active.exists($this) implies name.exists()",
                        }
                    ],
                },
            ][::-1]
        },
    ),
    described(
        "StructureDefinition",
        "nickname",
        fhirVersion="4.0.1",
        kind="complex-type",
        abstract=False,
        context=[{"type": "element", "expression": "Patient"}],
        type="Extension",
        baseDefinition="http://hl7.org/fhir/StructureDefinition/Extension",
        derivation="constraint",
        differential={
            "element": [
                {
                    "id": "Extension.url",
                    "path": "Extension.url",
                    "fixedUri": f"{BASE}/StructureDefinition/nickname",
                },
                {
                    "id": "Extension.value[x]",
                    "path": "Extension.value[x]",
                    "min": 1,
                    "type": [{"code": "string"}],
                },
            ]
        },
    ),
    described(
        "Questionnaire",
        "pets",
        item=[
            {
                "linkId": "pet",
                "type": "choice",
                "required": True,
                "answerOption": [{"valueCoding": coding("cat")}, {"valueCoding": coding("dog")}],
            },
            {"linkId": "other", "type": "choice", "answerValueSet": f"{BASE}/ValueSet/animals"},
            {
                "linkId": "lives",
                "type": "integer",
                "enableWhen": [{"question": "pet", "operator": "=", "answerCoding": coding("cat")}],
                "extension": [
                    {"url": "http://hl7.org/fhir/StructureDefinition/maxValue", "valueInteger": 9},
                ],
            },
            {"linkId": "finding", "type": "choice", "answerValueSet": f"{BASE}/ValueSet/findings-by-rule"},
            {"linkId": "listed", "type": "choice", "answerValueSet": f"{BASE}/ValueSet/findings-listed"},
        ],
    ),
]

PATIENT: dict[str, Any] = {"resourceType": "Patient", "birthDate": "1950-01-01", "gender": "female"}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "weight"},
    "valueQuantity": {
        "value": Decimal("6.30"),
        "unit": "kg",
        "system": "http://unitsofmeasure.org",
        "code": "kg",
    },
}
PROFILE = f"{BASE}/StructureDefinition/toy-patient"


def response(**answers: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{BASE}/Questionnaire/pets|1.0.0",
        "status": "completed",
        "authored": "2026-01-05T10:00:00Z",
        "item": [{"linkId": name, "answer": [answer]} for name, answer in answers.items()],
    }


def sdc(name: str, **value: Any) -> dict[str, Any]:
    return {"url": f"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-{name}", **value}


PREFILLED = described(
    "Questionnaire",
    "prefilled",
    extension=[
        sdc(
            "launchContext",
            extension=[
                {
                    "url": "name",
                    "valueCoding": {
                        "system": "http://hl7.org/fhir/uv/sdc/CodeSystem/launchContext",
                        "code": "patient",
                    },
                },
                {"url": "type", "valueCode": "Patient"},
            ],
        )
    ],
    item=[
        {
            "extension": [
                sdc(
                    "initialExpression",
                    valueExpression={"language": "text/fhirpath", "expression": "%patient.birthDate"},
                )
            ],
            "linkId": "born",
            "type": "date",
        }
    ],
)

CAT = {"valueCoding": coding("cat")}
GOOD: dict[str, dict[str, Any] | str] = {
    "patient": PATIENT,
    "observation": OBSERVATION,
    "profiled": {**PATIENT, "meta": {"profile": [PROFILE]}},
    "own extension": {
        **PATIENT,
        "extension": [{"url": f"{BASE}/StructureDefinition/nickname", "valueString": "Bess"}],
    },
    "response": response(pet=CAT, other={"valueCoding": coding("dog")}, lives={"valueInteger": 9}),
    "response with a code that cannot be checked": response(
        pet=CAT, finding={"valueCoding": coding("22253000", SNOMED)}
    ),
    "response with a listed code": response(pet=CAT, listed={"valueCoding": coding("22253000", SNOMED)}),
    "questionnaire with SDC extensions": PREFILLED,
    "xml": '<Patient xmlns="http://hl7.org/fhir"><gender value="female"/></Patient>',
}

# Each with what its error says.
BAD: dict[str, tuple[dict[str, Any] | str, str]] = {
    "code": ({**PATIENT, "gender": "femail"}, "administrative-gender"),
    "element": ({**PATIENT, "hobby": "chess"}, "Unrecognized property 'hobby'"),
    "date": ({**PATIENT, "birthDate": "1950-13-01"}, "1950-13-01"),
    "invariant": ({**OBSERVATION, "dataAbsentReason": {"text": "lost"}}, "obs-6"),
    "profile's cardinality": (
        {"resourceType": "Patient", "meta": {"profile": [PROFILE]}},
        "Patient.birthDate: minimum required = 1",
    ),
    "profile's invariant": ({**PATIENT, "active": True, "meta": {"profile": [PROFILE]}}, "toy-1"),
    "unknown profile": ({**PATIENT, "meta": {"profile": [f"{PROFILE}-2"]}}, "toy-patient-2"),
    "unknown extension": (
        {**PATIENT, "extension": [{"url": f"{BASE}/StructureDefinition/x", "valueBoolean": True}]},
        "could not be found",
    ),
    "own extension's type": (
        {
            **PATIENT,
            "extension": [{"url": f"{BASE}/StructureDefinition/nickname", "valueBoolean": True}],
        },
        "boolean",
    ),
    "unit": (
        {
            **OBSERVATION,
            "valueQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": "stone"},
        },
        "stone",
    ),
    "option": (response(pet={"valueCoding": coding("cow")}), "cow"),
    "value set": (response(pet=CAT, other={"valueCoding": coding("cow")}), "cow"),
    "listed codes": (response(pet=CAT, listed={"valueCoding": coding("80891009", SNOMED)}), "80891009"),
    "type": (response(pet=CAT, other={"valueBoolean": True}), "not boolean"),
    "linkId": (response(pet=CAT, colour={"valueString": "red"}), "colour"),
    "required": (response(), "No response answer found for required item 'pet'"),
    "maximum": (response(pet=CAT, lives={"valueInteger": 10}), "greater than the allowed maximum of 9"),
    "disabled": (response(pet={"valueCoding": coding("dog")}, lives={"valueInteger": 1}), "not enabled"),
    "truncated": ('{"resourceType": "Patient", "id":', "End of input"),
    "duplicate key": ('{"resourceType": "Patient", "id": "a", "id": "b"}', "duplicate"),
}


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("toy")
    for resource in CONTENT:
        job = Job(resource["id"], resource)
        (folder / f"{resource['resourceType']}-{resource['id']}.json").write_text(job.text, encoding="utf-8")
    require_reference()
    return [*packages(), folder]


@pytest.fixture(scope="module")
def findings(load: list[Path]) -> dict[str, tuple[Message, ...]]:
    jobs = [Job(f"good {name}", document) for name, document in GOOD.items()]
    jobs += [Job(f"bad {name}", document) for name, (document, _) in BAD.items()]
    jobs += [Job(f"content {each['resourceType']}/{each['id']}", each) for each in CONTENT]
    jobs.append(Job("asked", {"resourceType": "Patient"}, profiles=(PROFILE,)))
    jobs.append(Job("asked unknown", PATIENT, profiles=(f"{PROFILE}-2",)))
    jobs.append(Job("unresolved", {**response(pet=CAT), "questionnaire": f"{BASE}/Questionnaire/pots"}))
    return validate(jobs, load)


def errors(found: tuple[Message, ...]) -> list[str]:
    return [str(message) for message in found if message.is_error]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_document_has_no_error(name: str, findings: dict[str, tuple[Message, ...]]) -> None:
    assert errors(findings[f"good {name}"]) == []


@pytest.mark.parametrize("name", BAD)
def test_each_fault_is_an_error_that_names_it(name: str, findings: dict[str, tuple[Message, ...]]) -> None:
    assert [said for said in errors(findings[f"bad {name}"]) if BAD[name][1] in said] != []


def test_the_toy_content_itself_is_valid(findings: dict[str, tuple[Message, ...]]) -> None:
    found = {name: errors(each) for name, each in findings.items() if name.startswith("content ")}
    assert found == {f"content {each['resourceType']}/{each['id']}": [] for each in CONTENT}


def test_a_profile_that_is_asked_for_is_checked(findings: dict[str, tuple[Message, ...]]) -> None:
    assert "Patient.birthDate: minimum required = 1" in errors(findings["asked"])[0]
    assert errors(findings["asked unknown"]) == [
        f"error at the document: profile not loaded: {PROFILE}-2 [PROFILE_NOT_LOADED]"
    ]


def test_a_code_that_cannot_be_checked_is_a_warning(findings: dict[str, tuple[Message, ...]]) -> None:
    found = findings["good response with a code that cannot be checked"]
    assert f"Not checked whether {SNOMED}#22253000" in " ".join(
        each.message for each in found if each.severity == "warning"
    )


def test_a_canonical_that_ought_to_be_loaded_and_is_not_is_found(
    findings: dict[str, tuple[Message, ...]],
) -> None:
    said = [str(each) for each in findings["unresolved"] if each.severity != "information"]
    assert any(f"{BASE}/Questionnaire/pots" in each for each in said)


def test_uk_core_is_checked_where_it_is_at_hand() -> None:
    if not all(path.is_dir() for path in SHARED_PROFILES):
        pytest.skip("the UK Core and CRMI profiles are not at hand")
    require_reference()
    base = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Observation-VitalSigns-BodyTemperature"
    found = validate([Job("temperature", OBSERVATION, profiles=(base,))], [*packages(), *SHARED_PROFILES])
    assert any("fixed to 'degree Celsius'" in said for said in errors(found["temperature"]))


def test_findings_are_kept_until_something_changes(
    load: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "CACHE", tmp_path)
    runs: list[list[str]] = []

    def run(jobs: list[Job], loads: list[Path]) -> dict[str, tuple[Message, ...]]:
        runs.append([job.id for job in jobs])
        return {job.id: (Message("error", "Patient", 1, 2, "id", job.text),) for job in jobs}

    monkeypatch.setattr(reference, "_run", run)
    other = copy.deepcopy(PATIENT) | {"gender": "male"}
    first = validate([Job("a", PATIENT), Job("b", other)], load)
    again = validate([Job("b", other), Job("c", PATIENT)], load)
    validate([Job("a", PATIENT, profiles=(PROFILE,))], load)
    validate([Job("a", PATIENT)], load[:-1])
    assert again == {"b": first["b"], "c": first["a"]}
    assert runs == [["a", "b"], [], ["a"], ["a"]]


def test_two_jobs_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="two jobs have the id a"):
        validate([Job("a", PATIENT), Job("a", OBSERVATION)], [])


def test_decimals_keep_their_digits() -> None:
    assert '"value":6.30,' in Job("a", OBSERVATION).text
