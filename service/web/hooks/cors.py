"""Browsers' questions: which web pages' scripts may call CDS Hooks. The rest of the service answers none.

CDS Hooks 2.0.1, Cross-Origin Resource Sharing. A preflight carries no token and is answered without one; no
cookies are used, so none are allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware.cors import CORSMiddleware

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

_ASKED = ("Authorization", "Content-Type", "X-Request-ID", "X-Correlation-ID")
_SHOWN = ("X-Request-ID", "X-Correlation-ID", "Retry-After", "WWW-Authenticate")
_SECONDS = 600


class Origins:
    """ASGI middleware: answers preflights and marks answers for the origins that are listed."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        """Wraps the application."""
        self._app = app
        self._shared = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=("GET", "POST"),
            allow_headers=_ASKED,
            expose_headers=_SHOWN,
            max_age=_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the application, the middleware around it where CDS Hooks is asked for."""
        hooks = scope["type"] == "http" and f"{scope['path']}/".startswith("/cds-services/")
        await (self._shared if hooks else self._app)(scope, receive, send)
