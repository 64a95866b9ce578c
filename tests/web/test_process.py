"""The service as a process: it starts, is ready, stops in peace, and loses nothing when it is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from service.adapters.records import connect
from service.operations.searching.query import parse
from tests.patience import PATIENT_PROCESS
from tests.web.conftest import eligibility

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADERS = {"Content-Type": "application/fhir+json"}
KILLS = 12


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(
    database: Path, *options: str, **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The process and its address, once it is ready. It is patient unless it is told otherwise."""
    port = free_port()
    own = {"HTG117_PORT": str(port), "HTG117_DATABASE_URL": f"sqlite:///{database}"}
    own |= PATIENT_PROCESS | environment
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "serve", *options],
        env=os.environ | own, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    said: list[bytes] = []
    drain = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    drain.start()
    try:
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{address}/ready").status_code == 200:
                    break
            assert process.poll() is None, said
            time.sleep(0.05)
        yield process, address
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        drain.join()
        if process.stderr:
            process.stderr.close()


def form(name: str) -> bytes:
    return json.dumps(
        eligibility(identifier={"system": "https://ehr.example.org/forms", "value": name})
    ).encode()


@pytest.mark.slow
def test_the_process_serves_its_example_and_stops_in_peace(tmp_path: Path) -> None:
    with serving(tmp_path / "records.sqlite3", "--example") as (process, address):
        assert httpx.get(f"{address}/fhir/metadata").json()["resourceType"] == "CapabilityStatement"
        assert httpx.get(f"{address}/fhir/QuestionnaireResponse?_summary=count").json()["total"] >= 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)


@pytest.mark.slow
def test_nothing_answered_is_lost_and_nothing_is_half_there_when_it_is_killed(tmp_path: Path) -> None:
    database = tmp_path / "records.sqlite3"
    answered: dict[str, list[dict[str, Any]]] = {}
    for kill in range(KILLS):
        with serving(database) as (process, address):
            clients = [
                threading.Thread(target=_submit, args=(address, f"{kill}-{client}", answered))
                for client in range(4)
            ]
            for client in clients:
                client.start()
            _await_answers(answered, len(answered) + 2 + kill)
            time.sleep(0.003 * kill)  # so that the kill falls on another moment of the work each time
            process.kill()
            for client in clients:
                client.join()
        _judge(database, answered)
    assert len(answered) > KILLS


def _await_answers(answered: dict[str, list[dict[str, Any]]], wanted: int) -> None:
    end = time.monotonic() + 60
    while len(answered) < wanted:
        assert time.monotonic() < end, f"only {len(answered)} of {wanted} forms were answered in time"
        time.sleep(0.002)


def _submit(address: str, name: str, answered: dict[str, list[dict[str, Any]]]) -> None:
    with httpx.Client(timeout=30) as client, contextlib.suppress(httpx.TransportError):
        for number in range(10_000):
            one = f"{name}-{number}"
            answer = client.post(
                f"{address}/fhir/QuestionnaireResponse/$submit", content=form(one), headers=HEADERS
            )
            assert answer.status_code == 200
            answered[one] = [entry["resource"] for entry in answer.json()["entry"]]


def _judge(database: Path, answered: dict[str, list[dict[str, Any]]]) -> None:
    """All that was answered stands, and each form that stands has all its results and its Provenance."""
    store = connect(f"sqlite:///{database}")
    try:
        for resources in answered.values():
            for resource in resources:
                if "id" in resource:
                    found = store.version(resource["resourceType"], resource["id"], 1)
                    assert found is not None
        forms = store.search(parse("QuestionnaireResponse", [("_count", "1000")])).versions
        totals = {
            type_: store.search(parse(type_, [("_count", "0")])).total
            for type_ in ("Observation", "GuidanceResponse", "CarePlan", "Provenance")
        }
        assert set(totals.values()) == {store.search(parse("QuestionnaireResponse", [("_count", "0")])).total}
        for one in forms[-20:]:
            target = [("target", one.reference)]
            assert store.search(parse("Provenance", target)).total == 1
        with store.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    finally:
        store.close()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {"HTG117_HOST": "0.0.0.0"},  # noqa: S104
            "anyone could read patients' records",
        ),
        ({"HTG117_PORT": "x"}, "HTG117_PORT is a whole number"),
        ({"HTG117_CONTENTS": "x"}, "HTG117_CONTENTS is not a setting"),
        ({"HTG117_ISSUERS": "http://issuer.example.org"}, "HTG117_AUDIENCE is missing"),
    ],
)
def test_settings_that_cannot_be_stop_the_start(environment: dict[str, str], said: str) -> None:
    command = [sys.executable, "-m", "service", "serve"]
    ended = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr
