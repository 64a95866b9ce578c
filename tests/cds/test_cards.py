"""An order's card: whole for one order, and the laws that every card keeps."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.cds.cards import order_card, summary, uncoded_card
from service.cds.model import Fact, Order, Unread
from service.cds.suggestions import system_actions
from service.cds.tables import units
from service.cds.wording import INDICATORS
from service.domain.evaluation import Truth
from service.fhir import validation
from service.fhir.plans import apply
from tests.cds import shown
from tests.cds.test_tables import RENDERER
from tests.cds.test_tables import texts as hostile
from tests.content.logic import Answers
from tests.content.test_plans import ALL_MET, forms

if TYPE_CHECKING:
    from collections.abc import Iterator

Resource = dict[str, Any]
NOT_DISCUSSED = {name: value for name, value in ALL_MET.items() if name != "mdt.date"} | {
    "mdt.outcome": "not-discussed"
}
LINK = f"[{{}}]({shown.GUIDANCE})"
WORDS = ("approved", "eligible", "refused", "denied", "authorised", "authorized")


def nodes(value: Any) -> Iterator[Any]:
    """Every value inside JSON, itself first."""
    yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from nodes(child)


def created(card: Resource) -> list[Resource]:
    """The resources that the card's suggestions create."""
    return [
        action["resource"] for suggestion in card.get("suggestions", ()) for action in suggestion["actions"]
    ]


