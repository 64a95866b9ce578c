"""Deliveries a second from an outbox on SQLite to an HTTP gateway on this machine, each a settled record.

Each delivery: claimed, posted over a kept connection, and its record's new version committed with the
message's end, on disk. The gateway is a process of its own that answers 201.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import statistics
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import structlog

from bench.measure import Row
from service.adapters.deliveries import Deliveries
from service.adapters.gateways.config import Gateway
from service.adapters.gateways.http import Http
from service.adapters.records import Outbox, connect
from service.fhir.json_text import encode
from service.operations.deliver import Line
from service.operations.ports import Message, Write

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from service.operations.deliver import Follow

_MESSAGES = 500
_RUNS = 5
_BODY = b"<case>" + b"x" * 20_000 + b"</case>"


def measure() -> list[Row]:
    """The rows."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    ours, theirs = multiprocessing.Pipe()
    gateway = multiprocessing.Process(target=_gateway, args=(theirs,), daemon=True)
    gateway.start()
    try:
        url = f"http://127.0.0.1:{ours.recv()}/reports"
        runs = [_run(url) for _ in range(_RUNS)]
    finally:
        gateway.terminate()
        gateway.join()
    rate = statistics.median(_MESSAGES / seconds for _, seconds in runs)
    putting = statistics.median(_MESSAGES / seconds for seconds, _ in runs)
    return [
        Row(f"put in with a record, one by one ({_MESSAGES})", putting, unit="/s", more_is_better=True),
        Row(f"delivered and settled ({_MESSAGES}, median of {_RUNS} runs)", rate, must=100, unit="/s",
            more_is_better=True),
    ]  # fmt: skip


def _run(url: str) -> tuple[float, float]:
    """Seconds to put all messages in, and to deliver them."""

    def clock() -> datetime:
        return datetime.now(UTC)

    with tempfile.TemporaryDirectory() as folder:
        store = connect(f"sqlite:///{Path(folder)}/records.sqlite3")
        start = time.perf_counter()
        for at in range(_MESSAGES):
            message = Message(f"m{at}", "gateway", f"Observation/r{at}", "application/xml", _BODY)
            store.commit([_report(f"r{at}", "preliminary", 0)], clock(), [message])
        put = time.perf_counter() - start
        courier = Http(Gateway(kind="http", url=url), clock)
        worker = Deliveries(Outbox(store), {"gateway": Line(courier, _settled)}, clock, random.random)
        start = time.perf_counter()
        made = worker.run(Event(), until_empty=True)
        delivered = time.perf_counter() - start
        assert made == _MESSAGES
        assert Outbox(store).backlog() == ()
        courier.close()
        store.close()
    return put, delivered


def _settled(message: Message, _outcome: object) -> Follow:
    return [_report(message.subject.partition("/")[2], "final", 1)], ()


def _report(id_: str, status: str, expected: int) -> Write:
    resource: dict[str, Any] = {"resourceType": "Observation", "id": id_, "status": status,
                                "code": {"text": "report"}}  # fmt: skip
    return Write("Observation", id_, resource, encode(resource), expected)


def _gateway(to: Connection) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):  # the client went
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(int(line[15:]) for line in head.lower().split(b"\r\n")
                              if line.startswith(b"content-length:"))  # fmt: skip
                await reader.readexactly(length)
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nLocation: /7\r\n\r\n")

    async def serve() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        to.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())
