"""``htg117 e2b``: messages checked and read, acknowledgements read and matched, with exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from service.cli.e2b import e2b
from service.yellow_card.e2b.values import Attachment
from service.yellow_card.e2b.writer import write
from tests.yellow_card.e2b.material import changed, good, guide, reference
from tests.yellow_card.e2b.test_acknowledgement import answer, case

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture(autouse=True)
def _no_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTG117_SITE", raising=False)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(e2b, [str(one) for one in arguments])


def file(folder: Path, body: bytes, name: str = "message.xml") -> Path:
    path = folder / name
    path.write_bytes(body)
    return path


def test_a_good_message_has_nothing_said_of_it(tmp_path: Path) -> None:
    path = file(tmp_path, write(good(), guide()))
    result = run("check", path)
    assert (result.exit_code, result.stdout) == (0, f"{path}: 0 errors\n")


def test_a_fault_is_one_line_with_file_line_element_and_remedy(tmp_path: Path) -> None:
    path = file(tmp_path, write(changed(good(), C_3_2=None), guide()))
    result = run("check", path)
    said = "a sender who is no patient or consumer names the organisation"
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{path}:9: error: N.2.r[1].C.3.2: C.3.2 (Sender's Organisation) is missing: {said} [C.3.2]",
        f"{path}: 1 error",
    ]


def test_what_no_element_accounts_for_is_told_and_is_no_error(tmp_path: Path) -> None:
    body = write(good(), guide()).replace(b"<availabilityTime", b'<availabilityTime operator="A"')
    result = run("check", file(tmp_path, body))
    assert result.exit_code == 0
    assert (
        "information: PORR_IN049016UV/controlActProcess/subject/investigationEvent/availabilityTime/@operator"
        in (result.stdout)
    )


def test_findings_are_json_where_asked_for(tmp_path: Path) -> None:
    path = file(tmp_path, write(changed(good(), D_7_2=None), guide()))
    result = run("check", "--json", path)
    (found,) = json.loads(result.stdout)["findings"]
    assert (result.exit_code, found["severity"], found["element"], found["line"]) == (
        0,
        "warning",
        "D.7.2",
        9,
    )


def test_a_hostile_file_is_an_error_and_an_absent_one_is_not_read(tmp_path: Path) -> None:
    hostile = file(tmp_path, b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")
    result = run("check", hostile)
    assert (result.exit_code, "a document type is not allowed" in result.stdout) == (1, True)
    huge = file(tmp_path, b"<" * 20_000_001, "huge.xml")
    assert "the limit is 20000000" in run("check", huge).stdout
    absent = run("check", tmp_path / "none.xml")
    assert (absent.exit_code, absent.stderr) == (2, f"{tmp_path}/none.xml: No such file or directory\n")


def test_the_schemas_are_asked_where_their_folder_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = reference("xsd")
    body = write(good(), guide()).replace(b"<statusCode code", b"<other/><statusCode code")
    path = file(tmp_path, body)
    assert "Element 'other'" in run("check", path, "--xsd", folder).stdout
    site = tmp_path / "site.toml"
    site.write_text(f'organisation = "X"\nnation = "england"\nxsd = "{folder}"\n', encoding="utf-8")
    assert "Element 'other'" not in run("check", path).stdout
    monkeypatch.setenv("HTG117_SITE", str(site))
    assert "Element 'other'" in run("check", path).stdout
    absent = run("check", path, "--xsd", tmp_path)
    assert (absent.exit_code, absent.stderr.startswith("schemas: ")) == (2, True)


def test_a_message_is_read_as_json_whole(tmp_path: Path) -> None:
    attached = [{"C.4.r.2": Attachment("text/plain", b"hello")}]
    path = file(tmp_path, write(changed(good(), C_4_r=attached), guide()))
    result = run("read", path)
    read: dict[str, Any] = json.loads(result.stdout)
    assert (result.exit_code, list(read), read["unread"]) == (0, ["header", "cases", "unread"], [])
    assert read["header"]["N.1.2"] == "BATCH-1"
    assert read["cases"][0]["D.1"] == {"nullFlavor": "MSK"}
    assert read["cases"][0]["C.4.r"] == [
        {"C.4.r.2": {"mediaType": "text/plain", "compression": "", "data": "aGVsbG8="}}
    ]
    broken = run("read", file(tmp_path, b"<ichicsr/>", "old.xml"))
    assert (broken.exit_code, "E2B(R2)" in broken.stderr) == (2, True)


def test_an_answer_is_read_and_matched_with_what_was_sent(tmp_path: Path) -> None:
    sent = file(tmp_path, write(good(), guide()), "sent.xml")
    accepted = file(tmp_path, answer("BATCH-1", "AA", case("GB-EXAMPLETRUST-0001", "CA")), "aa.xml")
    refused = file(
        tmp_path, answer("BATCH-1", "AE", case("GB-EXAMPLETRUST-0001", "CR", "E.i.7 wrong")), "ae.xml"
    )
    strange = file(tmp_path, answer("BATCH-9", "AA"), "other.xml")
    assert [run("ack", one).exit_code for one in (accepted, refused)] == [0, 1]
    told = json.loads(run("ack", refused, "--message", sent).stdout)
    assert told["known"] is True
    assert told["outcomes"] == [
        {
            "message": "GB-EXAMPLETRUST-0001",
            "accepted": False,
            "said": [{"text": "E.i.7 wrong", "element": "E.i.7"}],
            "reference": "L-GB-EXAMPLETRUST-0001",
            "flag": "",
        }
    ]
    assert run("ack", accepted, "--message", sent).exit_code == 0
    assert run("ack", strange, "--message", sent).exit_code == 1
    assert run("ack", sent).exit_code == 2