def test_the_card_of_a_patient_not_discussed_is_this_card() -> None:
    """Whole: a pre-filled form, one criterion not met, the referral and the form proposed."""
    facts = (Fact("lesion.nature", "What is the lesion?", "Bone metastasis", "Condition/7", "2026-05-03"),)
    unread = (Unread("pain", "Pain scores", "the EHR's server did not answer in time"),)
    of = shown.assessed(Answers(NOT_DISCUSSED), recorded=False, facts=facts, unread=unread)
    card = shown.card(of)
    detail = card.pop("detail")
    referral, started = card.pop("suggestions")
    overrides = card.pop("overrideReasons")
    assert card == {
        "uuid": "00000000-0000-4000-8000-000000000003",
        "summary": ("HTG117 criteria: at least one criterion is not met (order: Percutaneous cementoplasty)"),
        "indicator": "warning",
        "source": {
            "label": "NICE HealthTech guidance HTG117",
            "url": shown.GUIDANCE,
            "icon": "https://htg117.example/icon.png",
            "topic": {
                "system": "https://htg117.example/fhir/CodeSystem/htg117-topics",
                "code": "patient-selection",
                "display": "Patient selection",
            },
        },
        "selectionBehavior": "any",
        "links": [
            {
                "label": (
                    "Percutaneous cementoplasty for palliative treatment of bony malignancies (NICE HTG117)"
                ),
                "url": shown.GUIDANCE,
                "type": "absolute",
            }
        ],
    }
    assert [one["code"] for one in overrides] == [
        "considered-by-mdt",
        "professional-judgement",
        "patient-choice",
        "recorded-elsewhere",
        "record-not-right",
        "not-about-this-patient",
        "later",
        "too-urgent",
        "other",
    ]
    action = referral.pop("actions")[0]
    assert referral == {
        "label": "Refer to the multidisciplinary team",
        "uuid": "00000000-0000-4000-8000-000000000001",
        "isRecommended": False,
    }
    note = action["resource"].pop("note")
    assert note[0]["text"].startswith("Requests that a multidisciplinary team select")
    assert action == {
        "type": "create",
        "description": "Refer to the multidisciplinary team",
        "resource": {
            "resourceType": "ServiceRequest",
            "meta": {"profile": ["https://fhir.hl7.org.uk/StructureDefinition/UKCore-ServiceRequest"]},
            "instantiatesCanonical": [
                "https://htg117.example/fhir/ActivityDefinition/htg117-mdt-referral|2006.1.0"
            ],
            "status": "draft",
            "intent": "proposal",
            "priority": "routine",
            "doNotPerform": False,
            "code": {
                "coding": [
                    {
                        "system": "http://snomed.info/sct",
                        "code": "384682003",
                        "display": "Multidisciplinary care conference",
                    }
                ],
                "text": "Referral to the multidisciplinary team for patient selection (HTG117 1.2)",
            },
            "subject": {"reference": shown.PATIENT},
            "encounter": {"reference": shown.ENCOUNTER},
            "authoredOn": shown.NOW,
            "requester": {"reference": shown.USER},
        },
    }
    response = started.pop("actions")[0]
    assert started == {
        "label": "Start the pre-filled form: HTG117 criteria record",
        "uuid": "00000000-0000-4000-8000-000000000002",
        "isRecommended": False,
    }
    assert response == {
        "type": "create",
        "description": (
            "Create the form as far as the record fills it, to be completed: HTG117 criteria record"
        ),
        "resource": {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": "https://htg117.example/fhir/Questionnaire/htg117-eligibility|2006.1.0",
            "status": "in-progress",
            "subject": {"reference": shown.PATIENT},
            "encounter": {"reference": shown.ENCOUNTER},
            "author": {"reference": shown.USER},
            "authored": "2026-06-30T12:00:00+01:00",
            "item": of.form["item"],
        },
    }
    paragraph = LINK.format
    lines = detail.splitlines()
    assert lines[0] == "**Order:** Percutaneous cementoplasty (ServiceRequest/1)"
    assert lines[2].startswith("**HTG117 criteria: at least one criterion is not met.** When at least one")
    assert lines[4:14] == [
        "| Criterion | Finding | Paragraph |",
        "| --- | --- | --- |",
        (
            "| The lesion is a bone metastasis or a primary malignant bone tumour | met | "
            f"{paragraph('2.1.2')}, {paragraph('2.5.1')} |"
        ),
        f"| The lesion causes pain | met | {paragraph('2.1.2')} |",
        (
            "| The aim is to reduce pain or to stabilise the bone | met | "
            f"{paragraph('1.1')}, {paragraph('2.1.2')}, {paragraph('2.2.1')} |"
        ),
        f"| Other treatment has failed | met | {paragraph('1.1')}, {paragraph('2.1.1')}, (project) |",
        f"| The multidisciplinary team has selected the patient | **not met** | {paragraph('1.2')} |",
        f"| Normal arrangements for consent are in place | met | {paragraph('1.1')} |",
        f"| Normal arrangements for audit are in place | met | {paragraph('1.1')} |",
        f"| Normal arrangements for clinical governance are in place | met | {paragraph('1.1')} |",
    ]
    assert lines[15:26] == [
        (
            "**Where the answers came from.** From the record as it was read on 2026-06-30 12:00 (+01:00); "
            "nobody has confirmed these answers yet. Each is as old as its date, whatever its question says "
            "of now."
        ),
        "",
        "| Question | Answer | Source | Date |",
        "| --- | --- | --- | --- |",
        "| What is the lesion? | Bone metastasis | Condition/7 | 2026-05-03 |",
        "",
        "**Could not be read.** What these parts of the record hold is not known here:",
        "",
        "- Pain scores: the EHR's server did not answer in time",
        "",
        "**Notes**",
    ]
    assert lines[27].startswith("- Recommendation 1.1 as a whole. Current evidence on the safety")
    assert lines[27].endswith(paragraph("1.1"))
    assert lines[-1] == (
        "What is proposed is the professional's to choose. Nothing is preselected; the order is not changed."
    )


def test_a_completed_form_is_named_with_its_date() -> None:
    """It is used in preference, and nobody is asked to start another."""
    card = shown.card(shown.assessed(Answers({})))
    assert (
        "**Where the answers came from.** From a completed form of 2026-06-30 12:00 (+01:00) "
        "(QuestionnaireResponse/form)." in card["detail"]
    )
    (task,) = created(card)
    assert (task["resourceType"], task["focus"]) == ("Task", {"reference": "QuestionnaireResponse/form"})


