"""``htg117 report``: a report from draft to reference on the command line, and what is refused."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from service.app import build
from service.cli import app
from service.settings import Settings
from tests.web.conftest import Client
from tests.web.reports.conftest import events_of, the_form, with_narrative
from tests.yellow_card.e2b.test_acknowledgement import answer
from tests.yellow_card.e2b.test_acknowledgement import case as about

if TYPE_CHECKING:
    from pathlib import Path

BY = ("--by", "Dr A Example")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Records with the reports of one form, named by the environment."""
    found = f"sqlite:///{tmp_path}/records.sqlite3"
    with Client(build(Settings(database_url=found))) as client:
        events_of(client, the_form())
    monkeypatch.setenv("HTG117_DATABASE_URL", found)
    return found


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["report", *arguments])


def done(*arguments: str) -> list[str]:
    """The lines of a command that ends well."""
    ended = run(*arguments)
    assert ended.exit_code == 0, ended.output
    return list(ended.stdout.splitlines())


def cases(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done("list", "--json", *arguments)]


def test_reports_are_listed_as_text_and_as_json(url: str) -> None:
    found = cases()
    assert [(one["branch"], one["state"]) for one in found] == [("unknown", "draft"), ("device", "draft")]
    assert [one["case"] for one in found] == [line.split()[0] for line in done("list")]
    assert [one["branch"] for one in cases("--branch", "device")] == ["device"]
    assert cases("--age", "1") == []
    wrong = run("list", "--state", "lost")
    assert (wrong.exit_code, "--state has no value 'lost'; it has: draft" in wrong.output) == (2, True)


def test_what_needs_attention_is_an_exit_code_too(url: str) -> None:
    ended = run("attention", "--json")
    assert ended.exit_code == 1
    (told,) = [json.loads(line) for line in ended.stdout.splitlines()]
    assert told["branch"] == "unknown"
    assert told["attention"][0].startswith("It is not known whether this is to be reported.")
    assert done("attention", "--branch", "device") == []


def test_from_draft_to_reference(url: str, tmp_path: Path) -> None:
    (leak,) = cases("--branch", "device")
    case = leak["case"]
    shown = done("show", case)
    assert shown[0] == "Cement leak outside the bone: Draft, not submitted"
    assert shown[-1] == "next: entries, ready, cancel"
    done("enter", case, "reporter.name=Dr A Example", "reporter.email=a@example.org", "subject.age=71", *BY)
    done("enter", case, "devices.0.fault=true", "devices.0.model=20", *BY)
    held = json.loads("\n".join(done("show", case, "--json")))["report"]
    assert (held["subject"]["age"], held["devices"][0]["fault"], held["devices"][0]["model"]) == (
        71,
        True,
        "20",
    )
    done("ready", case, *BY)
    done("export", case, "--to", str(tmp_path / "out"), *BY)
    files = json.loads("\n".join(done("show", case, "--json")))["exports"]
    assert {one["fileName"]: one["sha256"] for one in files} == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "out").iterdir()
    }
    assert len(files) == 5
    unsent = run("submit", case)
    assert (unsent.exit_code, "this site has no gateway" in unsent.output) == (1, True)
    assert run("submit", case, "--by-hand").exit_code == 2
    done("submit", case, "--by-hand", *BY)
    (line,) = done("reference", case, "YC-2026-0001", "--json", *BY)
    assert json.loads(line)["yellowCard"] == "YC-2026-0001"
    assert (
        done("show", case)[0]
        == "Cement leak outside the bone: Acknowledged: Yellow Card reference YC-2026-0001"
    )


def test_renderings_go_to_standard_output(url: str) -> None:
    (leak,) = cases("--branch", "device")
    assert json.loads("".join(done("show", leak["case"], "--as", "bundle")))["type"] == "document"
    ended = run("show", leak["case"], "--as", "poem")
    assert (ended.exit_code, "there is no rendering 'poem'" in ended.output) == (1, True)


def test_a_table_goes_out_and_references_come_back(url: str, tmp_path: Path) -> None:
    (leak,) = cases("--branch", "device")
    for step in ("ready", "export"):
        done(step, leak["case"])
    file = tmp_path / "reports.csv"
    done("table", str(file), "--branch", "device")
    (row,) = csv.DictReader(io.StringIO(file.read_bytes().decode(), newline=""))
    assert (row["case"], row["event_code"], row["state"]) == (leak["case"], "cement-leak", "prepared")
    back = tmp_path / "back.csv"
    back.write_text(f"case,yellow_card_reference\n{leak['case']},YC-7\nnobody,YC-8\n", encoding="utf-8")
    ended = run("references", str(back), *BY)
    assert (ended.exit_code, "nobody: there is no report 'nobody' here" in ended.output) == (1, True)
    assert cases("--state", "acknowledged")[0]["yellowCard"] == "YC-7"


