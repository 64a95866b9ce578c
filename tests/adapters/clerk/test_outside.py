"""The clerk's process: real processes, both databases, both event loops; killed, hung, gone, unwanted."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from service.adapters.clerk import outside
from service.adapters.clerk.inside import Inside
from service.adapters.clerk.outside import Outside
from service.adapters.records import connect
from service.domain.errors import PreconditionFailed, Repeated, Unavailable
from service.operations.ports import Once, Write
from service.operations.searching.query import parse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from service.adapters.clerk import Clerk
    from service.adapters.records import Store

NOW = datetime(2026, 8, 1, 9, 0, 0, 123456, tzinfo=UTC)


def write(id_: str, patient: str = "p1", expected: int | None = 0) -> Write:
    subject = {"reference": f"Patient/{patient}"}
    resource = {"resourceType": "GuidanceResponse", "id": id_, "status": "success", "subject": subject}
    body = (
        f'{{"resourceType":"GuidanceResponse","id":"{id_}","status":"success",'
        f'"subject":{{"reference":"Patient/{patient}"}}}}'
    )
    return Write("GuidanceResponse", id_, resource, body.encode(), expected)


def mark(key: str) -> tuple[Once, ...]:
    return (Once("jti", key, NOW + timedelta(minutes=5)),)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest) -> Callable[[Awaitable[None]], None]:
    """Plays a scene on an event loop of each kind."""

    def run(scene: Any) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(scene, 60))

    return run


class Nobody:
    """Does nothing while there is no process."""

    async def open(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""

    async def commit(self, *_given: Any) -> None:
        """Nothing: Unavailable."""
        raise Unavailable("nobody is here")

    async def stored(self, *_given: Any) -> bool:
        """Nothing: Unavailable."""
        raise Unavailable("nobody is here")

    async def subjects(self, *_given: Any) -> frozenset[str]:
        """Nothing: Unavailable."""
        raise Unavailable("nobody is here")


@asynccontextmanager
async def opened(url: str, *command: str, meanwhile: Clerk | None = None) -> AsyncIterator[Outside]:
    """A clerk that is ready; closed after."""
    clerk = Outside(url, meanwhile or Nobody(), command or None)
    await clerk.open()
    try:
        yield clerk
    finally:
        await clerk.close()


def kept(store: Store) -> list[tuple[str, int, bytes]]:
    """Every version of what was written."""
    page = store.history("GuidanceResponse", None, count=1000, cursor=None, since=None)
    return sorted((one.id, one.version, one.body) for one in page.versions)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - another process does the work
            await asyncio.sleep(0.01)


def kill(clerk: Outside, by: signal.Signals) -> None:
    assert clerk.pid is not None
    os.kill(clerk.pid, by)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_does_what_threads_do(store: Store, database_url: str, play: Any, tmp_path: Path) -> None:
    other = connect(f"sqlite:///{tmp_path}/other.sqlite3")

    async def told(answer: Awaitable[Any]) -> Any:
        try:
            await answer
        except (Repeated, PreconditionFailed) as fault:
            return type(fault), str(fault)
        return "done"

    async def scene() -> None:
        inside = Inside(other)
        async with opened(database_url) as clerk:
            for writes, once in (
                ([write("a"), write("b", "p2")], mark("1")),
                ([write("c")], mark("1")),
                ([write("a")], mark("2")),
                ([write("a", "p3", 1)], ()),
                ([write("a", "p4", 1)], ()),
                ([Write("GuidanceResponse", "b", None, expected=None)], ()),
                ([], mark("3")),
                ([], mark("3")),
            ):
                found = [await told(one.commit(writes, NOW, once)) for one in (clerk, inside)]
                assert found[0] == found[1]
            for id_ in ("a", "b", "c"):
                assert await clerk.stored("GuidanceResponse", id_) == await inside.stored(
                    "GuidanceResponse", id_
                )
            names = {"p1", "p2", "p3", "p4"}
            for one in (clerk, inside):
                assert set(await one.subjects(["GuidanceResponse"], names)) == {"p3"}
        await inside.close()

    play(scene())
    assert kept(store) == kept(other) != []
    for asked in ([("subject", "Patient/p3")], [("subject", "Patient/p1")], []):
        query = parse("GuidanceResponse", asked)
        assert store.search(query) == other.search(query)
    other.close()


def test_what_was_said_to_be_written_is_there_however_the_process_is_killed(
    store: Store, database_url: str, play: Any
) -> None:
    told: dict[str, bool] = {}

    async def one(clerk: Outside, id_: str) -> None:
        try:
            await clerk.commit([write(id_)], NOW, mark(id_))
        except Unavailable:
            told[id_] = False
        else:
            told[id_] = True

    async def scene() -> None:
        async with opened(database_url) as clerk:
            for time_ in range(4):
                asked = [asyncio.ensure_future(one(clerk, f"k{time_}-{at}")) for at in range(30)]
                await until(lambda at=time_: len(told) >= 35 * at)  # type: ignore[misc]
                kill(clerk, signal.SIGKILL)
                await asyncio.gather(*asked)
                while True:  # until another has taken its place
                    with suppress(Unavailable):
                        await clerk.commit([write(f"after-{time_}", expected=None)], NOW, ())
                        break
                    await asyncio.sleep(0.01)

    play(scene())
    there = {id_ for id_, _, _ in kept(store)}
    assert there >= {id_ for id_, written in told.items() if written} | {f"after-{at}" for at in range(4)}
    assert not all(told.values())
    assert all(len(body) > 90 for _, _, body in kept(store))


def test_signals_that_end_a_worker_do_not_end_it(database_url: str, play: Any) -> None:
    async def scene() -> None:
        async with opened(database_url) as clerk:
            pid = clerk.pid
            for at, one in enumerate((signal.SIGTERM, signal.SIGINT, signal.SIGHUP)):
                kill(clerk, one)
                await clerk.commit([write(f"s{at}")], NOW, ())
            assert clerk.pid == pid is not None
        assert not alive(pid)

    play(scene())


def test_while_there_is_none_threads_do_its_work(store: Store, database_url: str, play: Any) -> None:
    async def scene() -> None:
        clerk = Outside(database_url, Inside(store))
        await clerk.commit([write("before")], NOW, mark("once"))
        await clerk.open()
        with pytest.raises(Repeated):
            await clerk.commit([write("again")], NOW, mark("once"))
        pid = clerk.pid
        kill(clerk, signal.SIGKILL)
        await until(lambda: clerk.pid is None)
        await clerk.commit([write("after")], NOW, mark("twice"))
        assert await clerk.stored("GuidanceResponse", "before")
        assert set(await clerk.subjects(["GuidanceResponse"], {"p1", "p2"})) == {"p1"}
        await until(lambda: clerk.pid not in (None, pid))
        await clerk.close()

    play(scene())
    assert [id_ for id_, _, _ in kept(store)] == ["after", "before"]


def test_dozens_of_deaths_leave_nothing_behind(
    store: Store, database_url: str, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "_PAUSE", 0.0)
    dies = f"import os, sys\nsys.path[:] = {sys.path!r}\n{DIES}"

    def open_files() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    async def scene() -> None:
        async with opened(database_url, sys.executable, "-c", dies) as clerk:
            before, pids = open_files(), set()
            for _ in range(12):
                await until(lambda: clerk.ready)
                pids.add(clerk.pid)
                with pytest.raises(Unavailable):
                    await clerk.commit([write("a")], NOW, ())
            await until(lambda: clerk.ready)
            await until(lambda: not any(alive(pid) for pid in pids if pid))
            await until(lambda: open_files() == before)
            assert len(pids) == 12

    play(scene())


DEAF = """
from service.adapters.clerk import line
import time
for request in line.requests(sys.stdin.buffer):
    if not isinstance(request, line.Opening):
        os.close(0)
        time.sleep(0.5)
        os._exit(9)
    sys.stdout.buffer.write(line.frame(line.Answer(request.number)))
    sys.stdout.buffer.flush()
