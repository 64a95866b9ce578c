"""The journal: groups, one call's fault its own, and a store that is down, slow, or unsure."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from service.adapters.clerk.inside import Inside
from service.adapters.journal import Journal
from service.domain.errors import Repeated, Unavailable
from service.operations.ports import Once, Write

if TYPE_CHECKING:
    from service.adapters.records import Store

NOW = datetime(2026, 8, 1, 9, tzinfo=UTC)


def write(id_: str) -> list[Write]:
    resource = {"resourceType": "AuditEvent", "id": id_, "action": "E"}
    return [Write("AuditEvent", id_, resource, b"{}", expected=0)]


def mark(key: str) -> tuple[Once, ...]:
    return (Once("jti", key, NOW + timedelta(minutes=5)),)


class Wrapped:
    """Records that do what the test says before, or instead of, the real ones."""

    def __init__(self, store: Store) -> None:
        """Takes the real ones."""
        self.store = store
        self.groups: list[int] = []
        self.fault: Unavailable | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.unsure = False
        self.refused: set[str] = set()
        self.fail_once = False

    def commit(self, writes: Any, now: datetime, messages: Any = (), once: Any = ()) -> Any:
        """Commits, unless the store is to be down; ``unsure`` commits and then says that it did not."""
        self.gate.wait(10)
        if self.fault is not None:
            raise self.fault
        if self.fail_once:
            self.fail_once = False
            raise Unavailable("its process has died")
        if self.refused & {one.id for one in writes}:
            raise Unavailable("DataError")
        made = self.store.commit(writes, now, messages, once)
        self.groups.append(len(writes))
        if self.unsure:
            self.unsure = False
            raise Unavailable("the connection broke")
        return made

    def read(self, type_: str, id_: str) -> Any:
        """The real ones' answer."""
        return self.store.read(type_, id_)


@pytest.fixture
def records(store: Store) -> Wrapped:
    return Wrapped(store)


class Counted:
    """A journal over the records with what it counted."""

    def __init__(self, records: Wrapped, **more: Any) -> None:
        """Opens it."""
        self.failed: list[int] = []
        self.lost: list[int] = []
        self.journal = Journal(
            Inside(records),  # type: ignore[arg-type]
            lambda: NOW,
            failed=lambda: self.failed.append(1),
            lost=lambda: self.lost.append(1),
            **{"pause": 0.01} | more,
        )

    @property
    def counts(self) -> tuple[int, int, int]:
        """Failed, lost, waiting."""
        return len(self.failed), len(self.lost), self.journal.waiting


async def until(holds: Any) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - another thread does the work
            await asyncio.sleep(0.005)


def test_what_waits_is_committed_together(records: Wrapped) -> None:
    async def scene() -> None:
        counted = Counted(records)
        records.gate.clear()
        calls = [
            asyncio.create_task(counted.journal.record(write(f"a{at}"), mark(f"{at}"), 10)) for at in range(9)
        ]
        await asyncio.sleep(0.05)
        records.gate.set()
        assert await asyncio.gather(*calls) == [True] * 9
        await counted.journal.close()
        assert sum(records.groups) == 9
        assert len(records.groups) <= 2
        assert counted.counts == (0, 0, 0)

    asyncio.run(scene())


def test_a_token_used_twice_fails_its_own_call_alone(records: Wrapped) -> None:
    async def scene() -> None:
        counted = Counted(records)
        assert await counted.journal.record(write("first"), mark("same"), 10)
        records.gate.clear()
        calls = [
            asyncio.create_task(counted.journal.record(write(name), mark(key), 10))
            for name, key in (("a", "other"), ("b", "same"), ("c", "third"))
        ]
        await asyncio.sleep(0.05)
        records.gate.set()
        found = await asyncio.gather(*calls, return_exceptions=True)
        await counted.journal.close()
        assert (found[0], type(found[1]), found[2]) == (True, Repeated, True)
        assert [records.read("AuditEvent", name) is not None for name in "abc"] == [True, False, True]
        assert counted.counts == (0, 0, 0)

    asyncio.run(scene())


