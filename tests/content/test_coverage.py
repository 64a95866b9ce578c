"""Every paragraph of the guidance is somewhere, and every citation leads back to a paragraph."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from service import fhirpath
from tests.content import content
from tools import generate_coverage

TABLE: dict[str, Any] = json.loads(generate_coverage.TABLE.read_bytes())
NUMBERED = (
    *("1.1", "1.2", "2.1.1", "2.1.2", "2.2.1", "2.2.2", "2.2.3", "2.2.4"),
    *("2.3.1", "2.3.2", "2.3.3", "2.3.4", "2.4.1", "2.4.2", "2.4.3", "2.5.1", "2.5.2"),
)
LABELS = ("Title", *NUMBERED, "Your responsibility", "Further information")
DUTIES = (
    "judgement",
    "consultation with the patient",
    "Yellow Card",
    "equality",
    "new devices",
    "environmental",
)
FACTS = ("overview", "patients and carers", "IPG179", "978-1-4731-9146-4", "Healthcare Improvement Scotland")


def statements(label: str) -> list[dict[str, Any]]:
    """What the table has under one paragraph or heading."""
    return [
        statement
        for paragraph in TABLE["paragraphs"]
        if paragraph["paragraph"] == label
        for statement in paragraph["statements"]
    ]


def test_every_paragraph_is_there_once_and_in_order() -> None:
    """Paragraphs, duties and further information, as the guidance orders them."""
    assert tuple(each["paragraph"] for each in TABLE["paragraphs"]) == LABELS


def test_the_paragraphs_are_those_of_the_guidance() -> None:
    """Against the guidance itself, where it is at hand."""
    text = content.ROOT.parent / "shared" / "guidance" / "htg117.txt"
    if not text.exists():
        pytest.skip("the text of the guidance is not part of the project and is not here")
    found = re.findall(
        r"^(?:- )?(\d\.\d(?:\.\d)?) [A-Z]\w+ (?!procedure$)[^\t\n]{40,}", text.read_text(), re.MULTILINE
    )
    assert tuple(found) == NUMBERED


@pytest.mark.parametrize(
    ("label", "words"), [("Your responsibility", DUTIES), ("Further information", FACTS)]
)
def test_every_duty_and_fact_is_there(label: str, words: tuple[str, ...]) -> None:
    """Each has a statement of its own."""
    said = [statement["says"] for statement in statements(label)]
    for word in words:
        assert any(word in each for each in said), word


@pytest.mark.parametrize("label", LABELS)
def test_every_statement_leads_to_elements_or_to_a_reason(label: str) -> None:
    """Each element is found by its FHIRPath in the resource that is named, and is there once or more."""
    for statement in statements(label):
        assert statement.get("elements") or len(statement["reason"]) > 40, statement["says"]
        for element in statement.get("elements", ()):
            resource = content.resource(*element["resource"].split("/"))
            assert fhirpath.evaluate(resource, element["element"]) != [], element


def test_every_citation_leads_back_to_a_paragraph() -> None:
    """A paragraph that the guidance does not have is cited nowhere."""
    extension = f"{content.BASE}/StructureDefinition/guidance-paragraph"
    known = {*LABELS, "project"}
    cited: dict[str, str] = {}
    for resource in content.resources():
        for place, value in content.nodes(resource):
            if isinstance(value, dict) and value.get("url") == extension and "valueString" in value:
                cited[value["valueString"]] = f"{resource['id']}: {place}"
            if isinstance(value, dict) and value.get("code") == "paragraph" and "valueString" in value:
                cited[value["valueString"]] = f"{resource['id']}: {place}"
        if resource["resourceType"] == "PlanDefinition":
            for action in content.actions(resource):
                for each in action.get("documentation", ()):
                    if each["type"] == "citation":
                        cited[each["label"]] = f"{resource['id']}: {action['id']}"
    assert {label: place for label, place in cited.items() if label not in known} == {}
    assert set(NUMBERED) - {"2.3.4"} <= set(cited)


def test_the_page_is_fresh() -> None:
    """``docs/coverage.md`` is what the table makes."""
    assert generate_coverage.PAGE.read_text(encoding="utf-8") == generate_coverage.page(TABLE)