"""


def test_one_that_hears_no_more_and_is_not_yet_gone_is_as_one_that_died(database_url: str, play: Any) -> None:
    deaf = f"import os, sys\nsys.path[:] = {sys.path!r}\n{DEAF}"

    async def scene() -> None:
        async with opened(database_url, sys.executable, "-c", deaf) as clerk:
            pid = clerk.pid
            assert pid is not None
            asked: list[Any] = [asyncio.ensure_future(clerk.subjects(["GuidanceResponse"], ["p1"]))]
            for at in range(20):  # its input closes while its output is still open
                await asyncio.sleep(0.01)
                asked.append(asyncio.ensure_future(clerk.commit([write(f"a{at}")], NOW, ())))
                asked.append(asyncio.ensure_future(clerk.subjects(["GuidanceResponse"], ["p1"])))
            for fault in await asyncio.gather(*asked, return_exceptions=True):
                assert isinstance(fault, Unavailable)
            await until(lambda: not alive(pid))

    play(scene())


def test_whoever_asks_in_the_moment_of_its_death_is_told_that_nobody_is_here(
    store: Store, database_url: str, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "_PAUSE", 0.0)

    async def scene() -> None:
        async with opened(database_url) as clerk:
            for _ in range(3):
                await until(lambda: clerk.ready)
                kill(clerk, signal.SIGKILL)
                asked: list[Awaitable[object]] = []
                while clerk.ready:  # at every turn of the loop, also between the ends of its two pipes
                    asked.append(clerk.subjects(["GuidanceResponse"], ["p1"]))
                    asked.append(clerk.commit([write(f"m{len(asked)}")], NOW, ()))
                    await asyncio.sleep(0)
                found = await asyncio.gather(*asked, return_exceptions=True)
                assert {type(one) for one in found if isinstance(one, BaseException)} == {Unavailable}

    play(scene())


DIES = """
from service.adapters.clerk import line
for request in line.requests(sys.stdin.buffer):
    if isinstance(request, line.Commit):
        os._exit(9)
    sys.stdout.buffer.write(line.frame(line.Answer(request.number)))
    sys.stdout.buffer.flush()
