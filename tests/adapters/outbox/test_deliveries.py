"""The worker: many messages at once, channels apart, rests in an outage, stops cleanly, is counted."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy.exc import OperationalError

from service.adapters.deliveries import Deliveries, persist, running
from service.adapters.outbox_metrics import OutboxMetrics
from service.adapters.records import Outbox
from service.domain.errors import Refused, Unavailable
from service.operations.deliver import Line, Patience
from service.operations.ports import Message, Receipt
from tests.adapters.test_records import NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import pytest

    from service.adapters.records import Store
    from service.operations.deliver import Attempt

SOON = Patience(timedelta(seconds=8), timedelta(hours=1), tries=3, age=timedelta(days=1))


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Says:
    """A courier that does what it is told for each message, and notes how many it has at once."""

    def __init__(self, say: Callable[[Message], Receipt] = lambda _message: Receipt()) -> None:
        self.say = say
        self.delivered: list[str] = []
        self.at_once = 0
        self.most = 0
        self._lock = threading.Lock()

    def deliver(self, message: Message) -> Receipt:
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        try:
            receipt = self.say(message)
            self.delivered.append(message.id)
        finally:
            with self._lock:
                self.at_once -= 1
        return receipt


def put(store: Store, *ids: str, channel: str = "gateway") -> None:
    store.commit([], NOW, [Message(id_, channel, f"Observation/{id_}", "text/plain", b"x") for id_ in ids])


def empty(
    store: Store, clock: Clock, lines: dict[str, Line], seen: Callable[[Attempt], None] = lambda _: None
) -> int:
    worker = Deliveries(Outbox(store), lines, clock, lambda: 0.0, seen=seen)
    return worker.run(threading.Event(), until_empty=True)


def fates(store: Store) -> Counter[str]:
    return Counter(one.fate.value for one in Outbox(store).page(count=500)[0])


def test_messages_go_out_side_by_side_but_no_more_than_the_line_is_wide(store: Store) -> None:
    put(store, *(f"m{at}" for at in range(30)))
    gate = threading.Barrier(3, timeout=20)

    def meet(_message: Message) -> Receipt:
        gate.wait()  # three at a time, or nobody comes through
        return Receipt()

    courier = Says(meet)
    assert empty(store, Clock(), {"gateway": Line(courier, width=3)}) == 30
    assert (courier.most, sorted(courier.delivered)) == (3, sorted(f"m{at}" for at in range(30)))
    assert fates(store) == {"delivered": 30}


def test_a_slow_channel_does_not_keep_another_waiting(store: Store) -> None:
    put(store, *(f"slow{at}" for at in range(3)), channel="slow")
    put(store, *(f"m{at}" for at in range(5)))
    quick_done = threading.Event()

    def slow(_message: Message) -> Receipt:
        assert quick_done.wait(20)
        return Receipt()

    def quick(message: Message) -> Receipt:
        if message.id == "m4":
            quick_done.set()
        return Receipt()

    lines = {"slow": Line(Says(slow), width=1), "gateway": Line(Says(quick), width=1)}
    assert empty(store, Clock(), lines) == 8


def test_an_outage_does_not_use_up_every_message_s_tries(store: Store) -> None:
    put(store, *(f"m{at}" for at in range(20)))
    clock, up = Clock(), False

    def answer(_message: Message) -> Receipt:
        if not up:
            raise Unavailable("the gateway cannot be reached")
        return Receipt()

    courier = Says(answer)
    worker = Deliveries(Outbox(store), {"gateway": Line(courier, patience=SOON, width=2)}, clock, lambda: 0.0)
    stop = threading.Event()
    tried = [worker.run(stop, until_empty=True)]
    for _ in range(5):
        clock.pass_by(8)
        tried.append(worker.run(stop, until_empty=True))
    assert tried[0] in (3, 4)  # after three failures it rests; a fourth may have been on its way
    assert sum(tried) <= 9
    up = True
    for _ in range(5):
        clock.pass_by(3600)
        worker.run(stop, until_empty=True)
    assert fates(store) == {"delivered": 20}


def test_one_message_that_always_fails_does_not_make_the_others_wait(store: Store) -> None:
    put(store, "bad", *(f"m{at}" for at in range(9)))

    def answer(message: Message) -> Receipt:
        if message.id == "bad":
            raise Unavailable("the gateway answered 500")
        return Receipt()

    clock = Clock()
    lines = {"gateway": Line(Says(answer), patience=SOON)}
    assert empty(store, clock, lines) == 10
    for _ in range(2):
        clock.pass_by(3600)
        assert empty(store, clock, lines) == 1
    assert fates(store) == {"delivered": 9, "dead": 1}
    clock.pass_by(3600)
    assert empty(store, clock, lines) == 0


def test_a_programming_error_leaves_the_message_to_be_tried_again(store: Store) -> None:
    put(store, "m1", "m2")
    faulty = True

    def answer(message: Message) -> Receipt:
        if faulty and message.id == "m1":
            raise KeyError("a courier's own mistake")
        return Receipt()

    clock = Clock()
    lines = {"gateway": Line(Says(answer))}
    assert empty(store, clock, lines) == 2
    assert fates(store) == {"claimed": 1, "delivered": 1}
    faulty = False
    clock.pass_by(600)
    assert empty(store, clock, lines) == 1
    assert fates(store) == {"delivered": 2}


def test_what_is_put_in_while_the_worker_idles_goes_out_and_it_stops_when_told(store: Store) -> None:
    done = threading.Event()

    def answer(_message: Message) -> Receipt:
        done.set()
        return Receipt()

    worker = Deliveries(Outbox(store), {"gateway": Line(Says(answer))}, Clock(), lambda: 0.0)
    with running(worker.run):
        put(store, "m1")
        assert done.wait(20)
    assert threading.active_count() == len(
        [one for one in threading.enumerate() if "deliver" not in one.name]
    )
    assert fates(store) == {"delivered": 1}


def test_a_worker_that_is_stopped_finishes_what_it_began(store: Store) -> None:
    put(store, "m1", "m2", "m3")
    began, stop = threading.Event(), threading.Event()

    def answer(_message: Message) -> Receipt:
        began.set()
        stop.wait(20)
        return Receipt()

    worker = Deliveries(Outbox(store), {"gateway": Line(Says(answer), width=2)}, Clock(), lambda: 0.0)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    assert began.wait(20)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert fates(store) == {"delivered": 2, "waiting": 1}


def test_a_worker_outlasts_records_that_do_not_answer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "m1")
    outbox, failures = Outbox(store), iter([Unavailable("down"), Unavailable("down")])
    claim = outbox.claim

    def failing(*given: object) -> object:
        fault = next(failures, None)
        if fault is not None:
            raise fault
        return claim(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "claim", failing)
    monkeypatch.setattr(outbox, "wait", lambda _seconds: None)
    delivered, stop = Says(), threading.Event()
    worker = Deliveries(outbox, {"gateway": Line(delivered)}, Clock(), lambda: 0.0, seen=lambda _: stop.set())
    assert worker.run(stop) == 1
    assert delivered.delivered == ["m1"]


def test_work_that_breaks_by_a_mistake_of_ours_is_begun_anew() -> None:
    begun, stop = [], threading.Event()

    def work(told: threading.Event) -> None:
        begun.append(told)
        if len(begun) < 3:
            raise KeyError("a mistake")

    persist(work, stop, pause=0.0)
    assert begun == [stop] * 3

    def stumble(told: threading.Event) -> None:
        told.set()
        raise KeyError("a mistake")

    persist(stumble, stop)
    assert stop.is_set()


def scraped(registry: CollectorRegistry) -> list[str]:
    lines = generate_latest(registry).decode().splitlines()
    return sorted(line for line in lines if line.startswith("htg117_outbox") and "_created" not in line)


def test_the_outbox_is_measured(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    registry, clock = CollectorRegistry(), Clock()
    metrics = OutboxMetrics(Outbox(store), clock, registry)
    assert scraped(registry) == ["htg117_outbox_answers 1.0"]
    put(store, "m1", "m2", "m3")

    def answer(message: Message) -> Receipt:
        if message.id == "m1":
            raise Refused("the gateway answered 422")
        if message.id == "m2":
            raise Unavailable("the gateway answered 503")
        return Receipt()

    empty(store, clock, {"gateway": Line(Says(answer), patience=SOON)}, metrics.count)
    clock.pass_by(90)
    assert scraped(registry) == [
        "htg117_outbox_answers 1.0",
        'htg117_outbox_attempts_total{channel="gateway",fate="delivered"} 1.0',
        'htg117_outbox_attempts_total{channel="gateway",fate="refused"} 1.0',
        'htg117_outbox_attempts_total{channel="gateway",fate="waiting"} 1.0',
        'htg117_outbox_oldest_seconds{channel="gateway"} 90.0',
        'htg117_outbox_stuck{channel="gateway"} 1.0',
        'htg117_outbox_waiting{channel="gateway"} 1.0',
    ]

    def down(*_given: object) -> None:
        raise OperationalError("SELECT", {}, ConnectionError("gone"))

    monkeypatch.setattr(store.engine, "connect", down)
    assert [line for line in scraped(registry) if "attempts" not in line] == ["htg117_outbox_answers 0.0"]
