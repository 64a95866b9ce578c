"""A medicine report as E2B(R3), and what its recipient answered: taken, refused, unknown, hostile."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from service.app import build
from service.settings import Settings
from tests.web.conftest import Client
from tests.web.reports.conftest import events_of
from tests.yellow_card.e2b.test_acknowledgement import answer
from tests.yellow_card.e2b.test_acknowledgement import case as about

if TYPE_CHECKING:
    from collections.abc import Iterator

XML = {"Content-Type": "application/xml"}
GOLDEN = Path(__file__).parents[2] / "golden" / "htg117" / "reports" / "medicine-json.in.json"
SITE = """
organisation = "Example University Hospitals NHS Trust"
ods = "RXX00"
nation = "england"

[reporter]
name = "Dr A Example"
profession = "physician"
country = "GB"
email = "safety@example.org"

[e2b]
sender = "EXAMPLETRUST"
receiver = "EXAMPLERECEIVER"
organisation = "EXAMPLETRUST"

[meddra]
table = "invented.csv"
version = "0.0"
"""


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A service whose site has a dictionary of its own, invented here."""
    (tmp_path / "invented.csv").write_text("local_key,llt_code\nanaphylaxis,99999999\n", encoding="utf-8")
    site = tmp_path / "site.toml"
    site.write_text(SITE, encoding="utf-8")
    settings = Settings(database_url=f"sqlite:///{tmp_path}/records.sqlite3", site=str(site))
    with Client(build(settings)) as made:
        yield made


@pytest.fixture
def sent(client: Client) -> tuple[str, str, str]:
    """A report that was submitted by hand: its case, and its numbers as message and batch."""
    form = json.loads(GOLDEN.read_text(encoding="utf-8"))["before"][0]["body"]
    events_of(client, form)
    (report,) = client.get("/reports?branch=medicine").json()["reports"]
    found: dict[str, Any] = {}
    for verb, body in (("ready", {}), ("export", {}), ("submit", {"byHand": True})):
        step = client.post(f"/reports/{report['case']}/{verb}", json={"by": "Dr A Example"} | body)
        assert step.status_code == 200, step.text
        found = step.json()
    assert found["submitTo"]["name"] == "Yellow Card (MHRA)"
    (file,) = [one["fileName"] for one in found["exports"] if one["rendering"] == "e2b"]
    return report["case"], f"GB-EXAMPLETRUST-{report['case']}", file.removesuffix(".xml")


def test_an_acceptance_is_kept_and_acknowledges(client: Client, sent: tuple[str, str, str]) -> None:
    case, message, batch = sent
    body = answer(batch, "AA", about(message, "CA"))
    first = client.post(f"/reports/{case}/acknowledgement", content=body, headers=XML)
    assert (first.status_code, first.json()["state"]) == (200, "acknowledged"), first.text
    kept = [one for one in first.json()["exports"] if one["rendering"] == "answer"]
    assert client.get(kept[0]["content"].removeprefix("http://testserver")).content == body
    again = client.post("/reports/acknowledgements", content=body, headers=XML)
    assert [one["case"] for one in again.json()["reports"]] == [case]
    assert client.get(f"/reports/{case}").json()["history"] == first.json()["history"]


def test_a_refusal_is_shown_beside_the_element_that_it_names(
    client: Client, sent: tuple[str, str, str]
) -> None:
    case, message, batch = sent
    said = "Element value for ReporterCountry With Tag Id C.2.r.3 is Mandatory."
    body = answer(batch, "AE", about(message, "CR", said))
    found = client.post(f"/reports/{case}/acknowledgement", content=body, headers=XML).json()
    assert (found["state"], found["status"]) == ("rejected", "Rejected: not reported")
    assert found["history"][-1]["reason"] == f"C.2.r.3: {said}"
    (needing,) = client.get("/reports?needs=attention&state=rejected").json()["reports"]
    assert needing["attention"][0].startswith("The recipient rejected it")


