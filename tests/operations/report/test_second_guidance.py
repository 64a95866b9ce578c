"""A second guidance reports too, from data alone: its own terms, suspects, linkIds and names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from service.adapters import content as published
from service.adapters.content_checks import check_reports
from service.domain.errors import ContentFault, Unprocessable
from service.domain.safety_report import Branch
from service.fhir.json_text import Document, encode
from service.operations.act import Actor
from service.operations.assess import Plans
from service.operations.report.drafting import draft
from service.operations.report.following import follow_form
from service.operations.report.opening import open_desk
from service.operations.submit import Sent, submit
from service.operations.terms import Terms
from service.yellow_card.filling import find_fields
from tests.second_guidance import BASE, PROFILES

if TYPE_CHECKING:
    from pathlib import Path

    from service.operations.report.desk import Desk
    from tests.operations.report.conftest import House

Json = dict[str, Any]
FIELDS: Json = {
    "source": "https://toy.example.org/guidance",
    "forms": [f"{BASE}/Questionnaire/toy-follow-up"],
    "terms": {
        "system": f"{BASE}/CodeSystem/toy-mishaps",
        "presumed": "pot",
        "always": "pot-always",
        "paragraph": "at",
    },
    "suspects": {"system": f"{BASE}/CodeSystem/toy-causes", "reported-as": "goes-to"},
    "not-serious": "trifle",
    "groups": {
        "mishap": {
            "suspects": "mishap.cause",
            "narrative": "mishap.story",
            "event": {"seriousness": "mishap.harm"},
            "device": {"product": "mishap.pot"},
        }
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The toy's content with a question about the cause, and the file that says what fills a report."""
    made = tmp_path / "content" / "profiles"
    made.mkdir(parents=True)
    for path in PROFILES.glob("*.json"):
        (made / path.name).write_bytes(path.read_bytes())
    form = json.loads((made / "Questionnaire-toy-follow-up.json").read_text("utf-8"))
    group = next(item for item in form["item"] if item["linkId"] == "mishap")
    texts = [{"linkId": f"mishap.{name}", "type": "string"} for name in ("cause", "harm", "story", "pot")]
    group["item"] += texts
    (made / "Questionnaire-toy-follow-up.json").write_text(json.dumps(form), "utf-8")
    terms = json.loads((made / "CodeSystem-toy-mishaps.json").read_text("utf-8"))
    terms["concept"][0]["property"] = [
        {"code": "pot", "valueBoolean": True},
        {"code": "at", "valueString": "7"},
    ]
    (made / "CodeSystem-toy-mishaps.json").write_text(json.dumps(terms), "utf-8")
    causes = terms | {
        "id": "toy-causes",
        "url": f"{BASE}/CodeSystem/toy-causes",
        "concept": [
            {"code": code, "display": code.title(), "property": [{"code": "goes-to", "valueCode": kind}]}
            for code, kind in (
                ("pot", "device"),
                ("feed", "medicine"),
                ("weather", "nothing"),
                ("eh", "unknown"),
            )
        ],
    }
    (made / "CodeSystem-toy-causes.json").write_text(json.dumps(causes), "utf-8")
    return made


def held(folder: Path, fields: Json) -> published.Folder:
    mappings = folder.parent / "mappings" / "toy"
    mappings.mkdir(parents=True, exist_ok=True)
    (mappings / "report-fields.json").write_text(json.dumps(fields), "utf-8")
    return published.load([folder, folder.parent / "mappings"])


