"""Who may do what: bearer tokens, where issuers are configured. SMART App Launch 2 scopes."""

from __future__ import annotations

from asyncio import to_thread
from typing import TYPE_CHECKING, Protocol

from starlette.datastructures import Headers

from service.cds.faces import ICON
from service.domain.errors import Forbidden, ServiceError, Unauthenticated
from service.operations.searching.parameters import RECORD_TYPES
from service.web.errors import answer

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

    from service.operations.ports import Caller

OPEN = frozenset({"/", "/docs", "/health", "/ready", "/metrics", "/fhir/metadata", "/openapi.json", ICON})
"""What anybody may ask for."""
HOOKS = "/cds-services"
"""Where CDS clients come in; their tokens are another kind and are judged there."""
REPORTS = "/reports"
_STORING = frozenset({"$submit", "$yellow-card"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard(Protocol):
    """Judges tokens."""

    def judge(self, token: str) -> Caller:
        """The caller that a token speaks for; Unauthenticated if it does not hold."""

    def close(self) -> None:
        """Nothing, once its connections are closed."""


def check_scope(caller: Caller, method: str, path: str) -> None:
    """Nothing, where one of the caller's scopes reaches the request; else Forbidden.

    ``system/Type.rs`` and ``user/*.*`` are such scopes; SMART 1's ``.read`` and ``.write`` count too. A POST
    that only asks (a search, an operation that stores nothing) needs to read.
    """
    pieces = path.removeprefix("/fhir/").split("/")
    asking = method in _READING or pieces[-1] == "_search"
    asking = asking or (pieces[-1].startswith("$") and pieces[-1] not in _STORING)
    wanted = pieces[0] if path.startswith("/fhir/") else "*"
    if path == REPORTS or path.startswith(f"{REPORTS}/"):
        wanted = "AdverseEvent"  # a report is about one, and tells what it holds
    for scope in caller.scopes:
        level, _, rest = scope.partition("/")
        type_, _, rights = rest.partition(".")
        rights = {"read": "rs", "write": "cud", "*": "cruds"}.get(rights, rights.partition("?")[0])
        if level in ("system", "user") and type_ in ("*", wanted) and ("r" if asking else "c") in rights:
            return
    kind, needed = ("read", "rs") if asking else ("write", "cu")
    raise Forbidden(f"the token's scopes do not let it {kind} {wanted}; ask for system/{wanted}.{needed}")


class Gate:
    """ASGI middleware: without a sound token there is no way past, except to what is open to all.

    Published content is: it may be read and searched by anybody. Types that records are kept of are not.
    """

    def __init__(self, app: ASGIApp, guard: Guard, published: Collection[str] = ()) -> None:
        """Wraps the application. ``published``: the types of the published content."""
        self._app = app
        self._guard = guard
        self._published = frozenset(published) - frozenset(RECORD_TYPES)

    def opens(self, scope: Scope) -> bool:
        """Whether the request needs no token, or is judged elsewhere."""
        path, method = str(scope["path"]), scope["method"]
        if path in OPEN or path == HOOKS or path.startswith(f"{HOOKS}/"):
            return True
        if not path.startswith("/fhir/"):
            return False
        type_, *rest = path.removeprefix("/fhir/").split("/")
        if type_ not in self._published or any(part.startswith("$") for part in rest):
            return False
        return method in _READING or (method == "POST" and rest == ["_search"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the application for those who may."""
        if scope["type"] == "http" and not self.opens(scope):
            try:
                await self._admit(scope)
            except ServiceError as fault:
                await answer(fault)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Unauthenticated("send a token: Authorization: Bearer …")
        caller = await to_thread(self._guard.judge, token.strip())  # it may have to fetch keys
        check_scope(caller, scope["method"], scope["path"])
        scope.setdefault("state", {})["caller"] = caller
