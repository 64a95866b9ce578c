"""The outbox against a simple model: workers claim, settle, die and come too late; people retry and drop."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from service.adapters.records import Outbox, connect
from service.domain.errors import Conflict, Overtaken, PreconditionFailed
from service.operations.outbox import Backlog, Claim, Fate, Settlement
from service.operations.ports import Message
from tests.adapters.test_records import NOW, observation, write

LEASE = timedelta(seconds=10)
OPEN = (Fate.WAITING, Fate.CLAIMED)
CHANNELS = ("gateway", "ehr:one")
pairs = st.sampled_from(
    [("gateway", "Observation/a"), ("gateway", "Observation/b"), ("ehr:one", "Observation/a")]
)


@dataclass
class Held:
    """A message as the model knows it. ``version``: how often its record was written when it ended."""

    message: Message
    fate: Fate = Fate.WAITING
    attempts: int = 0
    tries: int = 0
    due: int = 0
    queued: int = 0


class OutboxMachine(RuleBasedStateMachine):
    """One store, any number of workers (each claim is one), a clock that is put forward."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = connect(f"sqlite:///{Path(self.folder.name)}/records.sqlite3")
        self.outbox = Outbox(self.store)
        self.now = 0
        self.held: dict[str, Held] = {}
        self.claims: list[Claim] = []
        self.versions: dict[str, int] = {}

    @initialize(count=st.integers(0, 3))
    def start(self, count: int) -> None:
        for _ in range(count):
            self.put(("gateway", "Observation/a"))

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @property
    def moment(self) -> Any:
        return NOW + timedelta(seconds=self.now)

    def line(self, of: Message) -> list[Held]:
        """The messages of one channel and subject in order."""
        return [one for one in self.held.values()
                if (one.message.channel, one.message.subject) == (of.channel, of.subject)]  # fmt: skip

    def free(self, one: Held) -> bool:
        """Whether a worker may take it now."""
        line = self.line(one.message)
        before = line[: next(at for at, other in enumerate(line) if other is one)]
        held_back = any(other.fate in (*OPEN, Fate.DEAD) for other in before)
        return one.fate in OPEN and one.due <= self.now and not held_back

    @rule(pair=pairs)
    def put_in(self, pair: tuple[str, str]) -> None:
        self.put(pair)

    def put(self, pair: tuple[str, str]) -> None:
        id_ = f"m{len(self.held)}"
        message = Message(id_, *pair, "text/plain", id_.encode())
        for other in self.line(message):
            if other.fate in (Fate.DEAD, Fate.REFUSED):
                other.fate = Fate.DROPPED
        self.store.commit([], self.moment, [message])
        self.held[id_] = Held(message, due=self.now, queued=self.now)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def put_again(self, data: st.DataObject) -> None:
        one = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        self.store.commit([], self.moment, [one.message])
        if one.fate in (Fate.DEAD, Fate.REFUSED, Fate.DROPPED):
            one.fate, one.tries, one.due, one.queued = Fate.WAITING, 0, self.now, self.now
            for other in self.line(one.message):
                if other is not one and other.fate in (Fate.DEAD, Fate.REFUSED):
                    other.fate = Fate.DROPPED

    @rule(channels=st.sampled_from([CHANNELS, CHANNELS[:1]]), limit=st.sampled_from([4, 1]))
    def claim(self, channels: tuple[str, ...], limit: int) -> None:
        free = [one for one in self.held.values() if one.message.channel in channels and self.free(one)]
        chosen = sorted(free, key=lambda one: one.due)[:limit]
        taken = self.outbox.claim(channels, self.moment, LEASE, limit)
        for one in chosen:
            one.fate, one.due = Fate.CLAIMED, self.now + 10
            one.attempts, one.tries = one.attempts + 1, one.tries + 1
        assert taken == tuple(
            Claim(one.message, one.attempts, one.tries, NOW + timedelta(seconds=one.queued)) for one in chosen
        )
        self.claims += taken

    @precondition(lambda self: self.claims)
    @rule(
        data=st.data(),
        fate=st.sampled_from([Fate.DELIVERED, Fate.REFUSED, Fate.DEAD, Fate.WAITING]),
        wait=st.sampled_from([0, 5, 20]),
        stale=st.booleans(),
    )
    def settle(self, data: st.DataObject, fate: Fate, wait: int, stale: bool) -> None:
        claim = self.claims.pop(data.draw(st.integers(0, len(self.claims) - 1)))
        one = self.held[claim.message.id]
        id_ = claim.message.subject.partition("/")[2]
        version = self.versions.get(id_, 0)
        writes = [] if fate is Fate.WAITING else [write(observation(id_), version + (1 if stale else 0))]
        due = NOW + timedelta(seconds=self.now + wait) if fate is Fate.WAITING else None
        own = one.fate is Fate.CLAIMED and one.attempts == claim.attempt
        expected = None if own and (not writes or not stale) else Overtaken if not own else PreconditionFailed
        try:
            self.outbox.settle(claim, Settlement(fate, "reason", due=due), self.moment, writes)
            assert expected is None
        except (Overtaken, PreconditionFailed) as fault:
            assert type(fault) is expected
            if type(fault) is PreconditionFailed:
                self.claims.append(claim)
            return
        one.fate = fate
        if due is not None:
            one.due = self.now + wait
        self.versions[id_] = version + len(writes)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        self.claims.pop(data.draw(st.integers(0, len(self.claims) - 1)))

    @rule(seconds=st.sampled_from([1, 10]))
    def pass_by(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        one = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        line = self.line(one.message)
        later = line[next(at for at, other in enumerate(line) if other is one) + 1 :]
        allowed = one.fate in (Fate.REFUSED, Fate.DEAD) and not any(
            other.fate in (Fate.DELIVERED, Fate.CLAIMED) for other in later
        )
        try:
            self.outbox.retry(one.message.id, self.moment)
            assert allowed
        except Conflict:
            assert not allowed
            return
        one.fate, one.tries, one.due, one.queued = Fate.WAITING, 0, self.now, self.now

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        one = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        with_a_worker = one.fate is Fate.CLAIMED and one.due > self.now
        try:
            self.outbox.drop(one.message.id, self.moment, "no")
            assert one.fate is not Fate.DELIVERED
            assert not with_a_worker
        except Conflict:
            assert one.fate is Fate.DELIVERED or with_a_worker
            return
        one.fate = Fate.DROPPED

    @invariant()
    def the_outbox_is_as_the_model_has_it(self) -> None:
        page, _ = self.outbox.page(count=1000)
        assert {one.id: (one.fate, one.attempts) for one in page} == {
            id_: (one.fate, one.attempts) for id_, one in self.held.items()
        }

    @invariant()
    def the_backlog_is_as_the_model_has_it(self) -> None:
        expected = []
        for channel in sorted(CHANNELS):
            own = [one for one in self.held.values() if one.message.channel == channel]
            waiting = [one.queued for one in own if one.fate in OPEN]
            stuck = sum(one.fate in (Fate.REFUSED, Fate.DEAD) for one in own)
            oldest = NOW + timedelta(seconds=min(waiting)) if waiting else None
            if waiting or stuck:
                expected.append(Backlog(channel, len(waiting), oldest, stuck))
        assert list(self.outbox.backlog()) == expected

    @invariant()
    def what_ended_is_written_once(self) -> None:
        for id_, version in self.versions.items():
            standing = self.store.read("Observation", id_)
            assert (standing.version if standing else 0) == version


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(
    max_examples=50, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
