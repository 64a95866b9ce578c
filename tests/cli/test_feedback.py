"""``htg117 feedback``: what it counts, and its three forms."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from service.adapters.records import connect
from service.cli import app
from service.operations.feedback import keep, read_feedback

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 9, 1, tzinfo=UTC)


def item(card: str, outcome: str, at: str, code: str | None = None, display: str | None = None) -> Any:
    made: dict[str, Any] = {"card": card, "outcome": outcome, "outcomeTimestamp": at}
    if outcome == "accepted":
        made["acceptedSuggestions"] = [{"id": "s"}]
    if code:
        reason = {"system": "https://example.org", "code": code, "display": display}
        made["overrideReason"] = {"reason": {name: text for name, text in reason.items() if text}}
    return made


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    url = f"sqlite:///{tmp_path}/r.sqlite3"
    store = connect(url)
    for service, items in (
        ("a-sign", [
            item("1", "accepted", "2026-07-03T10:00:00Z"),
            item("2", "overridden", "2026-07-04T10:00:00Z", "x", "The patient's choice"),
            item("3", "overridden", "2026-07-05T10:00:00Z", "x", "The patient's choice"),
            item("4", "overridden", "2026-07-06T10:00:00Z", "=1+1"),
            item("5", "overridden", "2026-07-31T23:59:60Z"),
            item("5", "accepted", "2026-08-02T10:00:00.5Z"),
        ]),
        ("b-view", [item("9", "overridden", "2026-08-03T10:00:00Z")]),
    ):  # fmt: skip
        keep(read_feedback({"feedback": items}), service, "ehr", store, NOW)
    store.close()
    monkeypatch.setenv("HTG117_DATABASE_URL", url)
    return lambda *arguments: CliRunner().invoke(app, ["feedback", *arguments])


def test_the_table_counts_each_cards_last_outcome(run: Any) -> None:
    assert run().stdout.splitlines() == [
        "service  month    accepted  overridden  unknown  reasons",
        "a-sign   2026-07  1         3           4        2 × The patient's choice; 1 × =1+1",
        "a-sign   2026-08  1         0           1",
        "b-view   2026-08  0         1           1        1 × no reason given",
    ]


def test_json_is_an_object_a_row(run: Any) -> None:
    assert json.loads(run("--json", "--since", "2026-08-01").stdout) == [
        {"service": "a-sign", "month": "2026-08", "accepted": 1, "overridden": 0, "reasons": {},
         "comments": 0, "unknown": 1},
        {"service": "b-view", "month": "2026-08", "accepted": 0, "overridden": 1,
         "reasons": {"no reason given": 1}, "comments": 0, "unknown": 1},
    ]  # fmt: skip


def test_csv_has_a_line_a_reason_and_no_formula(run: Any) -> None:
    assert run("--csv").stdout.splitlines() == [
        "service,month,accepted,overridden,reason,count,comments,unknown",
        "a-sign,2026-07,1,3,The patient's choice,2,0,4",
        "a-sign,2026-07,1,3,'=1+1,1,0,4",
        "a-sign,2026-08,1,0,,0,0,1",
        "b-view,2026-08,0,1,no reason given,1,0,1",
    ]


def test_two_forms_at_once_are_refused_and_nothing_is_said_so(run: Any) -> None:
    both = run("--csv", "--json")
    assert (both.exit_code, both.stdout) == (2, "")
    assert run("--since", "2027-01-01").stdout == "no feedback is stored since 2027-01-01\n"


def test_help_teaches() -> None:
    told = " ".join(CliRunner().invoke(app, ["feedback", "--help"]).stdout.split())
    for part in ("accepted, or overridden and why", "last outcome counts", "unknown", "--since"):
        assert part in told