def test_a_form_of_nothing_is_about_nothing() -> None:
    """A Task about a form that is recorded nowhere names none; what it cannot know it says."""
    card = shown.card(shown.assessed(Answers({}), recorded=False))
    assert "answers none of the form's questions" in card["detail"]
    task, response = created(card)
    assert "focus" not in task
    assert "item" not in response
    assert response["status"] == "in-progress"


def test_the_form_application_takes_the_place_of_a_new_form() -> None:
    """A SMART link with what to open, and nothing of the patient, who comes with the launch."""
    app = "https://forms.example/launch"
    for recorded in (True, False):
        of = shown.assessed(Answers(NOT_DISCUSSED), recorded=recorded)
        card = shown.card(of, shown=shown.showing(form_app=app))
        assert [one["resourceType"] for one in created(card)] == ["ServiceRequest"]
        link = card["links"][1]
        told = json.loads(link.pop("appContext"))
        assert link == {"label": "Open the form: HTG117 criteria record", "url": app, "type": "smart"}
        assert told == {
            "questionnaire": "https://htg117.example/fhir/Questionnaire/htg117-eligibility|2006.1.0"
        } | ({"questionnaireResponse": "QuestionnaireResponse/form"} if recorded else {})


@pytest.mark.requirement("Suggestion: what only 3.0 has goes to clients alone that show that they know it")
def test_with_all_met_the_time_afterwards_is_offered() -> None:
    """One suggestion each for a client of 2.0; one with a choice of its actions for one of 3.0."""
    of = shown.assessed(Answers(ALL_MET))
    each = [one["label"] for one in shown.card(of)["suggestions"]]
    assert each == [
        "Recumbent, no weight bearing while the cement hardens",
        "Record the procedure",
        "Follow-up at 72 hours",
        "Follow-up at 1 week",
        "Follow-up at 1 month",
        "Report problems to the Yellow Card scheme",
    ]
    (together,) = shown.card(of, shown=shown.showing(revision=3))["suggestions"]
    assert together["label"] == "Plan the time after the procedure"
    assert together["actionSelectionBehavior"] == "any"
    assert [one["description"] for one in together["actions"]] == each


def test_an_order_without_the_code_is_told_of_and_not_assessed() -> None:
    """An info card that says what it did not do, with the guidance's link."""
    order = Order("ServiceRequest/2", {}, "Cementoplasty | L3", coded=False)
    card = uncoded_card(order, shown.plan(), shown.showing(), shown.faces())
    overrides = card.pop("overrideReasons")
    assert len(overrides) == 9
    assert card == {
        "uuid": "00000000-0000-4000-8000-000000000001",
        "summary": (
            "NICE HealthTech guidance HTG117: order without the procedure's code, not assessed "
            "(order: Cementoplasty | L3)"
        ),
        "detail": (
            "**Order:** Cementoplasty &#124; L3 (ServiceRequest/2)\n\n"
            "The text of this order names a procedure of the guidance, but the order has no code of it. "
            "**Its criteria were not assessed.** Once the order has the procedure's code, they are."
        ),
        "indicator": "info",
        "source": shown.faces().of(shown.plan().resource).source
        | {"icon": "https://htg117.example/icon.png"},
        "links": [shown.faces().of(shown.plan().resource).guidance],
    }


def test_an_order_that_could_not_be_judged_says_why() -> None:
    """The reason stands in the place of a finding."""
    reason = "This order could not be read, so whether the guidance is about it is not known."
    order = Order("ServiceRequest/3", {}, "", coded=False, reason=reason)
    card = uncoded_card(order, shown.plan(), shown.showing(), shown.faces())
    assert card["summary"] == (
        "NICE HealthTech guidance HTG117: order not assessed (order: ServiceRequest/3)"
    )
    assert card["detail"] == f"**Order:** ServiceRequest/3\n\n**Its criteria were not assessed.** {reason}"


def test_an_icon_is_only_named_where_a_browser_may_show_it() -> None:
    """https alone, as a page of the EHR that shows the card is."""
    of = shown.assessed(Answers(ALL_MET))
    assert "icon" not in shown.card(of, shown=shown.showing(base="http://127.0.0.1:8000"))["source"]