def submitted(house: House, content: published.Folder, term: str, cause: str | None) -> tuple[Desk, str]:
    """A desk over the content, and the event of a form that was submitted."""
    terms = Terms(content.terminology)
    desk = open_desk(
        house.records, content, terms, clock=house.desk.clock, new_id=house.desk.new_id, site=house.site,
        renderers={}, gateway=None, outbox=house.desk.outbox,
    )  # fmt: skip
    coding = {"system": f"{BASE}/CodeSystem/toy-mishaps", "code": term, "display": term.title()}
    said = {"cause": cause, "harm": "trifle", "story": "The pot fell", "pot": "Pot 3"}
    form = {
        "resourceType": "QuestionnaireResponse",
        "identifier": {"system": "https://toy.example.org/forms", "value": "1"},
        "questionnaire": f"{BASE}/Questionnaire/toy-follow-up|1999.1.0",
        "status": "completed",
        "subject": {"reference": "Patient/1"},
        "authored": "2026-07-13T11:00:00+01:00",
        "item": [
            {
                "linkId": "mishap",
                "item": [
                    {"linkId": "mishap.term", "answer": [{"valueCoding": coding}]},
                    *(
                        {"linkId": f"mishap.{name}", "answer": [{"valueString": text}]}
                        for name, text in said.items()
                        if text
                    ),
                ],
            }
        ],
    }
    body = encode(form)
    made = submit(
        Sent(Document(form, body.decode()), form, body),
        house.records,
        content,
        Actor(content, Plans(content), terms),
        now=house.now,
        reporting=lambda standing: follow_form(desk, standing),
    )
    [event] = [one.id for one in made.versions if one.type == "AdverseEvent"]
    return desk, event


@pytest.mark.parametrize(
    ("term", "cause", "branches", "why"),
    [
        (
            "flood",
            None,
            ["device"],
            "'Flood' is reported as a device problem unless a named clinician records",
        ),
        ("spill", None, ["unknown"], "It is not recorded what is suspected"),
        ("spill", "pot", ["device"], "A suspected device (Pot) goes into a device report"),
        ("spill", "feed", ["medicine"], "A suspected medicine goes into a medicine report"),
        ("spill", "weather", ["local"], "Only this is suspected: Weather."),
        ("spill", "eh", ["unknown"], "It is recorded that the cause is not known"),
    ],
)
def test_its_events_become_reports(
    house: House, folder: Path, term: str, cause: str | None, branches: list[str], why: str
) -> None:
    desk, event = submitted(house, held(folder, FIELDS), term, cause)
    drafted = draft(desk, event, "A")
    assert drafted.stored == ()
    [case] = drafted.cases
    assert [str(case.report.branch)] == branches
    assert case.report.decided_by.startswith(why)
    assert case.report.narrative == "The pot fell"
    assert case.report.events[0].seriousness == ()
    assert case.report.events[0].paragraph == ("7" if term == "flood" else None)
    if case.report.branch is Branch.DEVICE:
        assert [one.product for one in case.report.devices] == ["Pot 3"]


def test_an_event_that_fills_no_report_does_not_hold_its_form_back(house: House, folder: Path) -> None:
    groups = {"drops": {"suspects": "drops"}}
    desk, event = submitted(house, held(folder, changed(groups=groups)), "spill", None)
    with pytest.raises(Unprocessable, match="it is not told how events of 'mishap' fill a report"):
        draft(desk, event, "A")


def changed(**more: Any) -> Json:
    return {**FIELDS, **more}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        (changed(source=""), "source: is missing"),
        (
            changed(forms=["https://nowhere.example.org"]),
            "forms: nothing published here is https://nowhere.example.org",
        ),
        (changed(terms={"system": "x"}), "terms.system: no code system published here is x"),
        (
            changed(groups={"mishap": {"suspects": "mishap.cause", "narrative": "mishap.tale"}}),
            "groups.mishap.narrative: no form of these has an item 'mishap.tale'",
        ),
        (changed(groups={"mishap": {}}), "groups: none of them says where the suspects are answered"),
        (
            changed(groups={"mishap": {"suspects": "mishap.cause", "device": {"colour": "mishap.pot"}}}),
            "groups.mishap.device: a report has no field 'colour' there",
        ),
    ],
)
def test_a_file_that_does_not_fit_the_forms_is_refused_at_the_start(
    folder: Path, fields: Json, fault: str
) -> None:
    content = held(folder, fields)
    with pytest.raises(ContentFault) as refused:
        find_fields(content.data, content.resolve)
    place, _, said = fault.partition(": ")
    told = [(issue.expression, issue.message) for issue in refused.value.issues]
    assert (place, f"mappings/toy/report-fields.json: {said}") in told
    assert any((one.element, one.message) == (place, said) for one in check_reports(content))
