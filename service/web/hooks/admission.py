"""Who may call: the token judged, its second use refused, and how often a client calls kept within bounds.

CDS Hooks 2.0.1, Trusting CDS Clients.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from service.domain.errors import Unauthenticated
from service.operations.clients import CdsCaller
from service.operations.ports import Once
from service.web.services import header

if TYPE_CHECKING:
    from starlette.requests import Request

    from service.web.hooks.desk import Desk

_NOBODY = CdsCaller(None)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who calls, and what must not have happened before: the token's use."""

    caller: CdsCaller
    once: tuple[Once, ...] = ()


async def admit(request: Request, desk: Desk, endpoint: str) -> Admitted:
    """Whoever calls; Unauthenticated where that does not hold, TooMany where the client calls too often.

    ``endpoint`` is the address called as the client knows it: a token is made for it and for no other.
    """
    client = request.scope.get("client")
    address = client[0] if client else "unknown"
    if desk.guard is None:
        desk.buckets.check(address)
        return Admitted(_NOBODY)
    desk.buckets.check(address, take=0)
    try:
        caller = await desk.guard.judge(_token(request), endpoint)
        once = _use(caller, desk)
    except Unauthenticated as fault:
        log_refusal(fault)
        desk.buckets.check(address)
        raise
    desk.buckets.check(f"client {caller.client.issuer if caller.client else ''}")
    return Admitted(caller, once)


def log_refusal(fault: Unauthenticated) -> None:
    """Nothing; the log says why a token, or the lack of one, was refused. The answer never does."""
    _log.warning("token-refused", why=fault.why, client=fault.client)


def used_before(caller: CdsCaller) -> Unauthenticated:
    """The error of a token that comes a second time."""
    return Unauthenticated(why="it was used before", client=caller.client.name if caller.client else None)


def _token(request: Request) -> str:
    kind, _, token = header(request, b"authorization").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Unauthenticated("send the client's token: Authorization: Bearer …", why="there is none")
    return token.strip()


def _use(caller: CdsCaller, desk: Desk) -> tuple[Once, ...]:
    if caller.client is None or caller.token_id is None:
        raise Unauthenticated(why="it names no client, or has no id")
    issuer, id_ = caller.client.issuer, caller.token_id
    if not desk.used.use(issuer, id_, caller.expires):
        raise used_before(caller)
    return (Once("jti", f"{issuer}\n{id_}", datetime.fromtimestamp(caller.expires, UTC)),)
