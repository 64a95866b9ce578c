"""A week of two hundred reports: the gateway is down, slow, rejects some and answers twice; workers die.

The clock runs 20,000 times as fast in every process. At the end each report has one final state, nothing is
lost, and nothing was sent under two ids.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from service.adapters.records import Outbox, connect
from service.domain.safety_report import State
from service.operations.outbox import Fate
from service.operations.report import cases
from service.operations.report.drafting import draft
from service.operations.report.exporting import export
from service.operations.report.steps import ready
from service.operations.report.submitting import GATEWAY, submit
from tests.adapters.conftest import cluster, database_url
from tests.adapters.gateways.peer import Answer, Asked, Peer, serving
from tests.journeys.week_worker import MONDAY, fast
from tests.operations.report.conftest import House
from tests.operations.report.test_verbs import MEDICINE, WHO, as_xml

if TYPE_CHECKING:
    from datetime import datetime

    from service.operations.report.cases import Case

__all__ = ["cluster", "database_url"]  # fixtures

REPORTS = 200
SPEED = 20_000.0
WORKERS = 3
KILLED = 12
DAY = 86_400 / SPEED


class Whims:
    """How the gateway behaves, by the day and by the message (its id decides, so that it is consistent)."""

    def __init__(self, start: float) -> None:
        self.clock = fast(start, SPEED)

    @staticmethod
    def kind(id_: str) -> str:
        """What it does with this message, once it answers at all."""
        part = int(id_[:4], 16) % 100
        if part < 12:
            return "rejects"
        if part < 15:
            return "always fails"
        if part < 30:
            return "answers twice"
        return "drops the first answer" if part < 40 else "takes"

    def __call__(self, asked: Asked, times: int) -> Answer:
        id_ = asked.headers["idempotency-key"]
        day = (self.clock() - MONDAY).total_seconds() / 86_400
        if 1.0 <= day < 1.7:
            return Answer(0, takes=False)
        seconds = 0.1 if 3.0 <= day < 3.5 else 0.0
        kind = self.kind(id_)
        if kind == "rejects":
            return Answer(422, {}, b"a sentence that names nobody", seconds, takes=False)
        if kind == "always fails":
            return Answer(500, {}, b"", seconds, takes=False)
        if kind == "answers twice" and times == 0:
            return Answer(503, {"Retry-After": "600"}, b"", seconds)
        if kind == "drops the first answer" and times == 0:
            return Answer(0, {}, b"", seconds)
        if times:
            return Answer(409, {"Idempotency-Key": id_}, b"", seconds)
        return Answer(201, {"Location": f"/received/{id_}"}, b"", seconds)


class TakingPeer(Peer):
    """A peer that has taken what it was given even where its answer says otherwise or never comes."""

    def receive(self, asked: Asked) -> Answer:
        answer = super().receive(asked)
        if answer.takes and answer.status in (503, 409):
            id_ = asked.headers["idempotency-key"]
            if self.taken.setdefault(id_, asked.body) != asked.body:
                self.faults.append(f"{id_} came with two contents")
        return answer


class Staff:
    """Worker processes, of which a random one is killed now and then and replaced at once."""

    def __init__(self, plan: dict[str, object]) -> None:
        self.command = [sys.executable, "-m", "tests.journeys.week_worker", json.dumps(plan)]
        self.random = random.Random(117)  # noqa: S311 - not a secret
        self.workers = [subprocess.Popen(self.command) for _ in range(WORKERS)]
        self.killed = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.kill_some)

    def kill_some(self) -> None:
        while self.killed < KILLED and not self.stop.wait(self.random.uniform(0.3, 3.0)):
            at = self.random.randrange(WORKERS)
            self.workers[at].kill()
            self.workers[at].wait()
            self.killed += 1
            self.workers[at] = subprocess.Popen(self.command)

    def dismiss(self) -> list[int]:
        """How those that are left ended once told to."""
        self.stop.set()
        self.thread.join()
        for worker in self.workers:
            worker.terminate()
        return [worker.wait(60) for worker in self.workers]


def report(house: House, number: int, now: datetime) -> str:
    """A report from its form to the gateway's outbox; the case's id."""
    house.now = now
    event = house.event(MEDICINE, name=f"f-{number}")
    case = next(iter(draft(house.desk, event, WHO).cases)).id
    ready(house.desk, case, WHO)
    export(house.desk, case, WHO)
    assert submit(house.desk, case, WHO).case.report.state is State.SUBMITTED
    return case


def ends(case: Case) -> list[str]:
    """What the gateway's side did to the report."""
    return [one.what.partition(" as ")[0] for one in case.report.changes if one.who == GATEWAY]


EXPECTED = {
    Fate.DELIVERED: (State.SUBMITTED, "delivered", ["delivered to the gateway"]),
    Fate.REFUSED: (State.REJECTED, "failed", ["the gateway refused it"]),
    Fate.DEAD: (State.PREPARED, "failed", ["the gateway could not be reached; given up"]),
}


@pytest.mark.slow
def test_a_week_of_trouble_ends_with_every_report_in_one_state(database_url: str) -> None:
    store = connect(database_url)
    outbox, house = Outbox(store), House(store)
    house.more |= {"gateway": "e2b", "renderers": {"e2b": as_xml}}
    start = time.monotonic()
    clock, whims = fast(start, SPEED), Whims(start)
    with serving(TakingPeer(whims)) as peer:
        staff = Staff({"store": database_url, "url": peer.url, "start": start, "speed": SPEED})
        staff.thread.start()
        try:
            reports = [report(house, number, clock()) for number in range(REPORTS)]
            while (
                staff.thread.is_alive() or any(one.open for one in outbox.backlog())
            ) and time.monotonic() - start < 60 * DAY:
                time.sleep(0.2)
        finally:
            endings = staff.dismiss()
    assert set(endings) <= {0, -signal.SIGTERM}  # one just begun had no ear yet
    assert staff.killed == KILLED

    posted = {one.subject: one for one in outbox.page(count=1000)[0]}
    assert len(posted) == REPORTS == len({one.id for one in posted.values()})
    for id_ in reports:
        case, message = cases.read(store, id_), posted[f"SafetyReport/{id_}"]
        found = (case.report.state, case.sendings[-1].state, ends(case))
        assert found == EXPECTED[message.fate], id_
        assert (len(case.sendings), case.sendings[-1].message) == (1, message.id)
        kind = Whims.kind(message.id)
        end = {"rejects": Fate.REFUSED, "always fails": Fate.DEAD}.get(kind, Fate.DELIVERED)
        assert message.fate is end, kind
    delivered = {one.id for one in posted.values() if one.fate is Fate.DELIVERED}
    assert set(peer.taken) == delivered
    assert peer.faults == []
    assert max(Counter(peer.taken.values()).values()) == 1  # one report, one id
    assert {Whims.kind(one.id) for one in posted.values()} == {
        "rejects", "always fails", "answers twice", "drops the first answer", "takes",
    }  # fmt: skip
    store.close()
