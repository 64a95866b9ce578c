"""What the cards of a plan have in common, read from the plan."""

from __future__ import annotations

from typing import Any

import pytest

from service.cds.faces import Faces, read_face
from service.cds.wording import paragraphs
from service.domain.errors import ContentFault
from service.domain.evaluation import Citation
from service.fhir.concepts import Terminology
from tests.cds import shown

Resource = dict[str, Any]
NICE = "https://www.nice.org.uk/guidance/htg117"


class Nothing:
    """Content that holds nothing."""

    terminology = Terminology(lambda _: None)

    def resolve(self, canonical: str) -> Resource | None:
        """Nothing."""
        return None


def test_the_plan_of_selection_has_this_face() -> None:
    """Source, topic and guidance from the plan; the form's title; reasons from the published value set."""
    face = shown.faces().of(shown.plan().resource)
    assert face.source == {
        "label": "NICE HealthTech guidance HTG117",
        "url": NICE,
        "topic": {
            "system": "https://htg117.example/fhir/CodeSystem/htg117-topics",
            "code": "patient-selection",
            "display": "Patient selection",
        },
    }
    assert face.guidance == {
        "label": "Percutaneous cementoplasty for palliative treatment of bony malignancies (NICE HTG117)",
        "url": NICE,
        "type": "absolute",
    }
    assert (face.behaviour, face.form) == ("any", "HTG117 criteria record")
    assert face.overrides[0] == {
        "code": "considered-by-mdt",
        "system": "https://htg117.example/fhir/CodeSystem/htg117-override-reasons",
        "display": "The multidisciplinary team has already considered this",
    }
    assert shown.faces().of(shown.plan().resource) is face


def test_a_plan_that_says_less_has_less_of_a_face() -> None:
    """A label is all that a source needs."""
    face = read_face({"resourceType": "PlanDefinition", "title": "Toy"}, Nothing())
    assert (face.source, face.overrides, face.guidance) == ({"label": "Toy"}, (), None)
    assert (face.behaviour, face.form) == ("any", "")


@pytest.mark.parametrize(
    ("document", "icon"),
    [
        ({"contentType": "image/png", "url": "https://x.example/i.png"}, "https://x.example/i.png"),
        ({"contentType": "image/png", "url": "http://x.example/i.png"}, None),
        ({"contentType": "image/svg+xml", "url": "https://x.example/i.svg"}, None),
    ],
)
def test_a_plans_own_icon_is_a_png_over_https(document: Resource, icon: str | None) -> None:
    """Anything else is left out."""
    plan = {"relatedArtifact": [{"type": "documentation", "document": document}]}
    assert read_face(plan, Nothing()).source.get("icon") == icon


@pytest.mark.parametrize(
    ("published", "behaviour"),
    [("any", "any"), ("at-most-one", "at-most-one"), ("exactly-one", "at-most-one"), ("all", "any")],
)
def test_the_choice_is_the_plans_in_the_words_of_cds_hooks(published: str, behaviour: str) -> None:
    """CDS Hooks knows two words; nobody is made to choose."""
    group = {
        "extension": [{"url": "https://x.example/StructureDefinition/plan-role", "valueCode": "proposal"}],
        "selectionBehavior": published,
    }
    assert read_face({"action": [{"action": [group]}]}, Nothing()).behaviour == behaviour


def test_reasons_that_are_not_held_here_are_a_fault_of_the_content() -> None:
    """Found at start, by the check of the content."""
    extension = {"url": "https://x.example/StructureDefinition/override-reasons", "valueCanonical": "urn:x"}
    with pytest.raises(ContentFault, match="the reasons to override of toy are not held here"):
        Faces(Nothing()).of({"id": "toy", "extension": [extension]})


def test_paragraphs_are_links_and_the_projects_choices_are_said_to_be_its() -> None:
    """Each once, in order."""
    cited = (
        Citation("1.1", "NICE HTG117, recommendation 1.1", NICE, "citation"),
        Citation("2.1.1", "", NICE, "citation"),
        Citation("1.1", "again", NICE, "citation"),
        Citation("project", "Counting from the last fraction.", "", "justification"),
    )
    assert paragraphs(cited) == f"[1.1]({NICE}), [2.1.1]({NICE}), (project)"
    assert paragraphs((Citation("Rule 7", "", "", "citation"),)) == "Rule 7"