def test_a_person_decides_on_the_branch(url: str) -> None:
    (miss,) = cases("--branch", "unknown")
    assert run("override", miss["case"], "device", "--reason", "bent").exit_code == 2
    wrong = run("override", miss["case"], "sea", "--reason", "bent", *BY)
    assert (wrong.exit_code, "'sea' is no branch" in wrong.output) == (2, True)
    done("override", miss["case"], "device", "--reason", "The needle was bent", *BY)
    assert len(cases("--branch", "device", "--state", "draft")) == 2


def test_steps_with_a_reason_and_what_is_not_possible(url: str) -> None:
    (leak,) = cases("--branch", "device")
    early = run("export", leak["case"])
    assert (early.exit_code, "possible are: entries, ready" in early.output) == (1, True)
    assert run("step", leak["case"], "dance", "--reason", "x").exit_code == 2
    done("step", leak["case"], "cancel", "--reason", "Entered twice", *BY)
    assert [one["case"] for one in cases("--state", "cancelled")] == [leak["case"]]


def test_what_may_identify_is_held_back_until_a_person_has_dealt_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTG117_DATABASE_URL", f"sqlite:///{tmp_path}/other.sqlite3")
    with Client(build(Settings(database_url=f"sqlite:///{tmp_path}/other.sqlite3"))) as client:
        events_of(client, with_narrative("Known as 999 000 0018."))
    (leak,) = cases("--branch", "device")
    ended = run("table", str(tmp_path / "reports.csv"), "--branch", "device")
    assert (ended.exit_code, "narrative may identify the patient" in ended.output) == (1, True)
    assert "999" not in (tmp_path / "reports.csv").read_text(encoding="utf-8")
    assert run("show", leak["case"], "--as", "sheet").exit_code == 1
    done("clear", leak["case"], "narrative", "--reason", "A lot number", *BY)
    assert run("show", leak["case"], "--as", "sheet").exit_code == 0


def test_what_is_no_acknowledgement_is_refused(url: str, tmp_path: Path) -> None:
    (tmp_path / "answer.xml").write_text("<a/>", encoding="utf-8")
    ended = run("acknowledge", str(tmp_path / "answer.xml"))
    assert (ended.exit_code, "an acknowledgement is a MCCI_IN200101UV01" in ended.output) == (1, True)


def test_an_acknowledgement_that_belongs_to_no_report_is_kept_until_a_person_has_looked(
    url: str, tmp_path: Path
) -> None:
    body = answer("B-9", "AA", about("GB-OTHER-1", "CA"))
    (tmp_path / "answer.xml").write_bytes(body)
    digest = hashlib.sha256(body).hexdigest()
    for _ in range(2):
        ended = run("acknowledge", str(tmp_path / "answer.xml"))
        assert (ended.exit_code, f"kept as {digest}" in ended.output) == (1, True)
    (listed,) = run("acknowledgements").stdout.splitlines()
    assert listed.startswith(digest)
    assert f"acknowledgement {digest}" in run("attention").stdout
    back = tmp_path / "back.xml"
    done("look-into", digest, "--reason", "another hospital's", "--to", str(back), *BY)
    assert back.read_bytes() == body
    assert done("acknowledgements") == []
    assert [json.loads(one)["reason"] for one in done("acknowledgements", "--seen", "--json")] == [
        "another hospital's"
    ]


def test_a_batch_that_cannot_be_made_moves_no_report(url: str) -> None:
    ids = [one["case"] for one in cases()]
    ended = run("batch", *ids, *BY)
    assert (ended.exit_code, "a report that is draft" in ended.output) == (1, True)
    ended = run("batch", ids[0], *BY)
    assert (ended.exit_code, "from 2 to 100 different reports" in ended.output) == (1, True)
    assert [one["state"] for one in cases()] == ["draft", "draft"]


def test_every_command_teaches(url: str) -> None:
    for name in ("list", "attention", "show", "draft", "enter", "clear", "override", "ready", "export",
                 "submit", "reference", "acknowledge", "acknowledgements", "look-into", "batch", "references",
                 "table", "step", "follow-up"):  # fmt: skip
        ended = run(name, "--help")
        assert ended.exit_code == 0
        assert "Usage" in ended.output
