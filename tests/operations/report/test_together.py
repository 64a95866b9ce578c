"""Many at once: each report has one history, and nobody's change is lost or made twice."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest

from service.domain.errors import Conflict
from service.domain.safety_report import State
from service.operations.report import cases
from service.operations.report.drafting import draft
from service.operations.report.edits import enter
from service.operations.report.following import follow_form
from service.operations.report.steps import back, enter_reference, ready
from tests.operations.report.test_verbs import LEAK, MEDICINE, sent

if TYPE_CHECKING:
    from tests.operations.report.conftest import House

WORKERS = 8


def test_many_drafts_at_once_make_one_report(house: House) -> None:
    event = house.event(MEDICINE)
    desk = house.desk
    with ThreadPoolExecutor(WORKERS) as pool:
        made = list(pool.map(lambda name: draft(desk, event, f"A{name}"), range(WORKERS)))
    assert len({one.cases[0].id for one in made}) == 1
    [case] = cases.search(house.records, [])
    assert [one.what for one in case.report.changes] == ["drafted"]
    assert len({one.cases[0].report.subject.local_reference for one in made}) == 1


def test_many_entries_at_once_are_all_kept(house: House) -> None:
    event = house.event(LEAK)
    desk = house.desk
    [case] = draft(desk, event, "A").cases
    names = ["reporter.telephone", "reporter.email", "reporter.city", "devices.0.model", "devices.0.serial",
             "devices.0.udi", "reporter.department", "subject.sex"]  # fmt: skip
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda path: enter(desk, case.id, {path: "female"}, path), names))
    held = cases.read(house.records, case.id)
    assert sorted(one.path for one in held.entered) == sorted(names)
    assert sorted(one.who for one in held.report.changes[1:]) == sorted(names)


def test_of_two_who_do_different_things_each_meets_a_sound_state(house: House) -> None:
    event = house.event(LEAK)
    desk = house.desk
    [case] = draft(desk, event, "A").cases

    def one(number: int) -> bool:
        try:
            (ready if number % 2 else partial(back, reason="no"))(desk, case.id, str(number))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one, range(WORKERS * 3)))
    held = cases.read(house.records, case.id)
    states = [change.state for change in held.report.changes]
    assert all(a is not b for a, b in itertools.pairwise(states))
    assert held.report.state is states[-1]
    assert held.record == len(states)


def test_an_amendment_and_a_reference_at_once_both_count(house: House) -> None:
    case = sent(house)
    desk = house.desk
    more = LEAK | {"event.outcome": "resolved"}

    def amend() -> None:
        house.submit({"event": [more]}, status="amended", reporting=partial(follow_form, desk))

    with ThreadPoolExecutor(2) as pool:
        amended, entered = pool.submit(amend), pool.submit(enter_reference, desk, case.id, "YC-9", "A")
        amended.result()
        entered.result()
    held = cases.read(house.records, case.id)
    assert (held.report.state, held.report.yellow_card) == (State.FOLLOW_UP, "YC-9")
    assert held.due is not None


@pytest.mark.parametrize("times", [3])
def test_the_same_form_sent_many_times_at_once_drafts_its_reports_once(house: House, times: int) -> None:
    desk = house.desk

    def send(_number: int) -> None:
        house.submit({"event": [LEAK, MEDICINE]}, reporting=partial(follow_form, desk))

    with ThreadPoolExecutor(times) as pool:
        list(pool.map(send, range(times)))
    found = list(cases.search(house.records, []))
    assert sorted(len(one.report.changes) for one in found) == [1, 1]
