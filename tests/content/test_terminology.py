"""The published terminology: every code is in the code table; systems, sets and maps match the guidance."""

from __future__ import annotations

import csv
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests.content import content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Coding = tuple[str, str, str | None]

SCT = "http://snomed.info/sct"
CLINICAL = frozenset(
    {
        SCT,
        "http://loinc.org",
        "http://hl7.org/fhir/sid/icd-10",
        "http://unitsofmeasure.org",
        "https://fhir.nhs.uk/Id/opcs-4",
        "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness",
        "http://terminology.hl7.org/CodeSystem/adverse-event-severity",
        "http://terminology.hl7.org/CodeSystem/adverse-event-outcome",
    }
)
TIME_UNITS = frozenset({"h", "wk", "mo"})
FORBIDDEN = frozenset({"95384003", "447766008", "392010000", "429616001", "72514-3", "E0504", "V44.4"})
SHARED = content.ROOT.parent / "shared" / "terminology"

# term: (paragraphs, kind, figures, device presumed), restated from sections 2 and 3 of the decision tables
TERMS: dict[str, tuple[tuple[str, ...], str, tuple[str, ...], bool]] = {
    "cement-leak": (("2.4.1",), "reported", ("1/18", "2/14", "3/11", "9/18"), True),
    "symptomatic-cement-leak": (("2.4.1",), "reported", ("1/18", "2/18"), True),
    "intra-articular-leak": (("2.4.1",), "case-report", (), True),
    "chondrolysis": (("2.4.1",), "case-report", (), True),
    "pain-worse-transient": (("2.4.2",), "reported", ("8/11",), False),
    "fever": (("2.4.2",), "reported", ("5/11",), False),
    "creatinine-raised": (("2.4.2",), "reported", ("1/11",), False),
    "venous-cement-embolus": (("2.4.3",), "theoretical", (), True),
    "nerve-injury": (("2.4.3",), "theoretical", (), False),
    "vascular-injury": (("2.4.3",), "theoretical", (), False),
    "pathological-fracture": (("2.4.3",), "concern", (), False),
    "infection": (("2.4.3",), "concern", (), False),
    "bleeding": (("2.4.3",), "concern", (), False),
    "thermal-damage": (("2.4.3",), "concern", (), True),
    "thermal-nerve-damage": (("2.4.3",), "concern", (), True),
    "anaphylaxis": ((), "project", (), False),
    "cement-implantation-syndrome": ((), "project", (), True),
    "pulmonary-embolism": ((), "project", (), False),
    "spinal-cord-compression": ((), "project", (), False),
    "sedation-reaction": ((), "project", (), False),
    "device-fault": ((), "project", (), False),
    "death-cause-unknown": (("2.4.3",), "theoretical", (), False),
    "other": ((), "project", (), False),
}


def codings_of(resource: content.Resource) -> Iterator[Coding]:
    """Every (system, code, display) of a resource; a quantity's unit counts as its display."""
    for include in resource.get("compose", {}).get("include", ()):
        for concept in include.get("concept", ()):
            yield include["system"], concept["code"], concept.get("display")
    for group in resource.get("group", ()) if resource["resourceType"] == "ConceptMap" else ():
        for element in group["element"]:
            yield group["source"], element["code"], element.get("display")
            for target in element["target"]:
                if "code" in target:
                    yield group["target"], target["code"], target.get("display")
    for _, value in content.nodes(resource):
        coded = isinstance(value, dict) and isinstance(value.get("code"), str) and "system" in value
        if coded and "resourceType" not in value and value["system"] != "urn:ietf:rfc:3986":
            yield value["system"], value["code"], value.get("display", value.get("unit"))


