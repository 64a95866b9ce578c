"""A report about a medicine goes into a folder as E2B(R3), and the answer comes back through the inbox."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from service.cli import app
from service.domain.safety_report import State
from service.yellow_card.e2b.reader import read
from tests.operations.report.test_answering import GUIDE, found, numbers, queued
from tests.yellow_card.e2b.test_acknowledgement import answer, case

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.operations.report.conftest import House


def test_a_folder_gateway_takes_the_message_and_brings_the_answer(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("out", "in"):
        (tmp_path / name).mkdir()
    site = tmp_path / "site.toml"
    site.write_text(
        'nation = "england"\norganisation = "Example Trust"\n'
        '[gateway]\nkind = "folder"\nfolder = "out"\ninbox = "in"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("HTG117_SITE", str(site))
    monkeypatch.setenv("HTG117_DATABASE_URL", f"sqlite:///{tmp_path}/records.sqlite3")
    _, message = queued(house)
    batch, number = numbers(message)
    assert CliRunner().invoke(app, ["deliver", "--once"]).exit_code == 0
    (sent,) = (tmp_path / "out").glob("*.xml")
    assert read(sent.read_bytes(), GUIDE).header["N.1.2"] == batch
    assert found(house, message).report.state is State.SUBMITTED

    mine, strange = tmp_path / "in" / "1.xml", tmp_path / "in" / "2.xml"
    mine.write_bytes(answer(batch, "AA", case(number, "CA")))
    strange.write_bytes(answer("B-9", "AA", case("GB-OTHER-1", "CA")))
    for path in (mine, strange):
        os.utime(path, (0, 0))  # it has stood still long enough to be whole
    assert CliRunner().invoke(app, ["deliver", "--once"]).exit_code == 0
    held = found(house, message)
    assert (held.report.state, held.report.yellow_card) == (State.ACKNOWLEDGED, f"L-{number}")
    assert (tmp_path / "in" / "done" / "1.xml").read_bytes() == answer(batch, "AA", case(number, "CA"))
    kept = tmp_path / "in" / "failed" / "2.xml"
    assert kept.read_bytes() == answer("B-9", "AA", case("GB-OTHER-1", "CA"))
    assert "find out whose it is" in kept.with_name("2.xml.reason").read_text(encoding="utf-8")