def test_an_answer_about_what_was_not_sent_is_kept_and_flagged_and_not_taken_for_this_one(
    client: Client, sent: tuple[str, str, str]
) -> None:
    case, message, _ = sent
    body = answer("B-9", "AA", about(message, "CA"))
    other = client.post("/reports/acknowledgements", content=body, headers=XML)
    digest = hashlib.sha256(body).hexdigest()
    assert (other.status_code, other.json()["reports"]) == (202, []), other.text
    kept = other.json()["unjoined"]
    assert kept["unjoined"] == [
        {"number": "B-9", "why": "no such batch was sent from here"},
        {"number": message, "why": "this report was not sent in that batch"},
    ]
    assert (kept["sha256"], kept["state"]) == (digest, "open")
    assert client.get(kept["content"].removeprefix("http://testserver")).content == body
    assert client.get(f"/reports/{case}").json()["state"] == "submitted"
    again = client.post(f"/reports/{case}/acknowledgement", content=body, headers=XML)
    assert (again.status_code, again.json()["unjoined"]) == (202, kept)
    assert again.json()["says"] == "the acknowledgement is kept, but it does not answer this report"
    needing = client.get("/reports?needs=attention").json()
    assert (needing["reports"], needing["unjoined"]) == ([], [kept])
    assert digest[:16] in client.get("/reports?needs=attention", headers={"Accept": "text/html"}).text
    assert client.get("/reports/acknowledgements").json() == {"total": 1, "acknowledgements": [kept]}
    assert "htg117_reports_unjoined_acknowledgements 1.0" in client.get("/metrics").text.splitlines()

    address = f"/reports/acknowledgements/{digest}/look-over"
    assert client.post(address, json={"reason": "not ours"}).status_code == 400
    seen = client.post(address, json={"reason": "not ours", "by": "Dr A Example"})
    assert (seen.status_code, seen.json()["state"], seen.json()["reason"]) == (200, "seen", "not ours")
    assert "unjoined" not in client.get("/reports?needs=attention").json()
    assert client.get("/reports/acknowledgements?state=seen").json()["acknowledgements"] == [seen.json()]
    assert "htg117_reports_unjoined_acknowledgements 0.0" in client.get("/metrics").text.splitlines()
    assert client.get("/reports/acknowledgements/none").status_code == 404


def test_several_reports_are_prepared_as_one_message(client: Client) -> None:
    form = json.loads(GOLDEN.read_text(encoding="utf-8"))["before"][0]["body"]
    for at in range(2):
        events_of(
            client, form | {"identifier": {"system": "https://ehr.example.org/forms", "value": f"b{at}"}}
        )
    ids = [one["case"] for one in client.get("/reports?branch=medicine").json()["reports"]]
    assert len(ids) == 2
    given = {"cases": ids, "by": "Dr A Example"}
    early = client.post("/reports/batch", json=given)
    assert early.status_code == 409, early.text
    for one in ids:
        assert client.post(f"/reports/{one}/ready", json={"by": "Dr A Example"}).status_code == 200
    made = client.post("/reports/batch", json=given)
    assert made.status_code == 200, made.text
    file = made.json()["file"]
    assert (file["together"], [one["state"] for one in made.json()["reports"]]) == (ids, ["prepared"] * 2)
    assert client.post("/reports/batch", json=given).json() == made.json()
    body = client.get(file["content"].removeprefix("http://testserver")).content
    assert hashlib.sha256(body).hexdigest() == file["sha256"]
    assert [body.count(f"GB-EXAMPLETRUST-{one}".encode()) > 0 for one in ids] == [True, True]
    for wrong, status in (
        ({"cases": ids[:1]}, 400),
        ({"cases": "x"}, 400),
        ({}, 400),
        ({"cases": [*ids, "z"]}, 404),
    ):
        assert client.post("/reports/batch", json=wrong).status_code == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"<a/>", 400),
        (b"not xml", 400),
        (b'<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>', 400),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', 400),
        (b"<a>" * 5000, 413),
        (b"\xff\xfe<\x00a\x00", 400),
    ],
)
def test_what_is_no_acknowledgement_is_refused(client: Client, body: bytes, status: int) -> None:
    answered = client.post("/reports/acknowledgements", content=body, headers=XML)
    assert (answered.status_code, answered.json()["resourceType"]) == (status, "OperationOutcome")
    assert "passwd" not in answered.text
    assert client.post("/reports/acknowledgements", content=body).status_code == 415
