"""Definition-based extraction, rule by rule (SDC 4.0, Form Data Extraction, Definition-based extraction)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from service.domain.issues import Severity
from service.fhir.extraction import Extraction, check, extract
from tests.fhir.extraction.samples import complex_ext, ext, form, item, new_id, part, questionnaire

Json = dict[str, Any]
CORE = "http://hl7.org/fhir/StructureDefinition/"
PATIENT = CORE + "Patient"
OBSERVATION = CORE + "Observation"


def start(canonical: str = PATIENT, *parts: Json) -> Json:
    return complex_ext("definitionExtract", part("definition", valueCanonical=canonical), *parts)


def fixed(path: str, canonical: str = PATIENT, **value: Any) -> Json:
    return complex_ext(
        "definitionExtractValue",
        part("definition", valueUri=f"{canonical}#{path}"),
        part("fixed-value", **value),
    )


def calculated(path: str, expression: str, canonical: str = PATIENT) -> Json:
    said = {"language": "text/fhirpath", "expression": expression}
    return complex_ext(
        "definitionExtractValue",
        part("definition", valueUri=f"{canonical}#{path}"),
        part("expression", valueExpression=said),
    )


def question(
    link_id: str,
    path: str | None,
    kind: str = "string",
    *extension: Json,
    canonical: str = PATIENT,
    **more: Any,
) -> Json:
    found: Json = {"linkId": link_id, "type": kind, **more}
    if path is not None:
        found["definition"] = f"{canonical}#{path}"
    return {**found, "extension": list(extension)} if extension else found


def run(source: Json, *items: Json, profiles: dict[str, Json] | None = None) -> Extraction:
    return extract(form(*items), source, new_id=new_id, resolve=(profiles or {}).get)


def text(link_id: str, *texts: str, items: list[Json] | None = None) -> Json:
    return item(link_id, *({"valueString": one} for one in texts), items=items)


def made(questions: list[Json], items: list[Json], *extension: Json, canonical: str = PATIENT) -> Json:
    """The one resource extracted by a form whose root starts it, without issues."""
    found = run(questionnaire(*questions, extension=[start(canonical), *extension]), *items)
    assert found.issues == ()
    (entry,) = found.bundle["entry"]
    resource: Json = entry["resource"]
    kind = resource.pop("resourceType")
    assert kind == canonical.removeprefix(CORE)
    return resource


NAME = question(
    "name",
    "Patient.name",
    "group",
    repeats=True,
    item=[
        question("given", "Patient.name.given", repeats=True),
        question("family", "Patient.name.family"),
        question("whole", "Patient.name.text"),
    ],
)
CODING = {"system": "https://example.org/cs", "code": "male", "display": "Male"}

RULES: list[tuple[str, list[Json], list[Json], tuple[Json, ...], Json]] = [
    (
        "a group is one element, its items go into it",
        [NAME],
        [
            item("name", items=[text("given", "A", "B"), text("family", "F")]),
            item("name", items=[text("whole", "T")]),
        ],
        (),
        {"name": [{"given": ["A", "B"], "family": "F"}, {"text": "T"}]},
    ),
    (
        "elements on the way are made",
        [question("q", "Patient.contact.name.text")],
        [text("q", "C")],
        (),
        {"contact": [{"name": {"text": "C"}}]},
    ),
    (
        "items beside each other each make their own repetition",
        [question("a", "Patient.identifier.value"), question("b", "Patient.identifier.value")],
        [text("a", "1"), text("b", "2")],
        (),
        {"identifier": [{"value": "1"}, {"value": "2"}]},
    ),
    (
        "elements that do not repeat are one",
        [question("a", "Patient.maritalStatus.text"), question("b", "Patient.maritalStatus.id")],
        [text("a", "1"), text("b", "2")],
        (),
        {"maritalStatus": {"text": "1", "id": "2"}},
    ),
    (
        "values of an item join its element at the common ancestor",
        [
            question(
                "q",
                "Patient.identifier.value",
                "string",
                fixed("Patient.identifier.system", valueUri="https://example.org/n"),
                fixed("Patient.identifier.type.text", valueString="N"),
            )
        ],
        [text("q", "1")],
        (),
        {"identifier": [{"value": "1", "system": "https://example.org/n", "type": {"text": "N"}}]},
    ),
    (
        "values of an item without definition share what they make",
        [],
        [],
        (
            fixed("Patient.identifier.system", valueUri="https://example.org/n"),
            calculated("Patient.identifier.value", "%resource.id"),
            fixed("Patient.identifier.system", valueUri="https://example.org/m"),
        ),
        {
            "identifier": [
                {"system": "https://example.org/n", "value": "form-1"},
                {"system": "https://example.org/m"},
            ]
        },
    ),
    (
        "an extension with its url",
        [
            question(
                "q",
                "Patient.extension.value",
                "boolean",
                fixed("Patient.extension.url", valueUri="https://example.org/e"),
            )
        ],
        [item("q", {"valueBoolean": True})],
        (),
        {"extension": [{"valueBoolean": True, "url": "https://example.org/e"}]},
    ),
    (
        "items below an answer join its element",
        [
            question(
                "q", "Patient.contact.name.text", item=[question("g", "Patient.contact.gender", "choice")]
            )
        ],
        [item("q", {"valueString": "C", "item": [item("g", {"valueCoding": CODING})]})],
        (),
        {"contact": [{"name": {"text": "C"}, "gender": "male"}]},
    ),
    (
        "several answers repeat the deepest element that can",
        [question("q", "Patient.communication.language.text", repeats=True)],
        [text("q", "cy", "en")],
        (),
        {"communication": [{"language": {"text": "cy"}}, {"language": {"text": "en"}}]},
    ),
    (
        "a Coding is cast to a code",
        [question("q", "Patient.gender", "choice")],
        [item("q", {"valueCoding": CODING})],
        (),
        {"gender": "male"},
    ),
    (
        "a choice takes the answer's type",
        [question("q", "Patient.deceased", "boolean")],
        [item("q", {"valueBoolean": False})],
        (),
        {"deceasedBoolean": False},
    ),
    (
        "a date into a choice of dateTime",
        [question("q", "Patient.deceased[x]", "date")],
        [item("q", {"valueDate": "2026-01-01"})],
        (),
        {"deceasedDateTime": "2026-01-01"},
    ),
    (
        "an expression over several answers",
        [
            question(
                "q", None, "string", calculated("Patient.name.text", "answer.value.join(' ')"), repeats=True
            )
        ],
        [text("q", "A", "B")],
        (),
        {"name": [{"text": "A B"}]},
    ),
    (
        "a value of an item that is not answered is not set",
        [question("q", None, "string", fixed("Patient.active", valueBoolean=True))],
        [item("q")],
        (),
        {},
    ),
    ("a hidden item holds the id", [question("id", "Patient.id")], [text("id", "p1")], (), {"id": "p1"}),
]


@pytest.mark.parametrize(
    ("questions", "items", "extension", "expected"),
    [rule[1:] for rule in RULES],
    ids=[rule[0] for rule in RULES],
)
def test_a_rule(
    questions: list[Json], items: list[Json], extension: tuple[Json, ...], expected: Json
) -> None:
    assert made(questions, items, *extension) == expected


UNIT = {
    "url": CORE + "questionnaire-unit",
    "valueCoding": {"system": "http://unitsofmeasure.org", "code": "m"},
}
QUANTITIES: list[tuple[str, list[Json]]] = [
    (
        "Observation.value[x]:valueQuantity.value",
        [
            fixed("Observation.value[x]:valueQuantity.code", OBSERVATION, valueCode="m"),
            fixed("Observation.valueQuantity.unit", OBSERVATION, valueString="m"),
            fixed("Observation.valueQuantity.system", OBSERVATION, valueUri="http://unitsofmeasure.org"),
        ],
    ),
    ("Observation.valueQuantity", [UNIT]),
    ("Observation.value[x]", [UNIT]),
]


@pytest.mark.parametrize(("path", "extension"), QUANTITIES)
def test_quantities(path: str, extension: list[Json]) -> None:
    found = made(
        [question("q", path, "decimal", *extension, canonical=OBSERVATION)],
        [item("q", {"valueDecimal": Decimal("1.80")})],
        canonical=OBSERVATION,
    )
    expected = {"value": Decimal("1.80"), "unit": "m", "system": "http://unitsofmeasure.org", "code": "m"}
    assert found == {"valueQuantity": expected}
    assert str(found["valueQuantity"]["value"]) == "1.80"


def test_a_resource_with_an_id_is_put() -> None:
    found = run(
        questionnaire(
            question("id", "Patient.id"), extension=[start(PATIENT, part("ifMatch", valueString="'W/\"2\"'"))]
        ),
        text("id", "p1"),
    )
    assert found.bundle["entry"] == [
        {
            "fullUrl": "urn:uuid:#definitionExtract[0]",
            "resource": {"resourceType": "Patient", "id": "p1"},
            "request": {"method": "PUT", "url": "Patient/p1", "ifMatch": 'W/"2"'},
        }
    ]


def test_an_item_starts_a_resource_only_where_it_is_answered_and_one_for_each_repetition() -> None:
    family = {
        "linkId": "g",
        "type": "group",
        "repeats": True,
        "extension": [
            ext("extractAllocateId", valueString="id"),
            start(PATIENT, part("fullUrl", valueString="%id")),
        ],
        "item": [question("q", "Patient.name.text")],
    }
    found = run(
        questionnaire(family),
        item("g", items=[text("q", "A")]),
        item("g", items=[item("q")]),
        item("g", items=[text("q", "B")]),
    )
    assert [(entry.full_url, entry.resource["name"]) for entry in found.entries] == [
        ("urn:uuid:g[0]%id", [{"text": "A"}]),
        ("urn:uuid:g[2]%id", [{"text": "B"}]),
    ]


def test_a_repeating_question_that_starts_a_resource_makes_one_for_each_answer() -> None:
    source = questionnaire(question("q", "Patient.name.text", "string", start(), repeats=True))
    found = run(source, text("q", "A", "B"))
    assert [(entry.key, entry.resource["name"]) for entry in found.entries] == [
        ("q[0].0#definitionExtract[0]", [{"text": "A"}]),
        ("q[0].1#definitionExtract[0]", [{"text": "B"}]),
    ]


def test_definitions_may_be_interleaved() -> None:
    source = questionnaire(
        question("name", "Patient.name.text"),
        question("pulse", "Observation.valueInteger", "integer", canonical=OBSERVATION),
        extension=[start(), start(OBSERVATION)],
    )
    found = run(source, text("name", "A"), item("pulse", {"valueInteger": 60}))
    assert [entry.resource for entry in found.entries] == [
        {"resourceType": "Patient", "name": [{"text": "A"}]},
        {"resourceType": "Observation", "valueInteger": 60},
    ]


def test_several_answers_for_one_element_are_an_error() -> None:
    source = questionnaire(NAME, extension=[start()])
    found = run(source, item("name", items=[text("whole", "A", "B")]))
    assert found.fails
    assert found.issues[0].expression == "Questionnaire.item[0].item[2].definition"


def test_what_does_not_fit_is_left_out_and_said() -> None:
    source = questionnaire(question("q", "Patient.birthDate", "boolean"), extension=[start()])
    found = run(source, item("q", {"valueBoolean": True}))
    assert found.fails
    assert found.entries[0].resource == {"resourceType": "Patient"}


def test_the_deprecated_context_still_starts_a_resource() -> None:
    source = questionnaire(
        question("q", "Patient.name.text"), extension=[ext("itemExtractionContext", valueCode="Patient")]
    )
    assert run(source, text("q", "A")).entries[0].resource == {
        "resourceType": "Patient",
        "name": [{"text": "A"}],
    }


PROFILE = "https://example.org/StructureDefinition/local-patient"


def element(id_: str, **more: Any) -> Json:
    return {"id": id_, "path": id_, **more}


LOCAL: Json = {
    "resourceType": "StructureDefinition",
    "url": PROFILE,
    "type": "Patient",
    "snapshot": {
        "element": [
            element("Patient"),
            element("Patient.extension", base={"max": "*"}),
            element(
                "Patient.extension:birthPlace",
                type=[
                    {"code": "Extension", "profile": ["https://example.org/StructureDefinition/birth-place"]}
                ],
            ),
            element(
                "Patient.identifier",
                base={"max": "*"},
                slicing={"discriminator": [{"type": "value", "path": "system"}]},
            ),
            element("Patient.identifier:nhs", min=0),
            element(
                "Patient.identifier:nhs.system", min=0, base={"max": "1"}, fixedUri="https://example.org/nhs"
            ),
            element("Patient.identifier:nhs.use", min=1, base={"max": "1"}, fixedCode="official"),
            element("Patient.identifier:nhs.value", min=1, base={"max": "1"}),
            element("Patient.identifier:local", min=0),
            element(
                "Patient.maritalStatus",
                min=1,
                base={"max": "1"},
                patternCodeableConcept={"coding": [{"code": "S"}]},
            ),
            element("Patient.contact", min=0, base={"max": "*"}),
            element("Patient.contact.gender", min=1, base={"max": "1"}, fixedCode="unknown"),
            element("Patient.communication", min=1, base={"max": "*"}),
            element("Patient.communication:welsh", min=1),
            element(
                "Patient.communication:welsh.language",
                min=1,
                base={"max": "1"},
                patternCodeableConcept={"coding": [{"code": "cy"}]},
            ),
            element("Patient.generalPractitioner", min=0, base={"max": "*"}),
        ]
    },
}


def test_a_profile_gives_its_slices_fixed_values_and_required_elements() -> None:
    questions = [
        question("nhs", "Patient.identifier:nhs.value", canonical=PROFILE),
        question("place", "Patient.extension:birthPlace.value[x]", canonical=PROFILE),
        question("contact", "Patient.contact.name.text", canonical=PROFILE),
        question("status", "Patient.maritalStatus.text", canonical=PROFILE),
    ]
    found = run(
        questionnaire(*questions, extension=[start(PROFILE)]),
        text("nhs", "999"),
        text("place", "P"),
        text("contact", "C"),
        text("status", "single"),
        profiles={PROFILE: LOCAL},
    )
    assert found.issues == ()
    assert found.entries[0].resource == {
        "resourceType": "Patient",
        "meta": {"profile": [PROFILE]},
        "extension": [{"url": "https://example.org/StructureDefinition/birth-place", "valueString": "P"}],
        "identifier": [{"use": "official", "system": "https://example.org/nhs", "value": "999"}],
        "maritalStatus": {"text": "single", "coding": [{"code": "S"}]},
        "contact": [{"name": {"text": "C"}, "gender": "unknown"}],
        "communication": [{"language": {"coding": [{"code": "cy"}]}}],
    }


VITAL = "https://example.org/StructureDefinition/vital"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
ONE, MANY = {"max": "1"}, {"max": "*"}
VITAL_SIGN: Json = {
    "resourceType": "StructureDefinition",
    "url": VITAL,
    "type": "Observation",
    "snapshot": {
        "element": [
            element("Observation"),
            element("Observation.category", min=1, base=MANY),
            element("Observation.category:VSCat", min=1, base=MANY),
            element("Observation.category:VSCat.coding", min=1, base=MANY),
            element("Observation.category:VSCat.coding.system", min=1, base=ONE, fixedUri=CATEGORIES),
            element("Observation.category:VSCat.coding.code", min=1, base=ONE, fixedCode="vital-signs"),
            element("Observation.value[x]", min=0, base=ONE, type=[{"code": "Quantity"}]),
            element("Observation.value[x]:valueQuantity", min=0, base=ONE, type=[{"code": "Quantity"}]),
            element(
                "Observation.value[x]:valueQuantity.system",
                min=1,
                base=ONE,
                fixedUri="http://unitsofmeasure.org",
            ),
        ]
    },
}


@pytest.mark.parametrize(
    "path", ["value[x]", "valueQuantity", "value[x]:valueQuantity", "value[x]:valueQuantity.value"]
)
def test_a_required_slice_is_extracted_without_a_question(path: str) -> None:
    source = questionnaire(
        question("q", f"Observation.{path}", "decimal", canonical=VITAL), extension=[start(VITAL)]
    )
    found = run(source, item("q", {"valueDecimal": Decimal(2)}), profiles={VITAL: VITAL_SIGN})
    assert found.issues == ()
    assert found.entries[0].resource == {
        "resourceType": "Observation",
        "meta": {"profile": [VITAL]},
        "category": [{"coding": [{"system": CATEGORIES, "code": "vital-signs"}]}],
        "valueQuantity": {"value": Decimal(2), "system": "http://unitsofmeasure.org"},
    }


FAULTS: list[tuple[str, list[Json], list[Json], Severity, str]] = [
    (
        "a profile that is not held",
        [start("https://example.org/none")],
        [],
        Severity.ERROR,
        "Questionnaire.extension[0]",
    ),
    ("one definition twice in a scope", [start(), start()], [], Severity.ERROR, "Questionnaire.extension[1]"),
    (
        "no such element",
        [start()],
        [question("q", "Patient.sex")],
        Severity.ERROR,
        "Questionnaire.item[0].definition",
    ),
    (
        "a choice that is not told",
        [start()],
        [question("q", "Patient.extension.value.code")],
        Severity.ERROR,
        "Questionnaire.item[0].definition",
    ),
    (
        "a value for nothing that is started",
        [fixed("Patient.active", valueBoolean=True)],
        [],
        Severity.WARNING,
        "Questionnaire.extension[0]",
    ),
    (
        "a launch context",
        [start(), calculated("Patient.id", "%patient.id")],
        [],
        Severity.ERROR,
        "Questionnaire.extension[1]",
    ),
    (
        "a query that cannot be asked",
        [
            ext(
                "itemExtractionContext",
                valueExpression={
                    "language": "application/x-fhir-query",
                    "expression": "Patient?_id={{%patient.id}}",
                },
            )
        ],
        [],
        Severity.ERROR,
        "Questionnaire.extension[0]",
    ),
]


@pytest.mark.parametrize(
    ("extension", "questions", "severity", "place"),
    [one[1:] for one in FAULTS],
    ids=[one[0] for one in FAULTS],
)
def test_check_names_faults(
    extension: list[Json], questions: list[Json], severity: Severity, place: str
) -> None:
    found = check(questionnaire(*questions, extension=extension))
    assert [(issue.severity, issue.expression) for issue in found] == [(severity, place)]