def test_a_client_that_asks_for_system_actions_gets_the_record_of_the_answer_alone() -> None:
    """A GuidanceResponse of the hook's patient; nothing that is proposed for the patient is among them."""
    of = shown.assessed(Answers(ALL_MET))
    assert system_actions(of, ["said"], shown.showing()) == []
    (action,) = system_actions(of, ["said"], shown.showing(system_actions=True))
    assert action == {
        "type": "create",
        "description": "Record the answer of the guidance",
        "resource": {
            "resourceType": "GuidanceResponse",
            "moduleCanonical": "https://htg117.example/fhir/PlanDefinition/htg117-patient-selection|2006.1.0",
            "status": "success",
            "subject": {"reference": shown.PATIENT},
            "encounter": {"reference": shown.ENCOUNTER},
            "occurrenceDateTime": shown.NOW,
            "note": [{"text": "said"}],
        },
    }


orders = st.builds(
    lambda title: Order("ServiceRequest/1", {"resourceType": "ServiceRequest"}, title, coded=True), hostile
)


@pytest.mark.requirement(
    "CDS Service Response: elements are neither null nor empty",
    "Card Attributes: a summary of under 140 characters",
    "Card Attributes: indicator is info, warning or critical",
    "Card Attributes: selectionBehavior accompanies suggestions, and is any or at-most-one",
    "Card Attributes: each override reason has a display",
    "Suggestion: at most one is recommended unless any may be chosen",
    "Action: an action has a type and a description, and a create its resource",
    "Link: appContext only on smart links",
)
@given(forms(), orders, st.booleans(), st.sampled_from([None, "https://forms.example/launch"]))
@settings(max_examples=60, deadline=None)
def test_every_card_keeps_to_cds_hooks(form: Answers, order: Order, recorded: bool, app: str | None) -> None:
    """Whatever the form and the order's name."""
    card = shown.card(shown.assessed(form, recorded=recorded), order, shown.showing(form_app=app, revision=2))
    assert [node for node in nodes(card) if node in (None, "", [], {})] == []
    assert units(card["summary"]) < 140
    assert card["indicator"] in ("info", "warning", "critical")
    assert card["source"]["label"]
    assert ("suggestions" in card) == ("selectionBehavior" in card)
    assert card.get("selectionBehavior", "any") in ("any", "at-most-one")
    assert all(one["display"] for one in card["overrideReasons"])
    uuids = [card["uuid"], *(one["uuid"] for one in card.get("suggestions", ()))]
    assert len(set(uuids)) == len(uuids)
    for suggestion in card.get("suggestions", ()):
        assert suggestion["isRecommended"] is False
        assert set(suggestion) == {"label", "uuid", "isRecommended", "actions"}
        for action in suggestion["actions"]:
            assert set(action) == {"type", "description", "resource"}
            assert action["type"] == "create"
    for link in card["links"]:
        assert ("appContext" in link) == (link["type"] == "smart")
        assert link["type"] in ("smart", "absolute")


