"""What every handler works with, put together once in ``app.py``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, TypeVar

from starlette.requests import Request

from service.fhir.json_text import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from service.fhir.concepts import Terminology
    from service.fhirpath import Terminology as Terms
    from service.operations.assess import Plans
    from service.operations.clients import Client
    from service.operations.outbox import Outbox
    from service.operations.ports import Clock, Content, Records
    from service.operations.report.desk import Desk
    from service.operations.submit import Act, WriteBack
    from service.web.operations.declared import Operation
    from service.web.security import Guard

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Services:
    """The ports, limits and identity of the running service.

    ``threads`` runs what touches the records or computes for long, off the event loop. ``guard`` is None
    in development mode. ``clients`` are the EHRs; ``write_back`` makes what they are sent of a form.
    ``body_seconds``: how long a body may take to arrive. ``operations`` are the FHIR operations served.
    """

    content: Content
    records: Records
    outbox: Outbox
    terminology: Terminology
    terms: Terms
    clock: Clock
    new_id: Callable[[], str]
    threads: Executor
    version: str
    plans: Plans
    act: Act
    reports: Desk
    operations: tuple[Operation, ...] = ()
    limits: Limits = field(default_factory=Limits)
    body_seconds: float = 10.0
    base_url: str = ""
    guard: Guard | None = None
    clients: tuple[Client, ...] = ()
    write_back: WriteBack | None = None

    def root(self, request: Request) -> str:
        """The service's address as the client knows it, without a slash at its end."""
        if self.base_url:
            return self.base_url.rstrip("/")
        scope = request.scope
        host = next((value for name, value in scope["headers"] if name == b"host"), None)
        server, path = scope.get("server"), scope.get("app_root_path", scope.get("root_path", ""))
        return _root(scope.get("scheme", "http"), host, server and tuple(server), path)

    def base(self, request: Request) -> str:
        """The FHIR base URL as the client knows it, without a slash at its end."""
        return f"{self.root(request)}/fhir"

    async def run(self, work: Callable[..., _T], /, *args: object, **named: object) -> _T:
        """What the function returns, run in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, partial(work, *args, **named))


@lru_cache(maxsize=64)
def _root(scheme: str, host: bytes | None, server: tuple[str, int | None] | None, path: str) -> str:
    """The address of an application that was asked for so, without a slash at its end."""
    headers = [] if host is None else [(b"host", host)]
    asked = {"type": "http", "scheme": scheme, "headers": headers, "server": server, "root_path": path}
    return str(Request(asked).base_url).rstrip("/")


def header(request: Request, name: bytes) -> str:
    """The first header of a name, which is given in small letters; empty where there is none."""
    return next((value for key, value in request.scope["headers"] if key == name), b"").decode("latin-1")


def services(request: Request) -> Services:
    """The services that the application was made with."""
    found: Services = request.app.state.services
    return found
