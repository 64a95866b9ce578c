"""The outbox's port, on each database."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from service.adapters.records.outbox import Outbox
from service.domain.errors import Conflict, NotFound, Overtaken, PreconditionFailed
from service.fhir.json_text import decode
from service.operations.deliver import Line, abandon
from service.operations.outbox import Backlog, Claim, Fate, Posted, Settlement
from service.operations.ports import Message, Receipt
from tests.adapters.test_records import NOW, ids, observation, write

if TYPE_CHECKING:
    from service.adapters.records import Store
    from service.domain.errors import ServiceError
    from service.operations.deliver import Follow

LEASE = timedelta(minutes=1)
SENT = Settlement(Fate.DELIVERED, reference="ref")


def message(id_: str, subject: str = "Observation/a", channel: str = "gateway") -> Message:
    return Message(id_, channel, subject, "application/json", id_.encode(), {"case": id_})


@pytest.fixture
def outbox(store: Store) -> Outbox:
    """The outbox of empty records."""
    return Outbox(store)


def claimed(
    outbox: Outbox, at: int = 0, limit: int = 10, channels: tuple[str, ...] = ("gateway",)
) -> list[str]:
    return [one.message.id for one in claims(outbox, at, limit, channels)]


def claims(
    outbox: Outbox, at: int = 0, limit: int = 10, channels: tuple[str, ...] = ("gateway",)
) -> tuple[Claim, ...]:
    return outbox.claim(channels, NOW + timedelta(seconds=at), LEASE, limit)


def fates(outbox: Outbox) -> dict[str, str]:
    return {one.id: one.fate.value for one in outbox.page()[0]}


def test_a_message_is_claimed_as_it_was_put_in_and_by_one_alone(store: Store, outbox: Outbox) -> None:
    store.commit([], NOW, [message("m1")])
    assert claims(outbox) == (Claim(message("m1"), 1, 1, NOW),)
    assert claims(outbox, 59) == ()
    assert outbox.find("m1") == Posted(
        "m1", "gateway", "Observation/a", "application/json", {"case": "m1"},
        hashlib.sha256(b"m1").hexdigest(), Fate.CLAIMED, 1, NOW, NOW, NOW + LEASE,
    )  # fmt: skip


def test_a_claim_that_ran_out_is_anothers_and_the_first_comes_too_late(store: Store, outbox: Outbox) -> None:
    store.commit([], NOW, [message("m1")])
    (first,) = claims(outbox)
    (second,) = claims(outbox, 60)
    assert second == replace(first, attempt=2, tries=2)
    with pytest.raises(Overtaken):
        outbox.settle(first, SENT, NOW, [write(observation("a"))], [message("m2", "Observation/b")])
    assert (ids(store), fates(outbox)) == ([], {"m1": "claimed"})
    outbox.settle(second, SENT, NOW)
    with pytest.raises(Overtaken):
        outbox.settle(second, SENT, NOW)
    assert fates(outbox) == {"m1": "delivered"}


def test_a_worker_whose_lease_ran_out_unnoticed_may_still_settle(store: Store, outbox: Outbox) -> None:
    store.commit([], NOW, [message("m1")])
    (claim,) = claims(outbox)
    outbox.settle(claim, SENT, NOW + 2 * LEASE)
    assert fates(outbox) == {"m1": "delivered"}


def test_the_end_of_a_message_its_records_and_what_follows_are_one(store: Store, outbox: Outbox) -> None:
    store.commit([write(observation("a"))], NOW, [message("m1")])
    (claim,) = claims(outbox)
    more = [message("m2", "Observation/b")]
    with pytest.raises(PreconditionFailed):
        outbox.settle(claim, SENT, NOW, [write(observation("a"), 0)], more)
    assert fates(outbox) == {"m1": "claimed"}
    (made,) = outbox.settle(claim, SENT, NOW, [write(observation("a", status="amended"), 1)], more)
    assert (made.version, fates(outbox)) == (2, {"m1": "delivered", "m2": "waiting"})
    settled = outbox.find("m1")
    assert settled is not None
    assert (settled.reference, settled.digest) == ("ref", hashlib.sha256(b"m1").hexdigest())


def test_messages_of_one_record_go_in_order_and_those_of_others_beside(store: Store, outbox: Outbox) -> None:
    store.commit([], NOW, [message("a1"), message("a2"), message("a3"), message("b1", "Observation/b")])
    store.commit([], NOW, [message("e1", channel="ehr:one")])
    first, other = claims(outbox)
    assert [first.message.id, other.message.id, *claimed(outbox)] == ["a1", "b1"]
    assert claimed(outbox, channels=("ehr:one",)) == ["e1"]
    outbox.settle(first, Settlement(Fate.WAITING, "503", due=NOW + timedelta(seconds=30)), NOW)
    assert claimed(outbox, 29) == []
    (again,) = claims(outbox, 30)
    assert (again.message.id, again.attempt, again.tries) == ("a1", 2, 2)
    outbox.settle(again, SENT, NOW)
    assert claimed(outbox, 30) == ["a2"]


@pytest.mark.parametrize(
    ("fate", "follows"), [(Fate.DELIVERED, ["a2"]), (Fate.REFUSED, ["a2"]), (Fate.DEAD, [])]
)
def test_only_a_message_given_up_holds_back_those_behind_it(
    store: Store, outbox: Outbox, fate: Fate, follows: list[str]
) -> None:
    store.commit([], NOW, [message("a1"), message("a2")])
    outbox.settle(claims(outbox)[0], Settlement(fate, "so"), NOW)
    assert claimed(outbox) == follows


def test_a_person_lets_a_message_go_again_or_drops_it(store: Store, outbox: Outbox) -> None:
    store.commit([], NOW, [message("a1"), message("a2")])
    outbox.settle(claims(outbox)[0], Settlement(Fate.DEAD, "too often"), NOW)
    later = NOW + timedelta(hours=1)
    assert outbox.retry("a1", later).fate is Fate.WAITING
    (again,) = claims(outbox, 3600)
    assert (again.attempt, again.tries, again.queued) == (2, 1, later)
    outbox.settle(again, Settlement(Fate.DEAD, "too often"), later)
    dropped = outbox.drop("a1", later, "sent by telephone", [write(observation("a"))])
    assert (dropped.fate, dropped.reason, ids(store)) == (Fate.DROPPED, "sent by telephone", ["a"])
    (second,) = claims(outbox, 3600)
    assert second.message.id == "a2"
    for id_ in ("a1", "a2"):
        with pytest.raises(Conflict):
            outbox.retry(id_, later)
    with pytest.raises(Conflict, match="being delivered"):
        outbox.drop("a2", later, "no")
    assert outbox.drop("a2", later + LEASE, "its worker is gone").fate is Fate.DROPPED
    with pytest.raises(Overtaken):
        outbox.settle(second, SENT, later)
    with pytest.raises(NotFound):
        outbox.drop("a9", later, "no")


@pytest.mark.parametrize("fate", [Fate.REFUSED, Fate.DEAD])
def test_a_later_message_takes_the_place_of_one_that_came_to_nothing(
    store: Store, outbox: Outbox, fate: Fate
) -> None:
    store.commit([], NOW, [message("a1"), message("b1", "Observation/b")])
    for claim in claims(outbox):
        outbox.settle(claim, Settlement(fate, "so"), NOW)
    store.commit([], NOW, [message("a2")])
    assert fates(outbox) == {"a1": "dropped", "b1": fate.value, "a2": "waiting"}
    (replaced, _) = outbox.about("Observation/a")
    assert replaced.reason == "message a2 took its place"
    assert claimed(outbox) == ["a2"]


@pytest.mark.parametrize("fate", [Fate.REFUSED, Fate.DEAD, Fate.DROPPED])
def test_what_came_to_nothing_and_is_put_in_again_goes_out_under_its_old_id(
    store: Store, outbox: Outbox, fate: Fate
) -> None:
    store.commit([], NOW, [message("a1")])
    (claim,) = claims(outbox)
    outbox.settle(claim, Settlement(fate, "so"), NOW)
    store.commit([], NOW, [replace(message("a1"), body=b"another")])
    assert fates(outbox) == {"a1": fate.value}
    store.commit([], NOW, [message("a1")])
    (again,) = claims(outbox)
    assert (again.message, again.attempt, again.tries) == (message("a1"), 2, 1)
    outbox.settle(again, SENT, NOW)
    store.commit([], NOW, [message("a1")])
    assert fates(outbox) == {"a1": "delivered"}


def test_a_person_takes_a_message_out_and_its_record_is_told(store: Store, outbox: Outbox) -> None:
    store.commit([write(observation("a"))], NOW, [message("a1"), message("x1", "Observation/x", "other")])

    def settled(told: Message, outcome: Receipt | ServiceError) -> Follow:
        assert told == replace(message("a1"), body=b"")
        return [write(observation("a", status="cancelled", note=[{"text": str(outcome)}]))], []

    lines = {"gateway": Line(Refusing(), settled)}
    assert abandon(outbox, lines, "a1", NOW, "sent by telephone").fate is Fate.DROPPED
    assert abandon(outbox, lines, "x1", NOW, "nobody listens there").fate is Fate.DROPPED
    with pytest.raises(NotFound):
        abandon(outbox, lines, "a9", NOW, "no such message")
    standing = store.read("Observation", "a")
    assert standing is not None
    assert decode(standing.body).resource["note"] == [
        {"text": "taken out of the line by a person: sent by telephone"}
    ]


class Refusing:
    """A courier that is not asked here."""

    def deliver(self, message: Message) -> Receipt:
        raise AssertionError(message.id)


def test_an_earlier_message_is_not_let_go_after_a_later_one(store: Store, outbox: Outbox) -> None:
    store.commit([], NOW, [message("a1"), message("a2")])
    outbox.settle(claims(outbox)[0], Settlement(Fate.REFUSED, "422"), NOW)
    outbox.settle(claims(outbox)[0], SENT, NOW)
    with pytest.raises(Conflict, match="a later message"):
        outbox.retry("a1", NOW)
    with pytest.raises(Conflict, match="delivered"):
        outbox.drop("a2", NOW, "no")


def test_the_backlog_counts_what_is_open_and_what_is_stuck(store: Store, outbox: Outbox) -> None:
    assert outbox.backlog() == ()
    subjects = [f"Observation/{at}" for at in range(5)]
    store.commit([], NOW, [message(f"m{at}", subject) for at, subject in enumerate(subjects)])
    store.commit([], NOW + timedelta(seconds=5), [message("e", channel="ehr:one")])
    taken = claims(outbox, 5, 4)
    for claim, fate in zip(taken, (Fate.DELIVERED, Fate.DEAD, Fate.REFUSED), strict=False):
        outbox.settle(claim, Settlement(fate), NOW)
    late = NOW + timedelta(seconds=5)
    assert outbox.backlog() == (Backlog("ehr:one", 1, late, 0), Backlog("gateway", 2, NOW, 2))


def test_messages_are_listed_a_page_at_a_time_and_by_record(store: Store, outbox: Outbox) -> None:
    subjects = ["Observation/a", "Observation/b"]
    store.commit([], NOW, [message(f"m{at}", subjects[at % 2]) for at in range(5)])
    page, after = outbox.page(count=3)
    assert after is not None
    rest, end = outbox.page(count=3, after=after)
    assert ([one.id for one in page + rest], end) == (["m0", "m1", "m2", "m3", "m4"], None)
    assert [one.id for one in outbox.about("Observation/b")] == ["m1", "m3"]
    claims(outbox)
    assert [one.id for one in outbox.page([Fate.CLAIMED], channel="gateway")[0]] == ["m0", "m1"]
    assert outbox.page([Fate.CLAIMED], channel="ehr:one") == ((), None)
    assert (outbox.about("Observation/c"), outbox.find("m9")) == ((), None)


def test_many_workers_at_once_share_the_messages_without_overlap(store: Store, outbox: Outbox) -> None:
    store.commit([], NOW, [message(f"m{at}", f"Observation/{at % 20}") for at in range(60)])
    taken: Counter[str] = Counter()
    order: list[tuple[str, str]] = []
    lock = threading.Lock()

    def work() -> None:
        mine = Outbox(store)
        while any(one.open for one in mine.backlog()):
            for claim in mine.claim(("gateway",), NOW, LEASE, 3):
                with lock:
                    taken[claim.message.id] += 1
                    order.append((claim.message.subject, claim.message.id))
                mine.settle(claim, SENT, NOW)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken == {f"m{at}": 1 for at in range(60)}
    for at in range(20):
        assert [id_ for subject, id_ in order if subject == f"Observation/{at}"] == [
            f"m{at}", f"m{at + 20}", f"m{at + 40}",
        ]  # fmt: skip
