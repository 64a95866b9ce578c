"""Events that were recorded before reports were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.operations.report import cases
from service.operations.report.catching_up import draft_missing, without_report
from tests.operations.report.test_verbs import LEAK, MEDICINE, first

if TYPE_CHECKING:
    from tests.operations.report.conftest import House


def test_each_event_without_a_report_is_drafted_once(house: House) -> None:
    there = first(house)
    other = house.event(MEDICINE, name="f-2")
    assert [one.id for one in without_report(house.records)] == [other]
    [made] = draft_missing(house.desk, "A")
    assert made.cases[0].event == f"AdverseEvent/{other}"
    assert list(draft_missing(house.desk, "A")) == []
    assert {one.event for one in cases.search(house.records, [])} == {there.event, made.cases[0].event}


def test_several_events_are_drafted(house: House) -> None:
    house.submit({"event": [LEAK, MEDICINE]})
    assert len(list(draft_missing(house.desk, "A"))) == 2