@cache
def table() -> dict[tuple[str, str], dict[str, str]]:
    """The project's code table by system and code."""
    with (content.ROOT / "mappings/shared/code-table.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = {(row["system"], row["code"]): row for row in rows}
    assert len(found) == len(rows)
    return found


@cache
def own() -> dict[tuple[str, str], str]:
    """The displays of the project's own concepts by system and code."""
    return {
        (system["url"], concept["code"]): concept["display"]
        for system in content.resources("CodeSystem")
        for concept in system["concept"]
    }


def verhoeff(number: str) -> bool:
    """Whether a number's last digit is its Verhoeff check digit (in the dihedral group of order 10)."""

    def times(a: int, b: int) -> int:
        turn = a + b if a < 5 else a - b
        return turn % 5 + 5 * ((a < 5) != (b < 5))

    permutation = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    check = 0
    for position, character in enumerate(reversed(number)):
        digit = int(character)
        for _ in range(position % 8):
            digit = permutation[digit]
        check = times(check, digit)
    return check == 0


def properties(concept: dict[str, Any], code: str) -> list[Any]:
    """The values of one property of a concept."""
    return [
        value
        for each in concept["property"]
        if each["code"] == code
        for name, value in each.items()
        if name.startswith("value")
    ]


@pytest.mark.parametrize("path", content.files(), ids=lambda path: path.name)
def test_every_coding_is_in_the_code_table_or_a_code_system_of_the_project(path: Path) -> None:
    unknown = []
    for system, code, display in codings_of(content.files()[path]):
        if system.startswith(content.BASE):
            known = own().get((system, code))
        else:
            known = table().get((system, code), {}).get("display")
        if known is None or display not in (known, None):
            unknown.append((system, code, display, known))
    assert unknown == []


def test_every_row_of_the_code_table_is_used_and_its_confidence_fits_its_system() -> None:
    used = {(system, code) for resource in content.resources() for system, code, _ in codings_of(resource)}
    assert {key for key in table() if key not in used} == set()
    for (system, code), row in table().items():
        clinical = system in CLINICAL and code not in TIME_UNITS
        assert row["confidence"] in (("HIGH", "MEDIUM") if clinical else ("STRUCTURE",)), (system, code)


def test_the_code_table_says_what_the_verified_codes_say() -> None:
    source = SHARED / "codes.csv"
    if not source.exists():
        pytest.skip("the table of verified codes is not beside this checkout")
    with source.open(newline="") as lines:
        verified = {
            (row["system"], row["code"]): (row["display"], row["confidence"]) for row in csv.DictReader(lines)
        }
    for (system, code), row in table().items():
        if row["confidence"] != "STRUCTURE":
            key = ("OPCS-4" if system.endswith("opcs-4") else system, code)
            assert verified[key] == (row["display"], row["confidence"])


def test_imdrf_terms_are_those_on_which_both_releases_agree() -> None:
    source = SHARED / "imdrf-subset.csv"
    if not source.exists():
        pytest.skip("the IMDRF terms are not beside this checkout")
    with source.open(newline="") as lines:
        rows = {row["imdrf_code"]: row for row in csv.DictReader(lines)}
    for annex in ("a", "e", "f"):
        for concept in content.resource("CodeSystem", f"imdrf-annex-{annex}")["concept"]:
            row = rows[concept["code"]]
            assert (row["annex"], row["same_term"], row["in_both"]) == (annex.upper(), "True", "True")
            assert row["term_imdrf_json_2024"] == concept["display"]


@pytest.mark.parametrize(
    ("number", "valid"),
    [("431312000", True), ("824731000000107", True), ("447766008", False), ("0", True), ("1", False)],
)
def test_the_check_digit_is_verhoeffs(number: str, valid: bool) -> None:
    assert verhoeff(number) is valid


def test_snomed_codes_pass_their_check_digit() -> None:
    codes = [code for system, code in table() if system == SCT]
    assert len(codes) > 30
    assert [code for code in codes if not verhoeff(code)] == []


def test_codes_that_mean_something_else_stand_nowhere() -> None:
    for path, resource in content.files().items():
        text = json.dumps(resource, default=str)
        # a comment may name a code to say that it must not be used: only codes and expressions count
        coded = {code for _, code, _ in codings_of(resource)}
        quoted = set(re.findall(r"'([A-Z]?[0-9][0-9.-]+)'", text))
        assert (coded | quoted) & FORBIDDEN == set(), path.name


def test_event_terms_carry_paragraph_kind_figures_and_the_reporting_rule() -> None:
    system = content.resource("CodeSystem", "htg117-event-terms")
    found = {
        concept["code"]: (
            tuple(properties(concept, "paragraph")),
            properties(concept, "kind")[0],
            tuple(properties(concept, "figures")),
            properties(concept, "device-presumed")[0],
        )
        for concept in system["concept"]
    }
    assert found == TERMS
    assert [c["code"] for c in system["concept"] if properties(c, "selectable") == [False]] == [
        "symptomatic-cement-leak"
    ]
    assert [c["code"] for c in system["concept"] if properties(c, "device-always") == [True]] == [
        "device-fault"
    ]
    chosen = content.resource("ValueSet", "htg117-event-terms")["compose"]["include"][0]["concept"]
    assert {c["code"] for c in chosen} == set(TERMS) - {"symptomatic-cement-leak"}


def test_figures_of_event_terms_are_those_of_the_evidence_table() -> None:
    evidence = json.loads((content.ROOT / "mappings/htg117/evidence.json").read_bytes())
    figures = {
        each["term"]: tuple(f"{study['n']}/{study['of']}" for study in each["studies"])
        for each in evidence["figures"]
        if "term" in each
    }
    assert figures == {term: row[2] for term, row in TERMS.items() if row[2]}
    for each in evidence["figures"]:
        for study in each["studies"]:
            if "percent" in study:
                assert round(100 * study["n"] / study["of"]) == study["percent"], each["id"]


@pytest.mark.parametrize("system", content.resources("CodeSystem"), ids=lambda each: each["id"])
def test_a_code_system_is_whole(system: content.Resource) -> None:
    codes = [concept["code"] for concept in system["concept"]]
    assert len(set(codes)) == len(codes)
    if system["content"] == "complete":
        assert system["count"] == len(codes)
        assert all(concept["definition"].endswith(".") for concept in system["concept"])
        assert content.resource("ValueSet", system["id"])["url"] == system["valueSet"]
    declared = {each["code"] for each in system.get("property", ())}
    assert {p["code"] for concept in system["concept"] for p in concept.get("property", ())} <= declared


def test_event_terms_map_to_snomed_as_the_same_only_where_the_templates_write_it() -> None:
    groups = content.resource("ConceptMap", "htg117-event-terms-snomed")["group"]
    equivalent = {
        (element["code"], target["code"])
        for element in groups[0]["element"]
        for target in element["target"]
        if target["equivalence"] == "equivalent"
    }
    for form in ("htg117-procedure", "htg117-follow-up"):
        written = set()
        for template in content.resource("Questionnaire", form)["contained"]:
            concept = template.get("event", template.get("valueCodeableConcept", {}))
            for coding in concept.get("coding", ()):
                if coding["system"] == SCT:
                    (context,) = coding["extension"]
                    written.add((re.findall(r"code = '([^']+)'", context["valueString"])[0], coding["code"]))
        assert written == equivalent


@pytest.mark.parametrize("found", content.resources("ConceptMap"), ids=lambda each: each["id"])
def test_a_map_covers_its_source_and_explains_every_target(found: content.Resource) -> None:
    source = content.resource("ValueSet", found["sourceCanonical"].rsplit("/", 1)[1])["compose"]["include"][0]
    system = content.resource("CodeSystem", source["system"].rsplit("/", 1)[1])
    codes = {each["code"] for each in source.get("concept", system["concept"])}
    mapped = {element["code"] for group in found["group"] for element in group["element"]}
    assert mapped == codes
    for group in found["group"]:
        for element in group["element"]:
            for target in element["target"]:
                assert target["equivalence"] in ("equivalent", "wider", "narrower", "relatedto", "unmatched")
                assert ("code" in target) == (target["equivalence"] != "unmatched")
                assert target["comment"]
