"""The lookout: those who ask together are answered by one query, each for himself; a store down or hung."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from service.adapters.clerk.inside import Inside
from service.adapters.lookout import Lookout
from service.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

KEPT = frozenset({"p1", "https://ehr.example.org/fhir/Patient/p2", "9990000018"})


class Records:
    """Records that know who is kept, and remember what they were asked."""

    def __init__(self) -> None:
        """Open, and answering."""
        self.asked: list[tuple[tuple[str, ...], frozenset[str]]] = []
        self.fault: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def subjects(self, types: Sequence[str], names: frozenset[str]) -> frozenset[str]:
        """Those that are kept."""
        self.asked.append((tuple(types), names))
        self.gate.wait(10)
        if self.fault is not None:
            raise self.fault
        return names & KEPT


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - another thread does the work
            await asyncio.sleep(0.001)


def play(scene: Callable[[Records, Lookout], Awaitable[None]]) -> None:
    async def opened() -> None:
        records = Records()
        clerk = Inside(records)  # type: ignore[arg-type]
        lookout = Lookout(clerk, ("QuestionnaireResponse", "AdverseEvent"))
        try:
            await scene(records, lookout)
        finally:
            records.gate.set()
            await clerk.close()

    asyncio.run(opened())


def test_who_asks_together_is_answered_by_one_query_each_for_himself() -> None:
    async def scene(records: Records, lookout: Lookout) -> None:
        asked = [("p1",), ("p3", "9990000018"), ("p4",), (), ("p5", "p6")]
        found = await asyncio.gather(*(lookout.holds(names, 10) for names in asked))
        assert found == [True, True, False, False, False]
        types = ("QuestionnaireResponse", "AdverseEvent")
        assert records.asked == [(types, frozenset({"p1", "p3", "9990000018", "p4", "p5", "p6"}))]

    play(scene)


def test_who_comes_while_a_query_runs_is_in_the_next() -> None:
    async def scene(records: Records, lookout: Lookout) -> None:
        records.gate.clear()
        first = asyncio.ensure_future(lookout.holds(("p1",), 10))
        await until(lambda: bool(records.asked))
        others = [asyncio.ensure_future(lookout.holds((name,), 10)) for name in ("p2", "p3", "9990000018")]
        await asyncio.sleep(0)
        records.gate.set()
        assert await asyncio.gather(first, *others) == [True, False, False, True]
        assert [names for _, names in records.asked] == [{"p1"}, {"p2", "p3", "9990000018"}]

    play(scene)


def test_where_none_can_be_asked_each_asks_for_himself_and_the_next_are_answered() -> None:
    async def scene(records: Records, lookout: Lookout) -> None:
        unforeseen = ValueError("unforeseen")
        for fault, told in ((Unavailable("down"), True), (unforeseen, unforeseen)):
            records.fault = fault
            found = await asyncio.gather(
                *(lookout.holds((name,), 10) for name in ("p1", "p3")), return_exceptions=True
            )
            assert found == [told, told]
        records.fault = None
        assert await lookout.holds(("p1",), 10)
        assert not await lookout.holds(("p3",), 10)

    play(scene)


def test_while_a_query_hangs_each_is_sent_to_ask_for_himself() -> None:
    async def scene(records: Records, lookout: Lookout) -> None:
        records.gate.clear()
        with pytest.raises(TimeoutError):
            await lookout.holds(("p3",), 0.01)
        assert await lookout.holds(("p3",), 10)
        assert len(records.asked) == 1
        records.gate.set()
        await until(lambda: not lookout.hangs)
        assert not await lookout.holds(("p3",), 10)
        assert await lookout.holds(("p1",), 10)

    play(scene)


def test_one_who_no_longer_waits_does_not_disturb_the_others() -> None:
    async def scene(records: Records, lookout: Lookout) -> None:
        records.gate.clear()
        gone = asyncio.ensure_future(lookout.holds(("p1",), 10))
        stays = asyncio.ensure_future(lookout.holds(("p1",), 10))
        await until(lambda: bool(records.asked))
        gone.cancel()
        records.gate.set()
        assert await stays
        assert gone.cancelled()

    play(scene)


def test_a_clerk_that_fails_as_it_is_asked_holds_up_nobody_after() -> None:
    class Failing:
        times = 0

        def subjects(self, _types: object, names: frozenset[str]) -> object:
            self.times += 1
            if self.times == 1:
                raise RuntimeError("at once")

            async def found() -> frozenset[str]:
                return names & KEPT

            return found()

    async def scene() -> None:
        lookout = Lookout(Failing(), ("AdverseEvent",))  # type: ignore[arg-type]
        with pytest.raises(RuntimeError, match="at once"):
            await lookout.holds({"p1"}, 10)
        assert await lookout.holds({"p1"}, 10)
        assert not await lookout.holds({"p9"}, 10)

    asyncio.run(scene())
