"""CDS Hooks over HTTP: assessed answers a second with tokens verified, beside a fixed card of another's.

``wrk`` sends order-sign with a prefetch of 6 KB, written as programs write JSON (no white space): the example
of the documents and more conditions that have nothing to do with it. Each request has a token of its own.
Where ``wrk`` is not installed nothing is measured. HTG117_BENCH_CALLS sets the calls after which memory is
looked at (say 100000). wrk, the worker's process for records and whatever else runs share the machine's cores
with the worker: the processor time of an answer (of the worker and of that process), which depends less on
them, stands beside the rate.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from bench.measure import Row
from tools import healthchain

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs" / "examples" / "order-sign.json"
PREFETCH = 6_000
"""So many bytes the prefetch has at least."""
SCRIPT = Path(__file__).with_name("hooks.lua")
PATH = "/cds-services/htg117-order-sign"
ISSUER = "https://bench.example.org"
CONNECTIONS, SECONDS, WARM, RUNS = 8, 4, 2, 3
CALLS = int(os.environ.get("HTG117_BENCH_CALLS", "2000"))
LIFE = 300
"""So many seconds a token lives: the longest that SMART's backend services allow."""
_FIRST, _SPARE = 800, 1.7
"""Tokens made for each second of the first run, and how many times a run's own rate for the next."""
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk came to: requests a second, and milliseconds."""

    rate: float
    p50: float
    p99: float


def measure() -> Iterator[Row]:
    """The rows of the group."""
    if shutil.which("wrk") is None:
        print("wrk is not installed; apt-get install wrk")
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as open_:
        house = _House(Path(folder))
        port, process = open_.enter_context(house.worker())
        house.load(port, seconds=WARM)
        spent = _processor(process.pid)
        ours = [house.load(port) for _ in range(RUNS)]
        spent = _processor(process.pid) - spent
        rate = statistics.median(one.rate for one in ours)
        peer, theirs, their_time, reason = _fixed_card(house.body)
        what = "order-sign, RS384 verified, recorded: assessed answers/s, 1 worker, 8 connections"
        yield Row(what, rate, 500, theirs, peer, theirs, "/s", more_is_better=True)
        if reason:
            print(reason)
        yield Row("the same: p50", statistics.median(one.p50 for one in ours))
        yield Row("the same: p99", statistics.median(one.p99 for one in ours), 30)
        taken = spent * 1000 / sum(one.rate * SECONDS for one in ours)
        yield Row("the same: processor time of an answer", taken, None, None, peer, their_time)
        before = _resident(process.pid)
        done = 0
        while done < CALLS:
            done += int(house.load(port).rate * SECONDS)
        yield Row(f"memory grown over {done} further calls", _resident(process.pid) - before, 20, unit="MiB")
        second, _ = open_.enter_context(house.worker())
        yield Row(
            "answers/s of 2 workers on one store", house.both(port, second), unit="/s", more_is_better=True
        )


class _House:
    """A folder with keys, the file of clients and records, and tokens for requests."""

    def __init__(self, folder: Path) -> None:
        """Makes the keys and the file."""
        self.folder = folder
        self.key = RSAKey.generate_key(2048, {"kid": "bench", "use": "sig"})
        keys = KeySet([self.key]).as_dict(private=False)
        (folder / "keys.json").write_text(json.dumps(keys), encoding="utf-8")
        lines = f'[bench]\nissuer = "{ISSUER}"\njwks = "keys.json"\nservers = ["{ISSUER}/fhir"]\n'
        (folder / "clients.toml").write_text(lines, encoding="utf-8")
        self.body = folder / "order-sign.json"
        self.body.write_bytes(_call())
        self.made = 0
        self.expected = float(_FIRST)

    @contextmanager
    def worker(self) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
        """One worker of the service, and its port."""
        port = _free_port()
        outside = {name: value for name, value in os.environ.items() if not name.startswith("HTG117_")}
        environment = outside | {
            "HTG117_PORT": str(port),
            "HTG117_DATABASE_URL": f"sqlite:///{self.folder}/records.sqlite3",
            "HTG117_CLIENTS": str(self.folder / "clients.toml"),
            "HTG117_LOG_LEVEL": "warning",
        }
        with _running([sys.executable, "-m", "service", "serve"], environment, port, "/ready") as process:
            yield port, process

    def tokens(self, port: int, seconds: int = SECONDS) -> Path:
        """A file of new tokens for a worker's endpoint."""
        file = self.folder / f"tokens-{self.made}.txt"
        now = int(time.time())
        header = {"alg": "RS384", "kid": "bench", "typ": "JWT"}
        claims = {"iss": ISSUER, "aud": f"http://127.0.0.1:{port}{PATH}", "iat": now, "exp": now + LIFE}
        with file.open("w", encoding="utf-8") as out:
            for _ in range(int(self.expected * seconds)):
                self.made += 1
                token = jwt.encode(header, claims | {"jti": f"j{self.made}"}, self.key, algorithms=["RS384"])
                out.write(f"{token}\n")
        return file

    def load(self, port: int, tokens: Path | None = None, seconds: int = SECONDS) -> Load:
        """One run against a worker."""
        found = _wrk(port, PATH, self.body, tokens or self.tokens(port, seconds), seconds)
        self.expected = found.rate * _SPARE + 50
        return found

    def both(self, *ports: int) -> float:
        """Requests a second of several workers at once."""
        files = [self.tokens(port) for port in ports]
        found: list[Load] = []
        runs = [
            threading.Thread(target=lambda port=port, file=file: found.append(self.load(port, file)))
            for port, file in zip(ports, files, strict=True)
        ]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        return sum(one.rate for one in found)


