"""``htg117 outbox`` and ``htg117 deliver``: what is on its way, put right, and sent to a real folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from typer.testing import CliRunner

from service.adapters.records import Outbox, connect
from service.cli import app
from service.operations.outbox import Fate, Settlement
from service.operations.ports import Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service.adapters.records import Store

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Records with four messages: delivered, refused, given up, and one that waits."""
    url = f"sqlite:///{tmp_path}/records.sqlite3"
    opened = connect(url)
    opened.commit([], NOW, [
        Message(f"m{at}", "gateway", f"SafetyReport/{at}", "application/xml", b"<case/>", {"case": f"{at}"})
        for at in range(4)
    ])  # fmt: skip
    outbox = Outbox(opened)
    for claim, (fate, reason) in zip(
        outbox.claim(("gateway",), NOW, timedelta(minutes=1), 3),
        [(Fate.DELIVERED, None), (Fate.REFUSED, "the gateway answered 422"), (Fate.DEAD, "given up")],
        strict=True,
    ):
        outbox.settle(claim, Settlement(fate, reason), NOW)
    (tmp_path / "out").mkdir()
    (tmp_path / "site.toml").write_text(
        'nation = "england"\norganisation = "Example Trust"\n[gateway]\nkind = "folder"\nfolder = "out"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("HTG117_DATABASE_URL", url)
    monkeypatch.setenv("HTG117_SITE", str(tmp_path / "site.toml"))
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    yield
    structlog.reset_defaults()  # the command logged to the runner's own stderr


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def fates(store: Store) -> dict[str, str]:
    return {one.id: one.fate.value for one in Outbox(store).page()[0]}


def test_what_is_stuck_is_listed_and_the_exit_code_says_so(store: Store) -> None:
    listed = run("outbox", "list", "--fate", "refused", "--fate", "dead")
    assert (listed.exit_code, listed.stdout.splitlines()) == (1, [
        "m1  refused  gateway  SafetyReport/1  1 attempts  2026-09-01T00:00:00Z  the gateway answered 422",
        "m2  dead  gateway  SafetyReport/2  1 attempts  2026-09-01T00:00:00Z  given up",
    ])  # fmt: skip
    assert "2 stuck" in listed.stderr
    waiting = run("outbox", "list", "--fate", "waiting", "--json")
    assert waiting.exit_code == 0
    assert json.loads(waiting.stdout)["id"] == "m3"
    assert run("outbox", "list", "--subject", "SafetyReport/0").stdout.startswith("m0  delivered")


def test_one_message_is_shown_without_its_body(store: Store) -> None:
    shown = run("outbox", "show", "m1")
    assert json.loads(shown.stdout) | {"sha256": ""} == {
        "id": "m1", "fate": "refused", "channel": "gateway", "subject": "SafetyReport/1",
        "media_type": "application/xml", "details": {"case": "1"}, "sha256": "", "attempts": 1,
        "created": "2026-09-01T00:00:00+00:00", "changed": "2026-09-01T00:00:00+00:00",
        "due": "2026-09-01T00:01:00+00:00", "reason": "the gateway answered 422", "reference": None,
    }  # fmt: skip
    missing = run("outbox", "show", "m9")
    assert (missing.exit_code, missing.stderr) == (1, "there is no message m9 in the outbox\n")


def test_a_person_tries_again_or_drops_and_a_worker_delivers(store: Store, tmp_path: Path) -> None:
    assert run("outbox", "retry", "m2").exit_code == 0
    assert run("outbox", "retry", "m0").exit_code == 1
    dropped = run("outbox", "drop", "m1", "--reason", "entered on the web form")
    assert "m1  dropped" in dropped.stdout
    delivered = run("deliver", "--once")
    assert (delivered.exit_code, delivered.stderr.splitlines()[-1]) == (0, "2 attempts")
    assert fates(store) == {"m0": "delivered", "m1": "dropped", "m2": "delivered", "m3": "delivered"}
    assert sorted(one.name for one in (tmp_path / "out").glob("*.xml")) == ["m2.xml", "m3.xml"]
