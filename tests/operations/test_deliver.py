"""One attempt at a delivery: what the courier said, what becomes of the message, what follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.errors import (
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Overtaken,
    PreconditionFailed,
    Refused,
    ServiceError,
    Unauthenticated,
    Unavailable,
    Unprocessable,
)
from service.operations.deliver import Attempt, Line, Patience, deliver, judge, sentence
from service.operations.outbox import Claim, Fate, Settlement
from service.operations.ports import Message, Receipt, Write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.operations.deliver import Follow

NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
MESSAGE = Message("m1", "gateway", "SafetyReport/1", "text/plain", b"x")
CLAIM = Claim(MESSAGE, attempt=7, tries=3, queued=NOW - timedelta(hours=1))
WRITE = Write("SafetyReport", "1", {"resourceType": "SafetyReport"})
PATIENCE = Patience(timedelta(seconds=10), timedelta(minutes=5), tries=4, age=timedelta(days=1), least=3)


class Box:
    """Notes settlements; raises what it is told to, in turn."""

    def __init__(self, *faults: ServiceError) -> None:
        self.faults = list(faults)
        self.settled: list[tuple[Claim, Settlement, datetime, tuple[Any, ...], tuple[Any, ...]]] = []

    def settle(
        self, claim: Claim, settlement: Settlement, now: datetime,
        writes: Sequence[Write] = (), messages: Sequence[Message] = (),
    ) -> tuple[()]:  # fmt: skip
        if self.faults:
            raise self.faults.pop(0)
        self.settled.append((claim, settlement, now, tuple(writes), tuple(messages)))
        return ()


class Telling:
    """A courier that answers as it is told to, and what follows is one write."""

    def __init__(self, answer: Receipt | ServiceError) -> None:
        self.answer = answer
        self.asked: list[Message] = []
        self.followed: list[Receipt | ServiceError] = []
        self.fault: ServiceError | None = None

    def deliver(self, message: Message) -> Receipt:
        self.asked.append(message)
        if isinstance(self.answer, ServiceError):
            raise self.answer
        return self.answer

    def settled(self, message: Message, outcome: Receipt | ServiceError) -> Follow:
        assert message == MESSAGE
        self.followed.append(outcome)
        if self.fault:
            raise self.fault
        return [WRITE], [replace(MESSAGE, id="m2")]


def run(telling: Telling, box: Box, claim: Claim = CLAIM) -> Attempt:
    line = Line(telling, telling.settled, PATIENCE)
    return deliver(claim, line, box, lambda: NOW, lambda: 0.5)  # type: ignore[arg-type]


def test_a_receipt_ends_the_message_with_what_follows() -> None:
    telling, box = Telling(Receipt("ref-7")), Box()
    assert run(telling, box) == Attempt("m1", "gateway", Fate.DELIVERED, 3)
    after = (replace(MESSAGE, id="m2"),)
    assert box.settled == [(CLAIM, Settlement(Fate.DELIVERED, reference="ref-7"), NOW, (WRITE,), after)]


@pytest.mark.parametrize(
    "fault",
    [Refused("no"), Invalid("no"), Unprocessable("no"), NotFound("no"), Gone("no"), ServiceError("no")],
)
def test_a_refusal_ends_the_message_and_what_follows_knows_it(fault: ServiceError) -> None:
    telling, box = Telling(fault), Box()
    assert run(telling, box) == Attempt("m1", "gateway", Fate.REFUSED, 3, "no")
    assert [entry[1] for entry in box.settled] == [Settlement(Fate.REFUSED, "no")]
    assert telling.followed == [fault]


@pytest.mark.parametrize("fault", [Unavailable("down"), Unauthenticated("down"), Forbidden("down")])
def test_what_may_pass_is_tried_again_and_nothing_follows_yet(fault: ServiceError) -> None:
    telling, box = Telling(fault), Box()
    assert run(telling, box) == Attempt("m1", "gateway", Fate.WAITING, 3, "down")
    due = NOW + timedelta(seconds=30)  # the third wait is 40 s, less a quarter by chance
    assert box.settled == [(CLAIM, Settlement(Fate.WAITING, "down", due=due), NOW, (), ())]
    assert telling.followed == []


def test_the_last_try_gives_up() -> None:
    telling, box = Telling(Unavailable("down")), Box()
    reason = "given up after 4 tries; the last: down"
    assert run(telling, box, replace(CLAIM, tries=4)).reason == reason
    assert [entry[1:4] for entry in box.settled] == [(Settlement(Fate.DEAD, reason), NOW, (WRITE,))]
    assert telling.followed == [telling.answer]


def test_a_message_too_old_by_its_next_try_is_given_up() -> None:
    box = Box()
    old = replace(CLAIM, queued=NOW - timedelta(days=1) + timedelta(seconds=29))
    assert run(Telling(Unavailable("down")), box, old).fate is Fate.DEAD
    fresh = replace(old, tries=2)
    assert run(Telling(Unavailable("down")), box, fresh).fate is Fate.WAITING
    young = replace(CLAIM, queued=NOW - timedelta(days=1) + timedelta(seconds=30))
    assert run(Telling(Unavailable("down")), box, young).fate is Fate.WAITING


def test_a_message_that_kills_its_workers_is_given_up_without_another_try() -> None:
    telling, box = Telling(Receipt()), Box()
    attempt = run(telling, box, replace(CLAIM, tries=5))
    assert (attempt.fate, telling.asked) == (Fate.DEAD, [])
    assert attempt.reason == (
        "given up after 5 tries; the last: workers stopped while they delivered it, again and again"
    )


def test_a_record_that_changed_meanwhile_is_read_again() -> None:
    telling, box = Telling(Receipt()), Box(PreconditionFailed("changed"), PreconditionFailed("changed"))
    assert run(telling, box).fate is Fate.DELIVERED
    assert (len(telling.asked), len(telling.followed), len(box.settled)) == (1, 3, 1)


def test_a_record_that_never_holds_still_leaves_the_claim_to_run_out() -> None:
    telling, box = Telling(Receipt()), Box(*[PreconditionFailed("changed")] * 5)
    with pytest.raises(PreconditionFailed):
        run(telling, box)
    assert box.settled == []


def test_an_overtaken_attempt_changes_nothing() -> None:
    assert run(Telling(Receipt()), Box(Overtaken("too late"))) == Attempt(
        "m1", "gateway", None, 3, "too late"
    )


def test_the_end_of_a_message_whose_record_is_gone_is_kept_and_told() -> None:
    telling, box = Telling(Receipt("ref-7")), Box()
    telling.fault = Gone("the report was erased")
    attempt = run(telling, box)
    reason = "delivered; what follows could not be stored: the report was erased"
    assert (attempt.fate, attempt.reason, attempt.unsettled) == (Fate.DELIVERED, reason, telling.fault)
    assert box.settled == [(CLAIM, Settlement(Fate.DELIVERED, reason, reference="ref-7"), NOW, (), ())]
    telling.fault = Unavailable("the records cannot be reached")
    with pytest.raises(Unavailable):
        run(telling, box)
    assert len(box.settled) == 1


def test_a_recipient_s_own_time_is_honoured_up_to_a_day() -> None:
    def due(asked: float | None) -> datetime | None:
        patience = replace(PATIENCE, age=timedelta(days=9))
        return judge(CLAIM, Unavailable("x", retry_after=asked), patience, NOW, lambda: 0.0).due

    assert [due(asked) for asked in (None, 0.0, 20.0, 90.0, 1e9)] == [
        NOW + timedelta(seconds=seconds) for seconds in (40, 40, 40, 90, 86_400)
    ]


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_waits_grow_to_the_longest_and_never_to_nothing(tries: int, chance: float) -> None:
    wait = PATIENCE.delay(tries, None, lambda: chance)
    assert timedelta(seconds=5) < wait <= PATIENCE.longest
    assert wait <= PATIENCE.first * 2 ** min(tries - 1, 40)
    assert PATIENCE.delay(tries + 1, None, lambda: chance) >= wait


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("the gateway answered 503", "the gateway answered 503"),
        ("no patient 999 000 0018 here", "no patient … here"),
        ("born 1958-03-04, call 020 7946 0000", "born …, call …"),
        ("write to a.b@example.org now", "write to … now"),
        (
            "GET https://ehr.example.org/Patient?name=Zebedee failed",
            "GET https://ehr.example.org/Patient?… failed",
        ),
        ("a\n b\t c", "a b c"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_what_errors_say_is_kept_without_what_may_name_a_patient(said: str, kept: str) -> None:
    assert sentence(ServiceError(said)) == kept
