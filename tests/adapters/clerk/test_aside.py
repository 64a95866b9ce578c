"""The thread beside the event loop: in turn, each outcome to who waits for it, and it outlives what fails."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

from service.adapters.clerk.aside import Aside


def test_what_is_handed_over_is_done_in_turn_by_one_thread_off_the_loop() -> None:
    done: list[tuple[int, int]] = []

    def work(at: int) -> int:
        done.append((at, threading.get_ident()))
        return at * 2

    async def scene() -> None:
        aside = Aside("test")
        assert await asyncio.gather(*(aside.run(partial(work, at)) for at in range(50))) == [
            at * 2 for at in range(50)
        ]
        aside.close()

    asyncio.run(scene())
    assert [at for at, _ in done] == list(range(50))
    assert len({thread for _, thread in done} | {threading.get_ident()}) == 2


def test_what_is_raised_goes_to_who_waits_and_the_thread_goes_on() -> None:
    async def scene() -> None:
        aside = Aside("test")
        for fault in (ValueError("a"), KeyboardInterrupt()):

            def work(fault: BaseException = fault) -> None:
                raise fault

            waiting = aside.run(work)
            await asyncio.wait((waiting,))
            assert waiting.exception() is fault
        assert await aside.run(lambda: "still here") == "still here"
        aside.close()

    asyncio.run(scene())


def test_who_no_longer_waits_is_told_nothing() -> None:
    gate = threading.Event()

    async def scene() -> None:
        aside = Aside("test")
        gone, stays = aside.run(lambda: gate.wait(10)), aside.run(lambda: "after")
        gone.cancel()
        gate.set()
        assert await stays == "after"
        with pytest.raises(asyncio.CancelledError):
            await gone
        aside.close()

    asyncio.run(scene())


def test_a_loop_that_has_ended_meanwhile_disturbs_nothing() -> None:
    gate, ended = threading.Event(), threading.Event()
    aside = Aside("test")

    async def scene() -> None:
        aside.run(lambda: gate.wait(10))

    asyncio.run(scene())
    gate.set()

    async def later() -> None:
        assert await aside.run(lambda: "another loop") == "another loop"
        aside.close()
        ended.set()

    asyncio.run(later())
    assert ended.is_set()