@given(forms(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_card_is_that_of_the_whole_plan_applied(form: Answers, recorded: bool) -> None:
    """A card is made of the proposals alone: what else ``$apply`` makes of a plan would change nothing."""
    of = shown.assessed(form, recorded=recorded)
    applied, showing = apply(shown.application(of, shown.showing())), shown.showing()
    assert shown.card(of) == order_card(shown.ORDER, of, applied, showing, shown.faces())


@given(forms(), orders)
@settings(max_examples=60, deadline=None)
def test_the_card_says_what_the_evaluation_says(form: Answers, order: Order) -> None:
    """The outcome whole and first, its indicator, a row for each criterion with its truth and reason."""
    of = shown.assessed(form)
    card = shown.card(of, order)
    outcome = of.evaluation.outcome
    assert card["summary"].startswith(outcome.title)
    assert card["indicator"] == INDICATORS[outcome.priority]
    table = next(token.map for token in RENDERER.parse(card["detail"]) if token.type == "table_open")
    assert table is not None
    rows = card["detail"].splitlines()[table[0] + 2 : table[1]]
    assert len(rows) == len(of.evaluation.findings)
    said = {Truth.MET: "met", Truth.NOT_MET: "**not met**", Truth.UNKNOWN: "not known"}
    for row, finding in zip(rows, of.evaluation.findings, strict=True):
        cells = row.split(" | ")
        assert cells[0] == f"| {finding.title}"
        reason = f": {finding.reason.text}" if finding.reason else ""
        assert cells[1] == f"{said[finding.truth]}{reason}"
    for note in of.evaluation.notes:
        assert note.text in re.sub(r"\\(.)", r"\1", card["detail"])


@given(forms(), hostile, hostile, hostile)
@settings(max_examples=40, deadline=None)
def test_what_a_record_says_adds_nothing_to_a_card_but_its_text(
    form: Answers, title: str, answer: str, reason: str
) -> None:
    """The same headings, tables, rows and links, whatever stands in the order and the record."""

    def shape(title: str, answer: str, reason: str) -> list[str]:
        facts = (Fact("x", answer, answer, answer, answer),)
        unread = (Unread("x", reason, reason),)
        of = shown.assessed(form, recorded=False, facts=facts, unread=unread)
        order = Order("ServiceRequest/1", {}, title, coded=True)
        tokens = RENDERER.parse(shown.card(of, order)["detail"])
        inner = [child for token in tokens for child in token.children or ()]
        assert not any(one.type.startswith("html") for one in (*tokens, *inner))
        return [token.type for token in tokens] + [one.type for one in inner if one.type == "link_open"]

    assert shape(title, answer, reason) == shape("a", "b", "c")


@given(forms(), st.booleans())
@settings(max_examples=30, deadline=None)
def test_what_is_created_is_sound_and_of_this_patient(form: Answers, recorded: bool) -> None:
    """Each resource passes the gate, has no id, and names patient, user and encounter as the hook does."""
    card = shown.card(shown.assessed(form, recorded=recorded))
    for resource in created(card):
        found = validation.check(resource, resolve=shown.content().resolve)
        assert [str(issue) for issue in found if issue.fails] == []
        assert "id" not in resource
        assert resource["encounter"] == {"reference": shown.ENCOUNTER}
        subject = resource.get("for", resource.get("subject"))
        assert subject == {"reference": shown.PATIENT}
        asker = resource.get("requester", resource.get("author"))
        if resource["resourceType"] != "CommunicationRequest":
            assert asker == {"reference": shown.USER}
        if resource["resourceType"] != "QuestionnaireResponse":
            assert (resource["status"], resource.get("intent", "proposal")) == ("draft", "proposal")


@given(forms())
@settings(max_examples=60, deadline=None)
def test_no_card_sounds_like_a_decision(form: Answers) -> None:
    """It restates criteria; the professional decides."""
    text = json.dumps(shown.card(shown.assessed(form)), default=str).lower()
    assert [word for word in WORDS if word in text.replace("eligibility", "")] == []


@given(st.text(min_size=1, max_size=300), hostile)
def test_the_outcome_is_never_cut_for_the_order(said: str, title: str) -> None:
    """The order's name is shortened, or left out; the outcome is whole as long as it fits by itself."""
    made = summary(said, Order("ServiceRequest/1", {}, title, coded=True))
    assert units(made) < 140
    whole = " ".join("".join(one if one.isprintable() else " " for one in said).split())
    if said.isascii() and len(whole) < 140:
        assert made.startswith(whole) or not said.isprintable()


def test_two_orders_of_one_name_are_told_apart() -> None:
    """By their references, in the detail."""
    details = {
        shown.card(shown.assessed(Answers(ALL_MET)), Order(f"ServiceRequest/{one}", {}, "The same", True))[
            "detail"
        ]
        for one in (1, 2)
    }
    assert len(details) == 2


def test_stat_is_critical() -> None:
    """The indicator follows the outcome's priority, in the plan's words."""
    assert INDICATORS == {"routine": "info", "urgent": "warning", "asap": "warning", "stat": "critical"}
