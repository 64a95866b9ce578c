"""The published resources as a whole: names, metadata, canonicals, profiles and snapshots, the guide."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from service import fhirpath
from service.fhirpath import R4
from tests.content import content
from tests.content.content import BASE, Resource
from tools import generate_guide

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "2006.1.0"
CRMI = "http://hl7.org/fhir/uv/crmi/StructureDefinition/crmi-"
CRMI_CHECKED = {
    "ActivityDefinition": ("publishable",),
    "CodeSystem": ("shareable", "publishable"),
    "ConceptMap": (
        "shareable",
    ),  # the publishable profile names a path of CodeSystem: no snapshot can be made
    "Library": ("shareable", "publishable"),
    "Measure": ("shareable", "publishable"),
    "PlanDefinition": ("shareable", "publishable"),
    "Questionnaire": ("shareable", "publishable"),
    "StructureDefinition": ("shareable", "publishable"),
    "ValueSet": ("shareable", "publishable"),
}
OUTSIDE = (
    "http://hl7.org/fhir/",
    "http://terminology.hl7.org/",
    "https://fhir.hl7.org.uk/",
    "http://snomed.info/sct",
    "http://loinc.org",
    "http://unitsofmeasure.org",
    "http://www.nice.org.uk/",
)
CANONICAL_PARTS = ("definitionCanonical", "valueCanonical", "answerValueSet", "valueSet", "baseDefinition")
PLACEHOLDERS = ("todo", "tbd", "lorem", "xxx", "fixme")


def _named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


FILES = sorted(content.files(), key=_named)
every_file = pytest.mark.parametrize("path", FILES, ids=_named)


@every_file
def test_a_file_is_named_by_its_resource_and_written_canonically(path: Path) -> None:
    """``ResourceType-id.json``; two spaces, UTF-8, a line end; elements in the order of the definition."""
    resource = content.files()[path]
    assert path.name == f"{resource['resourceType']}-{resource['id']}.json"
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    assert _misplaced(resource, resource["resourceType"]) == []


def _misplaced(value: Any, type_name: str, place: str = "") -> list[str]:
    """Where elements do not stand in the order of their type."""
    if isinstance(value, list):
        return [
            fault
            for index, each in enumerate(value)
            for fault in _misplaced(each, type_name, f"{place}[{index}]")
        ]
    if not isinstance(value, dict):
        return []
    type_name = value.get("resourceType", type_name)
    info = R4.type(type_name)
    order = {element.name: index for index, element in enumerate(info.elements.values())} if info else {}
    found, last = [], -1
    for name, child in value.items():
        field = info.fields.get(name.removeprefix("_")) if info else None
        if field is None:
            continue
        here = f"{place}.{name}"
        position = order[field[0].name]
        if position < last and type_name != "Extension":  # its url goes first in most published FHIR
            found.append(here)
        last = max(position, last)
        if not name.startswith("_"):
            found += _misplaced(child, field[1], here)
    return found


@every_file
def test_a_resource_has_its_canonical_version_and_standing(path: Path) -> None:
    """Canonical = base/Type/id; version, status, experimental until signed off; who publishes; where."""
    resource = content.files()[path]
    kind = resource["resourceType"]
    if resource["url"].startswith(BASE):
        assert resource["url"] == f"{BASE}/{kind}/{resource['id']}"
        if path.parent.parent.name == "profiles":
            assert resource["version"] == VERSION
    assert resource["status"] == "active"
    assert resource["experimental"] is True
    assert re.fullmatch(r"[A-Z]\w*", resource["name"]), resource["name"]
    for element in ("title", "publisher", "description", "date"):
        assert resource[element], element
    if path.parent.name == "htg117":
        assert resource["date"] == "2006-06-28"
        if "copyright" in resource:
            assert "© NICE 2006" in resource["copyright"]
            assert "not endorsed by NICE" in resource["copyright"]
        assert resource["jurisdiction"][0]["coding"][0]["code"] == "GB"


@every_file
def test_nothing_is_left_to_be_written(path: Path) -> None:
    """No placeholder stands in any text of ours; a snapshot repeats HL7's."""
    for place, value in content.nodes(content.files()[path]):
        if isinstance(value, str) and not place.startswith("snapshot"):
            words = set(re.findall(r"[a-z]+", value.lower()))
            assert words.isdisjoint(PLACEHOLDERS), place


@pytest.mark.parametrize("kind", ["PlanDefinition", "ActivityDefinition", "Library"])
def test_what_is_applied_says_where_it_comes_from(kind: str) -> None:
    """Citation, predecessor, patient information, review, endorser of the guidance, responsibility."""
    for resource in content.resources(kind):
        artefacts = {(each["type"], each.get("label")): each for each in resource["relatedArtifact"]}
        assert "978-1-4731-9146-4" in artefacts["citation", "HTG117"]["citation"], resource["id"]
        assert artefacts["predecessor", "IPG179"]["url"].endswith("/ipg179"), resource["id"]
        assert ("documentation", "Information for patients") in artefacts, resource["id"]
        assert resource["lastReviewDate"].startswith("2026-01"), resource["id"]
        assert "Healthcare Improvement Scotland" in resource["endorser"][0]["name"], resource["id"]
        assert "does not override their individual responsibility" in resource["usage"], resource["id"]
        assert resource["effectivePeriod"] == {"start": "2006-06-28"}, resource["id"]


