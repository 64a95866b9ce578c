"""A FHIR server on a real socket that does as it is told: right, wrong, slow, or not at all."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from ssl import SSLContext

FHIR_JSON = "application/fhir+json"
Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def search(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode())


Serve = Callable[[Request, "StreamWriter"], Awaitable[None]]


def reply(
    body: Any = None, status: int = 200, kind: str = FHIR_JSON, headers: dict[str, str] | None = None
) -> bytes:
    """A whole answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    given = {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + content


def always(answer: bytes) -> Serve:
    """Serves the same bytes each time."""

    async def serve(_request: Request, writer: StreamWriter) -> None:
        writer.write(answer)

    return serve


def after(seconds: float, answer: bytes) -> Serve:
    """Serves the bytes, late."""

    async def serve(_request: Request, writer: StreamWriter) -> None:
        await asyncio.sleep(seconds)
        writer.write(answer)

    return serve


def in_turn(*answers: bytes) -> Serve:
    """Serves one answer after the other, the last of them ever again."""
    left = list(answers)

    async def serve(_request: Request, writer: StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return serve


def dropping(answer: bytes) -> Serve:
    """Serves the bytes and hangs up."""

    async def serve(_request: Request, writer: StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    return serve


def packed(body: Any) -> bytes:
    """A whole answer, compressed."""
    content = gzip.compress(body if isinstance(body, bytes) else json.dumps(body).encode())
    return reply(content, headers={"Content-Encoding": "gzip"})


def searchset(*resources: Resource, following: str | None = None, mode: str = "match") -> Resource:
    """One page of a search."""
    modes = {"OperationOutcome": "outcome"}
    entries = [
        {"resource": one, "search": {"mode": modes.get(one["resourceType"], mode)}} for one in resources
    ]
    made: Resource = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    if following:
        made["link"] = [{"relation": "self", "url": "x"}, {"relation": "next", "url": following}]
    return made


def outcome(severity: str) -> Resource:
    """An OperationOutcome with text that must not come through."""
    issue = {"severity": severity, "code": "processing", "diagnostics": "Jane SECRET 9990000018"}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def condition(id_: str, patient: str = "1") -> Resource:
    """A resource about a patient."""
    return {"resourceType": "Condition", "id": id_, "subject": {"reference": f"Patient/{patient}"}}


class Peer:
    """The server. ``routes`` by path (``/fhir/Condition``); ``requests`` are all that came."""

    def __init__(self, tls: SSLContext | None = None) -> None:
        self._tls = tls
        self.routes: dict[str, Serve] = {}
        self.requests: list[Request] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def base(self) -> str:
        """The FHIR base."""
        return f"http://127.0.0.1:{self.port}/fhir"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *raised: object) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def on(self, path: str, serve: Serve | bytes) -> None:
        """From now on this is served at ``/fhir`` and the path."""
        self.routes[f"/fhir{path}"] = always(serve) if isinstance(serve, bytes) else serve

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            while not writer.is_closing():
                request = await self._read(reader)
                self.requests.append(request)
                serve = self.routes.get(request.path, always(reply(outcome("error"), 404)))
                await serve(request, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _read(self, reader: StreamReader) -> Request:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Request(method, target, headers, body)
