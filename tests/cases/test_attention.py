"""Every case of what needs attention after the procedure: the whole list of cards."""

from __future__ import annotations

import tomllib
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from service.cds.attention import Gathered, Kept, read_attention
from service.cds.faces import Faces
from service.cds.model import Unread
from service.cds.reminders import attention_cards
from tests.cases import FOLDER
from tests.cases.test_cases import CONTENT
from tests.cds.shown import showing

Raw = dict[str, Any]
BASE = "https://htg117.example/fhir"
FACES = Faces(CONTENT)
OPCS = "https://fhir.nhs.uk/Id/opcs-4"
CODED: dict[str, list[Raw]] = {
    "Cementoplasty": [{"system": "http://snomed.info/sct", "code": "431312000"}],
    "Substance put into bone": [{"system": OPCS, "code": "W35.1"}],
    "Substance put into bone under fluoroscopy": [
        {"system": OPCS, "code": "W35.1"},
        {"system": OPCS, "code": "Y53.4"},
    ],
    "Appendicectomy": [{"system": "http://snomed.info/sct", "code": "80146002"}],
}
FILE = FOLDER / "htg117" / "attention.toml"
PLAN = CONTENT.read("PlanDefinition", "htg117-after-procedure")
assert PLAN is not None
ATTENTION = read_attention(PLAN.resource)
assert ATTENTION is not None


def cases() -> list[Raw]:
    """The cases of the file."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))["case"]  # type: ignore[no-any-return]


def form(name: str, number: int, date: str, items: list[Raw]) -> Kept:
    """A completed form with its date, and its other answers."""
    dated = [{"linkId": f"{name}.date", "answer": [{"valueDate": date}]}] if date != "undated" else []
    made: Raw = {
        "resourceType": "QuestionnaireResponse",
        "id": f"{name}-{number}",
        "questionnaire": f"{BASE}/Questionnaire/htg117-{name}|2006.1.0",
        "status": "completed",
        "subject": {"reference": "Patient/9990000018"},
        "authored": "2026-07-01T10:00:00+01:00",
    }
    if dated or items:
        made["item"] = [*dated, *items]
    return Kept(made, f"QuestionnaireResponse/{name}-{number}")


def follow_up(number: int, said: str) -> Kept:
    """A follow-up as a case writes it: its date, and the status where it is not ``seen``."""
    date, _, status = said.partition(" ")
    coding = {"system": f"{BASE}/CodeSystem/htg117-follow-up-status", "code": status or "seen"}
    return form(
        "follow-up", number, date, [{"linkId": "follow-up.status", "answer": [{"valueCoding": coding}]}]
    )


def event(number: int, said: str) -> Kept:
    """An AdverseEvent as a case writes it: its words and its date."""
    text, _, date = said.partition(" on ")
    made: Raw = {"resourceType": "AdverseEvent", "id": f"event-{number}", "actuality": "actual"}
    made |= {"event": {"text": text}, "date": date}
    return Kept(made, f"https://htg117.example/fhir/AdverseEvent/event-{number}")


def in_the_ehr(number: int, said: str) -> Kept:
    """A Procedure of the EHR as a case writes it: its code's name and, where it is known, its date."""
    name, _, date = said.partition(" on ")
    made: Raw = {"resourceType": "Procedure", "id": f"ehr-{number}", "status": "completed"}
    made |= {"code": {"coding": CODED[name], "text": name}} | ({"performedDateTime": date} if date else {})
    return Kept(made, f"Procedure/ehr-{number}")


def gathered(case: Raw) -> Gathered:
    """What a case records."""
    procedures = [form("procedure", at, said, []) for at, said in enumerate(case.get("procedures", ()))]
    follow_ups = [follow_up(at, said) for at, said in enumerate(case.get("follow-ups", ()))]
    events = [event(at, said) for at, said in enumerate(case.get("events", ()))]
    unread = [
        Unread(key, "Completed forms", "the server did not answer in time") for key in case.get("unread", ())
    ]
    now = datetime.combine(case["today"], time(10), ZoneInfo("Europe/London"))
    others = [in_the_ehr(at, said) for at, said in enumerate(case.get("in-the-ehr", ()))]
    return Gathered((*procedures, *follow_ups), tuple(events), now, tuple(unread), tuple(others))


@pytest.mark.parametrize("case", cases(), ids=lambda case: str(case["says"]))
def test_the_cards_are_those_of_the_case(case: Raw) -> None:
    assert ATTENTION is not None
    hook = case.get("hook", "patient-view")
    cards = attention_cards(ATTENTION, gathered(case), hook, showing(), FACES)
    expect = case["expect"]
    assert [f"{card['indicator']}: {card['summary']}" for card in cards] == expect["cards"]
    first = cards[0] if cards else {}
    assert [said for said in expect.get("detail", ()) if said not in first["detail"]] == []
    if "suggestions" in expect:
        assert [one["label"] for one in first["suggestions"]] == expect["suggestions"]


def test_every_rule_has_a_case() -> None:
    assert ATTENTION is not None
    said = [summary for case in cases() for summary in case["expect"]["cards"]]
    titles = {rule.id: rule.title for rule in ATTENTION.rules}
    told = {
        "no-follow-up": "is without any follow-up",
        "follow-up-without-procedure": "and no procedure",
        "procedure-not-on-form": "a procedure without its record",
        "nothing-due": "no follow-up is due now",
    }
    for rule, title in titles.items():
        assert [one for one in said if told.get(rule, title) in one], rule
    reasons = {reason.text for rule in ATTENTION.rules for reason in rule.reasons}
    assert {one for one in reasons if not [card for card in said if one in card]} == set()