def test_a_store_that_is_down_costs_the_call_nothing_and_the_record_comes_later(records: Wrapped) -> None:
    async def scene() -> None:
        counted = Counted(records)
        records.fault = Unavailable("down")
        assert not await counted.journal.record(write("a"), mark("a"), 0.2)
        assert not await counted.journal.record(write("b"), mark("b"), 10)  # not waited for while it is down
        assert counted.counts[:2] == (2, 0)
        records.fault = None
        await until(lambda: counted.counts == (2, 0, 0))
        assert records.read("AuditEvent", "a") is not None
        assert records.read("AuditEvent", "b") is not None
        assert await counted.journal.record(write("c"), mark("c"), 10)
        await counted.journal.close()
        assert counted.counts == (2, 0, 0)

    asyncio.run(scene())


def test_a_store_that_is_slow_is_waited_for_no_longer_than_the_call_may_take(records: Wrapped) -> None:
    async def scene() -> None:
        counted = Counted(records)
        records.gate.clear()
        assert not await counted.journal.record(write("a"), mark("a"), 0.1)
        assert counted.counts[:2] == (1, 0)
        records.gate.set()
        await until(lambda: records.read("AuditEvent", "a") is not None)
        await counted.journal.close()

    asyncio.run(scene())


def test_a_commit_that_was_made_though_the_store_said_no_is_no_second_use(records: Wrapped) -> None:
    async def scene() -> None:
        counted = Counted(records)
        records.unsure = True
        assert await counted.journal.record(write("a"), mark("a"), 10)
        await counted.journal.close()
        assert counted.counts == (0, 0, 0)
        assert records.groups == [1]

    asyncio.run(scene())


def test_one_failure_is_tried_again_at_once_and_no_call_notices(records: Wrapped) -> None:
    async def scene() -> None:
        counted = Counted(records, pause=3600)
        records.fail_once = True
        assert (
            await asyncio.gather(
                *(counted.journal.record(write(f"o{at}"), mark(f"o{at}"), 10) for at in range(5))
            )
            == [True] * 5
        )
        await counted.journal.close()
        assert counted.counts == (0, 0, 0)

    asyncio.run(scene())


def test_a_record_that_the_store_cannot_take_holds_up_no_other(records: Wrapped) -> None:
    async def scene() -> None:
        counted = Counted(records)
        records.refused = {"a3", "a7"}
        names = [f"a{at}" for at in range(20)]
        await asyncio.gather(*(counted.journal.record(write(one), mark(one), 0.1) for one in names))
        for one in ("b", "c", "d"):
            await counted.journal.record(write(one), mark(one), 0.1)
            await until(partial(records.read, "AuditEvent", one))
        await until(lambda: counted.journal.waiting == 2)
        assert [one for one in names if records.read("AuditEvent", one) is None] == ["a3", "a7"]
        assert len(counted.lost) == 0
        records.refused = set()
        await until(lambda: counted.journal.waiting == 0)
        assert all(records.read("AuditEvent", one) for one in names)
        assert await counted.journal.record(write("e"), mark("e"), 10)
        await counted.journal.close()
        assert len(counted.lost) == 0

    asyncio.run(scene())


def test_after_a_failure_the_groups_are_small_and_grow_again(records: Wrapped) -> None:
    async def scene() -> None:
        counted = Counted(records)
        records.fault = Unavailable("down")
        for at in range(20):
            await counted.journal.record(write(f"g{at}"), mark(f"g{at}"), 0.1)
        records.fault = None
        await until(lambda: counted.journal.waiting == 0)
        await counted.journal.close()
        assert records.groups == [1, 2, 4, 8, 5]

    asyncio.run(scene())


def test_memory_for_what_waits_has_a_bound_and_what_is_lost_is_counted(records: Wrapped) -> None:
    async def scene() -> None:
        counted = Counted(records, kept=3)
        records.fault = Unavailable("down")
        for at in range(6):
            assert not await counted.journal.record(write(f"a{at}"), mark(f"{at}"), 0.1)
        assert counted.counts[1] in (2, 3)  # one may be at the store just now
        await counted.journal.close(0.05)
        assert counted.counts == (6, 6, 0)

    asyncio.run(scene())


def test_a_second_use_that_only_shows_after_the_answer_is_counted(records: Wrapped) -> None:
    async def scene() -> None:
        counted = Counted(records)
        assert await counted.journal.record(write("first"), mark("same"), 10)
        records.fault = Unavailable("down")
        assert not await counted.journal.record(write("again"), mark("same"), 0.1)
        records.fault = None
        await until(lambda: counted.counts == (1, 1, 0))
        await counted.journal.close()
        assert records.read("AuditEvent", "again") is None

    asyncio.run(scene())
