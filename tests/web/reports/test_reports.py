"""A safety report from draft to reference over HTTP: lists, pages, files, steps, and what is refused."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from lxml import html

from service import app as application
from service.domain.errors import Forbidden
from service.operations.ports import Caller
from service.settings import Settings
from service.web.reports.routes import STEPS
from service.web.security import check_scope
from tests.web.conftest import Client
from tests.web.reports.conftest import events_of, the_form, with_narrative

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = Callable[..., list[dict[str, Any]]]

HTML = {"Accept": "text/html"}
BY = {"by": "Dr A Example"}


def step(client: Client, case: str, verb: str, /, **members: Any) -> dict[str, Any]:
    """What a step that is taken answers."""
    answer = client.post(f"/reports/{case}/{verb}", json=BY | members)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: Any, status: int) -> str:
    """What an OperationOutcome says, its status checked."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    said: str = body["issue"][0]["diagnostics"]
    return said


def test_the_reports_of_a_form_are_listed_and_filtered(client: Client, made: Made) -> None:
    leak, miss = made()
    assert (leak["branch"], leak["state"], leak["seriousness"]) == ("device", "draft", "serious")
    assert (miss["branch"], miss["actuality"]) == ("unknown", "potential")

    def listed(query: str) -> list[str]:
        answer = client.get(f"/reports?{query}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["total"] == len(answer.json()["reports"])
        return [one["case"] for one in answer.json()["reports"]]

    both = [miss["case"], leak["case"]]
    assert listed("") == both
    assert listed("branch=device") == [leak["case"]]
    assert listed("branch=device,unknown&state=draft") == both
    assert listed("branch=device&branch=unknown") == both
    assert listed("seriousness=serious") == [leak["case"]]
    assert listed("state=submitted") == []
    assert listed("age=0") == both
    assert listed("age=1") == []
    assert listed("needs=attention") == [miss["case"]]
    assert listed("needs=attention&branch=device") == []


def test_a_list_comes_a_page_at_a_time(client: Client, made: Made) -> None:
    cases = {one["case"] for one in made()}
    for query in ("", "&age=0"):
        first = client.get(f"/reports?_count=1{query}").json()
        second = client.get(first["next"].removeprefix("http://testserver")).json()
        assert (first["total"], second["total"], "next" in second) == (2, 2, False)
        assert {first["reports"][0]["case"], second["reports"][0]["case"]} == cases


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=lost", "'state' has no value 'lost'; it has: draft"),
        ("branch=x", "'branch' has no value"),
        ("seriousness=x", "it has: serious, non-serious, unknown"),
        ("age=-1", "'age' is a whole number of days"),
        ("age=99999999", "'age' is a whole number of days"),
        ("needs=money", "'needs' is attention"),
        ("_count=0", "'_count' is a whole number from 1"),
        ("needs=attention&_cursor=x", "'_cursor' is taken from the link"),
        ("colour=red", "'colour' is no parameter here; these are: state"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(client: Client, query: str, said: str) -> None:
    assert said in refused(client.get(f"/reports?{query}"), 400)


def test_a_report_is_read_with_what_it_lacks_and_without_the_patient(client: Client, made: Made) -> None:
    leak, _ = made()
    answer = client.get(f"/reports/{leak['case']}")
    found = answer.json()
    assert "9990000018" not in answer.text
    assert found["decidedBy"] == (
        "A suspected device (Bone cement) goes into a device report; suspicion is enough."
    )
    assert [one["id"] for one in found["missing"] if one["need"] == "minimum"] == [
        "date", "reporter.name", "contact",
    ]  # fmt: skip
    assert found["steps"] == ["entries", "ready", "cancel"]
    assert [one["what"] for one in found["history"]] == ["drafted"]
    again = client.get(f"/reports/{leak['case']}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert answer.headers["cache-control"] == "no-store"


def test_a_report_that_is_not_there_is_said_so(client: Client) -> None:
    assert "there is no report 'nobody' here" in refused(client.get("/reports/nobody"), 404)
    assert "there is no report" in refused(client.post("/reports/nobody/ready", json={}), 404)


def test_from_draft_to_reference(client: Client, made: Made) -> None:
    case = made()[0]["case"]
    named = step(client, case, "reporter", name="Dr A Example", profession="physician", email="a@example.org")
    assert named["report"]["reporter"]["name"] == "Dr A Example"
    assert step(client, case, "ready")["state"] == "ready"
    exported = step(client, case, "export")
    assert exported["state"] == "prepared"
    assert exported["status"] == "Prepared, not submitted"
    assert [one["rendering"] for one in exported["exports"]] == [
        "sheet", "json", "bundle", "adverse-event", "csv",
    ]  # fmt: skip
    kept = step(client, case, "submit")
    assert (kept["state"], "no gateway" in kept["says"]) == ("prepared", True)
    sent = step(client, case, "submit", byHand=True)
    assert (sent["state"], sent["status"]) == ("submitted", "Submitted, not acknowledged")
    done = step(client, case, "reference", reference="YC-2026-0001")
    assert (done["state"], done["yellowCard"]) == ("acknowledged", "YC-2026-0001")
    assert done["status"] == "Acknowledged: Yellow Card reference YC-2026-0001"
    assert [(one["state"], one["what"]) for one in done["history"]] == [
        ("draft", "drafted"),
        ("draft", "entered: reporter.name, reporter.profession, reporter.email"),
        ("ready", "ready; it lacks: one of: When it started, When it was recognised"),
        ("prepared", "prepared: sheet, json, bundle, adverse-event, csv"),
        ("submitted", "submitted by hand, as Dr A Example (development) says"),
        ("acknowledged", "reference YC-2026-0001 entered"),
    ]
    assert client.get("/reports?state=acknowledged").json()["total"] == 1


def test_a_step_again_changes_nothing(client: Client, made: Made) -> None:
    case = made()[0]["case"]
    for name, members in (("ready", {}), ("submit", {"byHand": True}), ("reference", {"reference": "YC-1"})):
        if name == "submit":
            step(client, case, "export")
        first = client.post(f"/reports/{case}/{name}", json=BY | members)
        second = client.post(f"/reports/{case}/{name}", json=BY | members)
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.headers["etag"] == second.headers["etag"]
        assert first.json()["history"] == second.json()["history"]


def test_what_left_is_kept_byte_for_byte_and_found_as_documents(client: Client, made: Made) -> None:
    case = made()[0]["case"]
    step(client, case, "ready")
    exports = step(client, case, "export")["exports"]
    for one in exports:
        answer = client.get(one["content"].removeprefix("http://testserver"))
        assert hashlib.sha256(answer.content).hexdigest() == one["sha256"]
        assert answer.headers["content-type"] == one["mediaType"]
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["content-disposition"].startswith("attachment")
        held = client.get(one["document"].removeprefix("http://testserver")).json()
        assert held["content"][0]["attachment"]["title"] == one["fileName"]
        asked = {"Accept": "application/fhir+json"}
        assert (
            client.get(one["content"].removeprefix("http://testserver"), headers=asked).json()["resourceType"]
            == "Binary"
        )
    found = client.get("/fhir/DocumentReference?contenttype=text/html; charset=utf-8").json()
    assert found["total"] == 1


def test_a_rendering_is_shown_sealed_and_nothing_is_kept(client: Client, made: Made) -> None:
    case = made()[0]["case"]
    before = client.get(f"/reports/{case}").headers["etag"]
    answer = client.get(f"/reports/{case}/renderings/sheet")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert b"Draft, not submitted" in answer.content
    assert client.get(f"/reports/{case}").headers["etag"] == before
    assert client.get("/fhir/DocumentReference").json()["total"] == 0
    printed = client.get(f"/reports/{case}/renderings/pdf")
    assert (printed.headers["content-type"], printed.content[:5]) == ("application/pdf", b"%PDF-")
    assert "there are: adverse-event, bundle" in refused(client.get(f"/reports/{case}/renderings/poem"), 404)


def test_what_may_identify_holds_back_every_file_until_a_person_has_dealt_with_it(
    client: Client, made: Made
) -> None:
    case = made(with_narrative("Seen again as 999 000 0018 in clinic."))[0]["case"]
    found = client.get(f"/reports/{case}").json()
    assert {one["path"] for one in found["mayIdentify"]} == {"narrative"}
    assert "may identify the patient" in refused(client.get(f"/reports/{case}/renderings/json"), 422)
    assert "may identify the patient" in refused(client.post(f"/reports/{case}/ready", json=BY), 422)
    nameless = client.post(f"/reports/{case}/cleared", json={"path": "narrative", "reason": "a lot number"})
    assert "'by' is missing" in refused(nameless, 400)
    cleared = step(client, case, "cleared", path="narrative", reason="It is a lot number.")
    assert "mayIdentify" not in cleared
    assert step(client, case, "ready")["state"] == "ready"
    changed = step(client, case, "entries", values={"narrative": "NHS number 9990000018."})
    assert (changed["state"], changed["mayIdentify"][0]["path"]) == ("draft", "narrative")


def test_a_change_that_somebody_else_made_meanwhile_is_not_overwritten(client: Client, made: Made) -> None:
    case = made()[0]["case"]
    stale = {"If-Match": client.get(f"/reports/{case}").headers["etag"]}
    assert client.post(f"/reports/{case}/ready", json=BY, headers=stale).status_code == 200
    said = refused(client.post(f"/reports/{case}/cancel", json=BY | {"reason": "x"}, headers=stale), 412)
    assert said == "the report is at version 2, not 1; look at it again"
    bad = client.post(f"/reports/{case}/ready", json=BY, headers={"If-Match": "today"})
    assert "If-Match is the ETag" in refused(bad, 400)


def test_steps_that_are_not_possible_say_which_are(client: Client, made: Made) -> None:
    case = made()[0]["case"]
    said = refused(client.post(f"/reports/{case}/export", json=BY), 409)
    assert said.startswith(
        "a report that is draft cannot take the step 'export'; possible are: entries, ready"
    )


def test_a_person_decides_on_the_branch_with_name_and_reason(client: Client, made: Made) -> None:
    _, miss = made()
    case = miss["case"]
    body = {"branch": "device", "reason": "The needle was bent."}
    assert "'by' is missing" in refused(client.post(f"/reports/{case}/branch", json=body), 400)
    assert "is no branch" in refused(
        client.post(f"/reports/{case}/branch", json=BY | body | {"branch": "sea"}), 400
    )
    answer = client.post(f"/reports/{case}/branch", json=BY | body)
    assert answer.status_code == 201
    branches = {one["branch"]: one["state"] for one in answer.json()["reports"]}
    assert branches == {"device": "draft", "unknown": "cancelled"}


def test_the_reference_comes_back_as_an_adverse_event_too(client: Client, made: Made) -> None:
    case = made()[0]["case"]
    step(client, case, "ready")
    step(client, case, "export")
    carried = {
        "resourceType": "AdverseEvent",
        "referenceDocument": [
            {
                "identifier": {
                    "system": "https://htg117.example/fhir/NamingSystem/yellow-card-reference",
                    "value": "YC-9",
                }
            }
        ],
    }
    bare = client.post(f"/reports/{case}/reference", json={"adverseEvent": {"resourceType": "AdverseEvent"}})
    assert "carries no Yellow Card reference" in refused(bare, 400)
    assert "'reference' is missing" in refused(client.post(f"/reports/{case}/reference", json=BY), 400)
    assert step(client, case, "reference", adverseEvent=carried)["yellowCard"] == "YC-9"
    told = client.get(f"/reports/{case}/renderings/adverse-event").json()
    assert told["referenceDocument"][0]["identifier"]["value"] == "YC-9"


@pytest.mark.parametrize(
    ("address", "body", "said"),
    [
        ("", {}, "'event' is missing"),
        ("", {"event": "Observation/1"}, "'event' is AdverseEvent/[id]"),
        ("", {"event": "AdverseEvent/1", "patient": "me"}, "'patient' is a Patient"),
        ("/x/ready", {"colour": 1}, "'colour' is no member here; these are: by, note"),
        ("/x/export", {"renderings": "sheet"}, "'renderings' lists names"),
        ("/x/submit", {"byHand": 1}, "'byHand' is true or false"),
        ("/x/submit", {"byHand": True}, "'by' is missing"),
        ("/x/entries", {"values": []}, "'values' is an object"),
        ("/x/entries", {}, "'values' is missing"),
        ("/x/reporter", {"name": 7}, "'name' is a text"),
        ("/x/ready", {"by": "x" * 201}, "'by' is a text of at most 200"),
        ("/x/cancel", {}, "'reason' is missing"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(client: Client, address: str, body: Any, said: str) -> None:
    assert said in refused(client.post(f"/reports{address}", json=body), 400)


def test_a_body_that_is_no_json_is_refused(client: Client) -> None:
    sent = client.post("/reports/x/ready", content=b"<a/>", headers={"Content-Type": "application/xml"})
    refused(sent, 415)
    refused(client.post("/reports/x/ready", content=b"{", headers={"Content-Type": "application/json"}), 400)
    assert "ask for one of: application/json" in refused(
        client.get("/reports", headers={"Accept": "image/png"}), 406
    )


def test_pages_show_what_needs_attention_and_one_report(client: Client, made: Made) -> None:
    leak, miss = made(with_narrative("<b>bold</b> words"))
    page = html.fromstring(client.get("/reports?needs=attention", headers=HTML).text)
    rows: Any = page.xpath("//tbody/tr/th/a/@href")
    assert rows == [f"/reports/{miss['case']}"]
    step(client, leak["case"], "ready")
    step(client, leak["case"], "export")
    answer = client.get(f"/reports/{leak['case']}", headers=HTML)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    shown = html.fromstring(answer.text)
    found: Any = shown.xpath("//h2/text()")
    assert found == [
        "What is missing",
        "Read it",
        "Files that were made, and are kept byte for byte",
        "History",
    ]
    assert shown.xpath("//script | //form | //b") == []
    words: Any = shown.xpath("//*[@class='note']//text()")
    assert " ".join("".join(words).split()).startswith("Prepared, not submitted.")
    sheet = client.get(f"/reports/{leak['case']}/renderings/sheet").text
    assert "&lt;b&gt;bold&lt;/b&gt; words" in sheet


def test_reports_are_counted_for_an_alarm(client: Client, made: Made) -> None:
    made()
    told = client.get("/metrics").text.splitlines()
    figures = dict(line.rsplit(" ", 1) for line in told if line.startswith("htg117_reports"))
    assert figures == {
        "htg117_reports_answers": "1.0",
        **{
            f'htg117_reports{{state="{state}"}}': "1.0" if state == "draft" else "0.0"
            for state in (
                "draft", "ready", "prepared", "submitted", "acknowledged", "rejected", "follow-up",
                "cancelled",
            )
        },
        "htg117_reports_undecided": "1.0",
        "htg117_reports_oldest_unreported_days": "0.0",
        "htg117_reports_unjoined_acknowledgements": "0.0",
        "htg117_reports_held_back": "0.0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "method", "path", "may"),
    [
        ("system/AdverseEvent.rs", "GET", "/reports", True),
        ("system/AdverseEvent.rs", "GET", "/reports/1/renderings/sheet", True),
        ("system/AdverseEvent.rs", "POST", "/reports/1/ready", False),
        ("system/AdverseEvent.cu", "POST", "/reports/1/ready", True),
        ("system/AdverseEvent.cu", "GET", "/reports", False),
        ("system/Observation.cruds", "GET", "/reports", False),
        ("patient/*.cruds", "GET", "/reports", False),
        ("user/*.*", "POST", "/reports", True),
        ("system/AdverseEvent.rs", "POST", "/fhir/AdverseEvent/1/$yellow-card", False),
        ("system/AdverseEvent.cu", "POST", "/fhir/AdverseEvent/1/$yellow-card", True),
    ],
)
def test_reports_are_reached_by_the_scopes_of_adverse_events(
    scope: str, method: str, path: str, may: bool
) -> None:
    caller = Caller("issuer", "ehr", frozenset({scope}))
    if may:
        check_scope(caller, method, path)
    else:
        with pytest.raises(Forbidden):
            check_scope(caller, method, path)


def test_behind_tokens_nothing_of_a_report_is_open(tmp_path: Any) -> None:
    settings = Settings(
        issuers=("https://issuer.example.org",),
        audience="x",
        database_url=f"sqlite:///{tmp_path}/records.sqlite3",
    )
    with Client(application.build(settings)) as client:
        for method, path in (
            ("GET", "/reports"),
            ("GET", "/reports/1"),
            ("GET", "/reports/1/renderings/sheet"),
            *(("POST", f"/reports/1/{name}") for name in STEPS),
            ("GET", "/fhir/Binary/1"),
            ("GET", "/fhir/DocumentReference"),
        ):
            assert client.request(method, path).status_code == 401, path


def test_drafting_again_is_answered_with_what_is_there(client: Client) -> None:
    (event, _) = events_of(client, the_form())
    first = client.post("/reports", json={"event": event})
    second = client.post("/reports", json={"event": event})
    assert (first.status_code, second.status_code) == (200, 200)  # it was drafted with the form
    assert first.json() == second.json()
    assert [one["branch"] for one in first.json()["reports"]] == ["device"]
