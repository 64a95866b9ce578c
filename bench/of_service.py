"""The running service over HTTP, and NDJSON through the command line: latency, throughput, memory."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measure import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = (
    Path(__file__).parents[1] / "profiles/htg117/examples/QuestionnaireResponse-example-eligibility.json"
)
FORMS, CLIENTS = 2_000, 4


def measure() -> Iterator[Row]:
    """The rows of the group."""
    form = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder, _service(folder) as (port, process):
        _submit(port, form, 0, 50)
        times = _run(port, form)
        yield Row("$submit over HTTP, SQLite, full durability: p99, 1 client", _percentile(times, 99), 30, 15)
        yield Row("the same: median", _percentile(times, 50))
        start = time.perf_counter()
        crowd = _crowd(port, form)
        rate = len(crowd) / (time.perf_counter() - start)
        yield Row(f"the same: p99, {CLIENTS} clients at once", _percentile(crowd, 99))
        yield Row(f"the same: forms a second, {CLIENTS} clients", rate, unit="/s", more_is_better=True)
        yield Row("resident memory of the service after it", _resident(process.pid), 150, unit="MiB")
    yield Row(
        "assess NDJSON, one process: forms a second", _ndjson(form), 600, 2000, unit="/s", more_is_better=True
    )


@contextmanager
def _service(folder: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "HTG117_PORT": str(port),
        "HTG117_DATABASE_URL": f"sqlite:///{folder}/records.sqlite3",
        "HTG117_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "service", "serve"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            _await(port)
            yield port, process
        finally:
            process.terminate()


def _await(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the service did not become ready")


def _submit(port: int, form: dict[str, Any], first: int, count: int) -> list[float]:
    """Milliseconds of each submission of a new form over one kept connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    times = []
    for number in range(first, first + count):
        named = form | {"identifier": {"system": "https://bench.example.org", "value": str(number)}}
        body = json.dumps({name: value for name, value in named.items() if name != "id"})
        start = time.perf_counter()
        connection.request(
            "POST", "/fhir/QuestionnaireResponse/$submit", body, {"Content-Type": "application/fhir+json"}
        )
        answer = connection.getresponse()
        answer.read()
        times.append((time.perf_counter() - start) * 1000)
        if answer.status not in (200, 201):
            raise SystemExit(f"$submit answered {answer.status}")
    return times


def _run(port: int, form: dict[str, Any]) -> list[float]:
    return _submit(port, form, 1_000, 600)


def _crowd(port: int, form: dict[str, Any]) -> list[float]:
    times: list[float] = []
    threads = [
        threading.Thread(target=lambda at=at: times.extend(_submit(port, form, 10_000 * (at + 1), 150)))
        for at in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def _ndjson(form: dict[str, Any]) -> float:
    """Forms a second, start-up left out: the time of many forms less that of one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "forms.ndjson"

        def timed(count: int) -> float:
            path.write_text((json.dumps(form) + "\n") * count, encoding="utf-8")
            command = [sys.executable, "-m", "service", "assess", str(path), "--output", os.devnull]
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            return time.perf_counter() - start

        return FORMS / (min(timed(FORMS) for _ in range(3)) - min(timed(1) for _ in range(3)))


def _percentile(times: list[float], percent: int) -> float:
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))
