"""A message that the gateway did not take: tried anew with its report, or settled when nobody awaits it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from service.adapters.records import Outbox
from service.domain.errors import Conflict, Refused, ServiceError, Unavailable
from service.domain.safety_report import State
from service.operations.deliver import Line, Patience, deliver
from service.operations.outbox import Fate
from service.operations.ports import Receipt
from service.operations.report import cases
from service.operations.report.edits import enter
from service.operations.report.resending import retry
from service.operations.report.steps import cancel, enter_reference
from service.operations.report.submitting import settled, submit
from tests.operations.report.test_verbs import WHO, queued

if TYPE_CHECKING:
    from service.operations.ports import Message
    from service.operations.report.cases import Case
    from tests.operations.report.conftest import House


class Gateway:
    """A gateway that answers what it is told."""

    def __init__(self, answer: Receipt | ServiceError) -> None:
        self.answer = answer

    def deliver(self, _message: Message) -> Receipt:
        if isinstance(self.answer, ServiceError):
            raise self.answer
        return self.answer


def attempted(house: House, answer: Receipt | ServiceError) -> None:
    """One attempt at what is due, after which nothing is tried again."""
    outbox = Outbox(house.records)  # type: ignore[arg-type]
    (claim,) = outbox.claim(("gateway",), house.now, timedelta(minutes=1), 1)
    line = Line(Gateway(answer), settled(house.desk), Patience(tries=1))
    deliver(claim, line, outbox, lambda: house.now, lambda: 0.0)


def stuck(house: House, answer: ServiceError) -> tuple[Case, str]:
    """A report whose message came to nothing, and the message's id."""
    house.more["outbox"] = Outbox(house.records)  # type: ignore[arg-type]
    case, message = queued(house)
    attempted(house, answer)
    assert count(house) == 1
    return cases.read(house.records, case.id), message.id


def count(house: House) -> int:
    backlog = Outbox(house.records).backlog()  # type: ignore[arg-type]
    return sum([one.stuck for one in backlog])


def fate(house: House, message: str) -> Fate:
    found = Outbox(house.records).find(message)  # type: ignore[arg-type]
    assert found is not None
    return found.fate


DEAD, NO = Unavailable("no answer"), Refused("not in this format")


def test_submitted_by_hand_settles_the_message_that_was_given_up(house: House) -> None:
    case, message = stuck(house, DEAD)
    assert case.report.state is State.PREPARED
    submit(house.desk, case.id, WHO, by_hand=True)
    assert (count(house), fate(house, message)) == (0, Fate.DROPPED)
    with pytest.raises(Conflict):
        retry(house.desk, Outbox(house.records), message, WHO)  # type: ignore[arg-type]


def test_a_reference_or_a_cancellation_settles_it_too(house: House) -> None:
    case, message = stuck(house, DEAD)
    enter_reference(house.desk, case.id, "YC-1", WHO)
    assert (count(house), fate(house, message)) == (0, Fate.DROPPED)


def test_a_cancellation_settles_a_refused_message(house: House) -> None:
    case, message = stuck(house, NO)
    cancel(house.desk, case.id, WHO, "entered twice")
    assert (count(house), fate(house, message)) == (0, Fate.DROPPED)


@pytest.mark.parametrize("answer", [DEAD, NO])
def test_tried_anew_report_and_message_say_the_same_at_every_moment(
    house: House, answer: ServiceError
) -> None:
    case, message = stuck(house, answer)
    outbox = Outbox(house.records)  # type: ignore[arg-type]
    assert retry(house.desk, outbox, message, WHO).fate is Fate.WAITING
    again = cases.read(house.records, case.id)
    assert (again.report.state, again.sendings[-1].state) == (State.SUBMITTED, "queued")
    assert [one.message for one in again.sendings] == [message]
    attempted(house, Receipt("r-1"))
    done = cases.read(house.records, case.id)
    assert (done.report.state, done.sendings[-1].state) == (State.SUBMITTED, "delivered")
    assert (count(house), fate(house, message)) == (0, Fate.DELIVERED)


def test_tried_anew_and_refused_again_the_report_is_rejected_again(house: House) -> None:
    case, message = stuck(house, DEAD)
    retry(house.desk, Outbox(house.records), message, WHO)  # type: ignore[arg-type]
    attempted(house, NO)
    done = cases.read(house.records, case.id)
    assert (done.report.state, done.sendings[-1].state) == (State.REJECTED, "failed")
    assert (count(house), fate(house, message)) == (1, Fate.REFUSED)


def test_what_was_changed_since_is_not_sent_as_it_was(house: House) -> None:
    case, message = stuck(house, NO)
    enter(house.desk, case.id, {"medicines.0.dose": "1 mg"}, WHO)
    with pytest.raises(Conflict, match="is draft by now"):
        retry(house.desk, Outbox(house.records), message, WHO)  # type: ignore[arg-type]
    assert fate(house, message) is Fate.REFUSED
