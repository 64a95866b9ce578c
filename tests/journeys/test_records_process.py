"""The process that records calls is killed while clinicians ask: no answer and no record is lost."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from service.adapters.records import connect
from service.operations.searching.query import parse
from tests.web.hooks.asking import SIGN
from tests.web.hooks.test_socket import coded
from tests.web.test_process import serving

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc to find processes in")
KILLS, CLINICIANS = 3, 4


def clerks(worker: int) -> list[int]:
    """The numbers of the processes that a worker has started."""
    found = [
        int(number)
        for task in Path(f"/proc/{worker}/task").iterdir()
        for number in (task / "children").read_text(encoding="ascii").split()
    ]
    return [one for one in found if b"service.adapters.clerk" in Path(f"/proc/{one}/cmdline").read_bytes()]


def wait(holds: Callable[[], Any]) -> Any:
    """What it came to, as soon as it is something."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come to pass")


def others(worker: int, than: int) -> list[int]:
    """Those that are not the one."""
    return [one for one in clerks(worker) if one != than]


def gone(process: int) -> bool:
    """Whether there is no such process."""
    return not Path(f"/proc/{process}").exists()


def metric(address: str, name: str) -> float:
    (found,) = re.findall(rf"^{name} (\S+)$", httpx.get(f"{address}/metrics").text, re.MULTILINE)
    return float(found)


@pytest.mark.requirement("Security: a record that cannot be stored is counted, and the clinician answered")
def test_its_death_costs_no_answer_and_no_record(tmp_path: Path) -> None:
    answers: list[httpx.Response] = []
    over = threading.Event()
    with serving(tmp_path / "r.sqlite3", HTG117_LOG_LEVEL="warning") as (worker, address):

        def ask() -> None:
            with httpx.Client(base_url=address, timeout=30) as client:
                while not over.is_set():
                    answers.append(client.post(SIGN, json=coded()))

        clinicians = [threading.Thread(target=ask) for _ in range(CLINICIANS)]
        for one in clinicians:
            one.start()
        for _ in range(KILLS):
            enough = len(answers) + 20
            wait(partial(lambda enough: len(answers) > enough, enough))
            (clerk,) = wait(partial(clerks, worker.pid))
            os.kill(clerk, signal.SIGKILL)
            wait(partial(others, worker.pid, clerk))
        over.set()
        for one in clinicians:
            one.join()
        assert {answer.status_code for answer in answers} == {200}
        cards = [card for answer in answers for card in answer.json()["cards"]]
        assert len({card["uuid"] for card in cards}) == len(answers) == len(cards)
        assert len({card["detail"] for card in cards}) == 1  # the records could be asked all the time
        wait(lambda: metric(address, "htg117_audit_waiting") == 0)
        assert metric(address, "htg117_audit_lost_total") == 0
        for type_ in ("GuidanceResponse", "AuditEvent"):
            found = httpx.get(f"{address}/fhir/{type_}", params={"_summary": "count"}).json()
            assert found["total"] == len(answers)


def test_it_ends_with_the_service_and_without_it(tmp_path: Path) -> None:
    for by in (signal.SIGTERM, signal.SIGKILL):
        with serving(tmp_path / "r.sqlite3") as (worker, address):
            (clerk,) = clerks(worker.pid)
            assert httpx.post(f"{address}{SIGN}", json=coded()).status_code == 200
            worker.send_signal(by)
            worker.wait(60)
            wait(partial(gone, clerk))


def test_all_processes_told_to_stop_at_once_lose_no_call_that_was_answered(tmp_path: Path) -> None:
    database = tmp_path / "r.sqlite3"
    answers: list[int] = []
    with serving(database) as (worker, address):

        def ask() -> None:
            with httpx.Client(base_url=address, timeout=30) as client, suppress(httpx.TransportError):
                while True:
                    answers.append(client.post(SIGN, json=coded()).status_code)

        clinicians = [threading.Thread(target=ask) for _ in range(CLINICIANS)]
        for one in clinicians:
            one.start()
        wait(lambda: len(answers) > 50)
        (clerk,) = clerks(worker.pid)
        for process in (clerk, worker.pid):
            os.kill(process, signal.SIGTERM)
        assert worker.wait(60) in (0, -signal.SIGTERM)
        for one in clinicians:
            one.join()
        wait(partial(gone, clerk))
    store = connect(f"sqlite:///{database}")
    assert store.search(parse("GuidanceResponse", [("_summary", "count")])).total == len(answers)
    store.close()
    assert set(answers) == {200}


def test_it_is_found_wherever_the_service_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[2]
    (tmp_path / "service").mkdir()
    for name in ("service/__init__", "queue"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the folder it was started in')")
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    monkeypatch.chdir(tmp_path)
    with serving(Path("r.sqlite3"), HTG117_DATABASE_URL="sqlite:///r.sqlite3") as (worker, address):
        (clerk,) = clerks(worker.pid)
        assert httpx.post(f"{address}{SIGN}", json=coded()).status_code == 200
        assert clerks(worker.pid) == [clerk]
    assert (tmp_path / "r.sqlite3").is_file()


def test_threads_do_its_work_where_they_are_asked_to(tmp_path: Path) -> None:
    with serving(tmp_path / "r.sqlite3", HTG117_HOOK_RECORDS="threads") as (worker, address):
        assert httpx.post(f"{address}{SIGN}", json=coded()).status_code == 200
        found = httpx.get(f"{address}/fhir/GuidanceResponse", params={"_summary": "count"}).json()
        assert found["total"] == 1
        assert clerks(worker.pid) == []