"""


DYING = """
import asyncio, os, sys
from datetime import UTC, datetime
from service.adapters.clerk.outside import Outside
from tests.adapters.clerk.test_outside import Nobody, write

async def scene():
    clerk = Outside(sys.argv[1], Nobody())
    await clerk.open()
    for at in range(20):
        clerk.commit([write(f"d{at}")], datetime.now(UTC), ())
    print(clerk.pid, flush=True)
    await asyncio.sleep(0.05)  # so that the frames are on their way
    os._exit(1)

asyncio.run(scene())
"""


def test_what_a_worker_handed_over_before_it_died_is_written_and_the_process_ends(
    store: Store, database_url: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", DYING, database_url], stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
    asyncio.run(until(lambda: not alive(pid)))
    assert {id_ for id_, _, _ in kept(store)} == {f"d{at}" for at in range(20)}


def test_closing_waits_for_what_was_asked_and_then_nothing_more_is_taken(
    store: Store, database_url: str, play: Any
) -> None:
    async def scene() -> None:
        clerk = Outside(database_url, Nobody())
        await clerk.open()
        asked = [clerk.commit([write(f"c{at}")], NOW, ()) for at in range(20)]
        await clerk.close()
        await asyncio.gather(*asked)
        for more in (clerk.commit([write("late")], NOW, ()), clerk.stored("GuidanceResponse", "c1")):
            with pytest.raises(Unavailable):
                await more

    play(scene())
    assert {id_ for id_, _, _ in kept(store)} == {f"c{at}" for at in range(20)}


def test_a_database_that_is_not_there_yet_is_opened_once_it_is(tmp_path: Path, play: Any) -> None:
    folder = tmp_path / "later"

    async def scene() -> None:
        async with opened(f"sqlite:///{folder}/r.sqlite3") as clerk:
            with pytest.raises(Unavailable):
                await clerk.commit([write("a")], NOW, ())
            folder.mkdir()
            await clerk.commit([write("b")], NOW, ())

    play(scene())
    store = connect(f"sqlite:///{folder}/r.sqlite3")
    assert [id_ for id_, _, _ in kept(store)] == ["b"]
    store.close()


def test_what_it_cannot_read_fails_alone_and_says_nothing_of_it(
    store: Store, database_url: str, play: Any
) -> None:
    async def scene() -> None:
        async with opened(database_url) as clerk:
            broken = Write("GuidanceResponse", "x", {"id": "x"}, b'{"name":"Jane Doe"', 0)
            with pytest.raises(RuntimeError, match=r"^the clerk failed: Malformed$"):
                await clerk.commit([broken], NOW, ())
            await clerk.commit([write("y")], NOW, ())

    play(scene())
    assert [id_ for id_, _, _ in kept(store)] == ["y"]


@pytest.mark.parametrize(
    "command",
    [("/no/such/program",), (sys.executable, "-c", "pass"), (sys.executable, "-c", "raise SystemExit(3)")],
    ids=["not there", "ends", "fails"],
)
def test_a_process_that_does_not_come_up_is_told_of_and_tried_again(
    command: Sequence[str], play: Any
) -> None:
    async def scene() -> None:
        async with opened("sqlite:///unused.sqlite3", *command) as clerk:
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await clerk.commit([write("a")], NOW, ())
                await asyncio.sleep(0.6)  # two of them have come and gone

    play(scene())


def test_a_process_that_hangs_is_killed_and_another_does_its_work(
    store: Store, database_url: str, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        async with opened(database_url) as clerk:
            monkeypatch.setattr(outside, "_PATIENCE", 0.2)
            pid = clerk.pid
            kill(clerk, signal.SIGKILL)  # the next one is watched so closely
            await until(lambda: clerk.pid not in (None, pid))
            await until(lambda: clerk.ready)
            hung = clerk.pid
            assert hung is not None
            kill(clerk, signal.SIGSTOP)
            asked = [clerk.commit([write("a")], NOW, mark("1")), clerk.subjects(["GuidanceResponse"], ["p1"])]
            for one in asked:
                with pytest.raises(Unavailable):
                    await one
            await until(lambda: not alive(hung))
            await until(lambda: clerk.ready)
            await asyncio.sleep(0.7)  # what owes nothing, or answers, is left alone
            kept_on = clerk.pid
            for at in range(8):
                await clerk.commit([write(f"b{at}")], NOW, ())
                await asyncio.sleep(0.1)
            assert clerk.pid == kept_on not in (None, hung)

    play(scene())
    assert [id_ for id_, _, _ in kept(store)] == [f"b{at}" for at in range(8)]


def test_a_process_that_hangs_before_it_is_ready_is_killed_too(
    tmp_path: Path, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "_PATIENCE", 0.3)
    hung = f"import os, time; open({str(tmp_path)!r} + f'/{{os.getpid()}}', 'w').close(); time.sleep(99)"

    def begun() -> list[int]:
        return [int(one.name) for one in tmp_path.iterdir()]

    async def scene() -> None:
        clerk = Outside("sqlite:///unused.sqlite3", Nobody(), (sys.executable, "-c", hung))
        await clerk.open()
        first = begun()
        await until(lambda: not any(map(alive, first)))
        await until(lambda: len(begun()) > len(first))
        await clerk.close(0.1)

    play(scene())


def test_a_process_that_never_gets_ready_is_killed_when_it_is_no_longer_wanted(
    tmp_path: Path, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "_READY", 0.2)
    pids = tmp_path / "pid"
    hung = (
        f"import os, time, pathlib; pathlib.Path({str(pids)!r}).write_text(str(os.getpid())); time.sleep(600)"
    )

    async def scene() -> None:
        clerk = Outside("sqlite:///unused.sqlite3", Nobody(), (sys.executable, "-c", hung))
        await clerk.open()
        with pytest.raises(Unavailable):
            await clerk.commit([write("a")], NOW, ())
        await until(pids.exists)
        await clerk.close(0.1)

    play(scene())
    for _ in range(500):
        if not alive(int(pids.read_text())):
            return
        time.sleep(0.01)
    raise AssertionError("the process is still there")