def _call() -> bytes:
    """The body of the call."""
    call = json.loads(EXAMPLE.read_bytes())
    found = call["prefetch"]["conditionRecord"]
    other = next(one["resource"] for one in found["entry"] if "coding" not in one["resource"]["code"])
    while len(_compact(call["prefetch"])) < PREFETCH:
        id_ = f"more-{found['total']}"
        resource = other | {"id": id_, "code": {"text": f"Unrelated condition {id_}"}}
        address = f"https://ehr.example.org/fhir/Condition/{id_}"
        found["entry"].append({"fullUrl": address, "resource": resource, "search": {"mode": "match"}})
        found["total"] += 1
    return _compact(call)


def _compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _fixed_card(body: Path) -> tuple[str, float | None, float | None, str]:
    """HealthChain's name, rate and processor time for a fixed card, or why it could not be had."""
    name = f"healthchain {healthchain.VERSION} (fixed card)"
    python, reason = healthchain.python()
    if python is None:
        return name, None, None, reason
    port = _free_port()
    command = [
        str(python), "-m", "uvicorn", "healthchain_server:app", "--port", str(port), "--no-access-log",
        "--log-level", "warning", "--no-server-header",
    ]  # fmt: skip
    peers = ROOT / "bench" / "peers"
    with _running(command, os.environ | {"PYTHONPATH": str(peers)}, port, "/cds/cds-discovery") as process:
        _wrk(port, "/cds/cds-services/fixed", body, None, WARM)
        spent = _processor(process.pid)
        rates = [_wrk(port, "/cds/cds-services/fixed", body, None).rate for _ in range(RUNS)]
        spent = _processor(process.pid) - spent
    return name, statistics.median(rates), spent * 1000 / sum(rate * SECONDS for rate in rates), ""


def _wrk(port: int, path: str, body: Path, tokens: Path | None, seconds: int = SECONDS) -> Load:
    command = [
        "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(SCRIPT),
        f"http://127.0.0.1:{port}", "--", path, str(body), *([str(tokens)] if tokens else []),
    ]  # fmt: skip
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"not every request was answered:\n{said}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert rate is not None, said
    return Load(float(rate[1]), _latency(said, 50), _latency(said, 99))


def _latency(said: str, percent: int) -> float:
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)\b", said)
    assert found is not None, said
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def _running(
    command: list[str], environment: dict[str, str], port: int, ready: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A server, once it answers."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet) as process:
        try:
            end = time.monotonic() + 60
            while time.monotonic() < end and process.poll() is None:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.1)
            else:
                raise SystemExit(f"{command[0]} did not become ready")
            yield process
        finally:
            process.terminate()


def _processor(pid: int) -> float:
    """The seconds of processor time that a process and those it has started have taken."""
    spent = 0
    for one in (pid, *_started_by(pid)):
        fields = Path(f"/proc/{one}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        spent += int(fields[11]) + int(fields[12])
    return spent / _TICK


def _resident(pid: int) -> float:
    """The MiB of memory that they hold."""
    held = 0.0
    for one in (pid, *_started_by(pid)):
        status = Path(f"/proc/{one}/status").read_text(encoding="utf-8")
        held += next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))
    return held


def _started_by(pid: int) -> list[int]:
    """The processes that a process's threads have started."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(one) for thread in threads for one in (thread / "children").read_text().split()]