@every_file
def test_the_crmi_profiles_are_claimed_where_they_can_be_checked(path: Path) -> None:
    """Shareable and publishable, of every type for which CRMI has them."""
    resource = content.files()[path]
    kinds = CRMI_CHECKED.get(resource["resourceType"], ())
    claimed = resource.get("meta", {}).get("profile", [])
    assert {f"{CRMI}{kind}{resource['resourceType'].lower()}" for kind in kinds} <= set(claimed)


def _canonicals(resource: Resource) -> list[tuple[str, str]]:
    """Every canonical reference in a resource with its path, its own url left out."""
    found = []
    for place, value in content.nodes(resource):
        name = re.sub(r"\[\d+\]$", "", place).rpartition(".")[2]
        if isinstance(value, str) and place != "url":
            ours = value.startswith(BASE) and not re.search(r"[\s']", value)
            if ours or (name in CANONICAL_PARTS and not value.startswith("#")):
                found.append((place, value))
    return found


def test_every_canonical_resolves_or_is_known_to_be_outside() -> None:
    """By url and, where it is asked for, by version."""
    held = {each["url"] for each in content.resources()}
    held |= {f"{each['url']}|{each['version']}" for each in content.resources()}
    lost = []
    for resource in content.resources():
        for place, value in _canonicals(resource):
            target = value.split("#")[0]
            if (
                target not in held
                and not target.startswith(OUTSIDE)
                and target.rstrip("/") != "https://htg117.example"
            ):
                lost.append(f"{resource['resourceType']}/{resource['id']} {place}: {value}")
    assert lost == []


@pytest.mark.parametrize(
    "resource", content.resources("StructureDefinition"), ids=lambda each: str(each["id"])
)
def test_a_profile_has_a_whole_snapshot_that_holds_its_differential(resource: Resource) -> None:
    """Each element of the base is in the snapshot, and each constraint of the differential is in it too."""
    snapshot = {each["id"]: each for each in resource["snapshot"]["element"]}
    base = R4.type(resource["type"])
    assert base is not None
    assert next(iter(snapshot)) == resource["type"]
    for element in base.elements.values():
        name = f"{element.name}[x]" if element.choice else element.name
        assert f"{resource['type']}.{name}" in snapshot
    for each in resource["differential"]["element"]:
        held = snapshot[each["id"]]
        for key in ("min", "max", "fixedUri", "sliceName", "mustSupport", "short", "binding"):
            if key in each:
                expected = each[key]
                actual = {k: held[key].get(k) for k in expected} if key == "binding" else held[key]
                assert actual == expected, f"{each['id']}.{key}"
        assert {rule["key"] for rule in each.get("constraint", ())} <= {
            rule["key"] for rule in held.get("constraint", ())
        }, each["id"]


@pytest.mark.parametrize(
    "resource", content.resources("StructureDefinition"), ids=lambda each: str(each["id"])
)
def test_the_invariants_of_a_profile_compile(resource: Resource) -> None:
    """Ours are FHIRPath that the engine reads."""
    for element in resource["differential"]["element"]:
        for rule in element.get("constraint", ()):
            fhirpath.compile(rule["expression"], context_type=element["path"])


def test_an_unknown_without_a_reason_breaks_the_outcome_profile() -> None:
    """elo-1 says exactly: unknown has a reason or an error, and nothing else has."""
    profile = content.resource("StructureDefinition", "eligibility-outcome")
    rule = next(
        each
        for element in profile["differential"]["element"]
        for each in element.get("constraint", ())
        if each["key"] == "elo-1"
    )
    program = fhirpath.compile(rule["expression"], context_type="Observation.component")
    reason = {"extension": [{"url": f"{BASE}/StructureDefinition/unknown-reason"}]}
    failed = {"dataAbsentReason": {"coding": [{"code": "error"}]}}

    def component(truth: str, **more: Any) -> Resource:
        return {"valueCodeableConcept": {"coding": [{"code": truth}]}, **more}

    assert [
        program(component("met")),
        program(component("not-met", **reason)),
        program(component("unknown")),
        program(component("unknown", **reason)),
        program(component("unknown", **failed)),
    ] == [[True], [False], [False], [True], [True]]


def test_the_guide_lists_every_resource_that_is_there() -> None:
    """The list equals the files; ``make generate`` makes it so."""
    guide = content.resource("ImplementationGuide", "htg117")
    listed = [each["reference"]["reference"] for each in guide["definition"]["resource"]]
    files = [
        f"{each['resourceType']}/{each['id']}"
        for each in content.resources()
        if each["resourceType"] != "ImplementationGuide"
    ]
    assert sorted(listed) == sorted(files)
    assert generate_guide.GUIDE.read_text(encoding="utf-8") == generate_guide.guide()


def test_the_capability_statement_names_only_what_exists() -> None:
    """Types, search parameters once each, own operations with a definition of that code."""
    statement = content.resource("CapabilityStatement", "htg117-server")
    definitions = {each["url"]: each for each in content.resources("OperationDefinition")}
    for each in statement["rest"][0]["resource"]:
        assert R4.type(each["type"]) is not None
        names = [parameter["name"] for parameter in each["searchParam"]]
        assert len(names) == len(set(names)), each["type"]
        for operation in each["operation"]:
            if operation["definition"] in definitions:
                definition = definitions[operation["definition"]]
                assert (definition["code"], definition["resource"]) == (operation["name"], [each["type"]])
    served = {each["type"] for each in statement["rest"][0]["resource"]}
    assert {each["resourceType"] for each in content.resources()} <= served
