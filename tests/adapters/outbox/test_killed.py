"""Workers killed between any two steps: real processes, a real gateway on a socket, both databases."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from service.adapters.records import Outbox
from service.fhir.json_text import decode
from tests.adapters.gateways.peer import Answer, Peer, serving
from tests.adapters.outbox.worker import opening
from tests.adapters.test_records import NOW

if TYPE_CHECKING:
    from service.adapters.records import Store

IDS = [f"r{at}" for at in range(6)]


def work(**plan: Any) -> int:
    """How the worker's process ended."""
    command = [sys.executable, "-m", "tests.adapters.outbox.worker", json.dumps(plan)]
    return subprocess.run(command, check=False, timeout=60).returncode


def ends(store: Store) -> dict[str, tuple[str, int]]:
    """Each report's status and version."""
    found = {}
    for id_ in IDS:
        one = store.read("Observation", id_)
        if one is not None:
            found[id_] = (decode(one.body).resource["status"], one.version)
    return found


@pytest.mark.parametrize(
    ("step", "time", "again"),
    [
        ("before claim", 1, 0),
        ("before COMMIT", 1, 0),
        ("after claim", 1, 0),
        ("before delivery", 2, 1),
        ("after delivery", 1, 2),
        ("before settlement", 2, 2),
        ("before COMMIT", 2, 2),
        ("after settlement", 1, 1),
    ],
)
def test_nothing_is_lost_and_nothing_goes_under_two_ids(
    store: Store, database_url: str, step: str, time: int, again: int
) -> None:
    for id_ in IDS:
        writes, messages = opening(id_)
        store.commit(writes, NOW, messages)
    with serving(Peer()) as peer:
        plan = {"store": database_url, "url": peer.url}
        assert work(**plan, kill=step, time=time) == -signal.SIGKILL
        assert work(**plan, ahead=3600) == 0
    assert peer.taken == {f"message-{id_}": f"report {id_}".encode() for id_ in IDS}
    assert peer.faults == []
    assert len(peer.asked) - len(IDS) <= again  # what came twice came under the same id
    assert ends(store) == dict.fromkeys(IDS, ("final", 2))
    assert Outbox(store).backlog() == ()


def test_a_worker_killed_while_the_gateway_works_on_its_message(store: Store, database_url: str) -> None:
    writes, messages = opening("r0")
    store.commit(writes, NOW, messages)

    def kill_the_first(_asked: Any, times: int) -> Answer:
        if times == 0:
            process.kill()
        return Answer(201, {"Location": "/7"})

    with serving(Peer(kill_the_first)) as peer:
        plan = {"store": database_url, "url": peer.url}
        command = [sys.executable, "-m", "tests.adapters.outbox.worker", json.dumps(plan)]
        process = subprocess.Popen(command)
        assert process.wait(30) == -signal.SIGKILL
        assert ends(store) == {"r0": ("preliminary", 1)}
        assert work(**plan, ahead=3600) == 0
    assert (peer.times, ends(store)) == ({"message-r0": 2}, {"r0": ("final", 2)})
    posted = Outbox(store).find("message-r0")
    assert posted is not None
    assert (posted.fate.value, posted.reference, posted.attempts) == ("delivered", "/7", 2)


@pytest.mark.parametrize(
    ("step", "time", "kept"),
    [("before put", 2, IDS[:1]), ("before COMMIT", 3, IDS[:2]), ("after put", 4, IDS[:4])],
)
def test_a_report_and_its_message_are_kept_together_or_not_at_all(
    store: Store, database_url: str, step: str, time: int, kept: list[str]
) -> None:
    assert work(store=database_url, put=IDS, kill=step, time=time) == -signal.SIGKILL
    assert list(ends(store)) == kept
    assert [one.id for one in Outbox(store).page()[0]] == [f"message-{id_}" for id_ in kept]
