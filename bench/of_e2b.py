"""E2B(R3): one case made from a report, checked and written; the same read back; hostile XML refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Row, median
from service.domain.errors import Malformed
from service.domain.evaluation import Code
from service.domain.safety_report import (
    Branch,
    ReportedEvent,
    ReportedMedicine,
    Reporter,
    SafetyReport,
    State,
    Subject,
)
from service.domain.site import E2b, Site
from service.yellow_card.e2b.elements import read_guide
from service.yellow_card.e2b.reader import read
from service.yellow_card.e2b.rendering import TABLE, Tools, render
from service.yellow_card.e2b.rules import check
from service.yellow_card.e2b.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 8, 1, 9, 0, tzinfo=UTC)
SITE = Site("Example Trust", "RX999", "england", e2b=E2b("SENDER", "RECEIVER", "EXAMPLE"))


def _report() -> SafetyReport:
    event = ReportedEvent(
        "AdverseEvent/1",
        Code("urn:bench", "reaction", "Reaction"),
        "slow breathing",
        onset="2026-07-20T10:15:00+01:00",
        seriousness=("life-threatening",),
        outcome="resolved",
    )
    medicine = ReportedMedicine("Examplazolam", "suspect", "2 mg", "intravenous", "LOT-1", "2026-07-20")
    return SafetyReport(
        "7f3c2b1a-0000-4000-8000-000000000001",
        1,
        Branch.MEDICINE,
        State.READY,
        "A medicine is suspected.",
        (event, replace(event, reference="AdverseEvent/2")),
        Subject(age=Decimal(71), sex="female"),
        Reporter("Dr A. Example", "physician"),
        medicines=(medicine, replace(medicine, role="concomitant")),
        narrative="Synthetic. " * 100,
        received="2026-07-21",
    )


def measure() -> Iterator[Row]:
    """The rows of the group."""
    table = json.loads((ROOT / TABLE).read_bytes())
    guide = read_guide(table)
    tools = Tools(guide, lambda: NOW, Terms("0.0", {"reaction": "99999999"}))
    report = _report()
    body = render([report], SITE, tools).body
    yield Row("a case made, checked and written", median(lambda: render([report], SITE, tools)), 5, 2)
    yield Row("the same read and checked", median(lambda: check(read(body, guide), guide, NOW)), 10, 5)
    hundred = [replace(report, case=f"case{number}") for number in range(100)]
    batch = median(lambda: render(hundred, SITE, tools), least=5)
    yield Row("a case in a batch of 100", batch / 100, 5, 2)
    yield Row("the table read", median(lambda: read_guide(table)), 100)
    bomb = b"<!DOCTYPE x [" + b"<!ENTITY a 'a'>" * 1000 + b"]>" + body
    huge = b" " * 100_000_000

    def refuse(hostile: bytes) -> None:
        try:
            read(hostile, guide)
        except Malformed:
            return
        raise SystemExit("hostile XML was read")

    yield Row("a document type refused", median(lambda: refuse(bomb)), 5)
    yield Row("100 MB refused", median(lambda: refuse(huge)), 5)
