"""The service's own access to an EHR, without a person (SMART Backend Services): its key gives it tokens.

The assertion is signed for each token asked for (``private_key_jwt``, RFC 7523); a token is kept in memory
until shortly before it expires, and one asked for at a time.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from joserfc import jwt

from service.adapters.ehr import faults
from service.adapters.ehr.exchange import Ask
from service.adapters.ehr.faults import EhrFault
from service.adapters.keys import read_private
from service.domain.errors import Unauthenticated, Unavailable
from service.fhir.json_text import decode

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from service.adapters.ehr.exchange import Exchange
    from service.adapters.keys import Key
    from service.operations.clients import Backend

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE = 240
"""Seconds that an assertion is good for: the specification allows five minutes."""
_EARLY = 30.0
_SHORTEST = 60.0
_ERRORS = frozenset({
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
    "invalid_scope",
})  # fmt: skip
"""OAuth's own words (RFC 6749, 5.2): nothing else of an answer is repeated."""


class BackendTokens:
    """Tokens for one backend. For use on one event loop."""

    def __init__(
        self,
        backend: Backend,
        exchange: Exchange,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        seconds: float = 10.0,
    ) -> None:
        """Reads the private key. ``clock`` gives the present; ``seconds`` is how long a token may take."""
        self._backend = backend
        self._exchange = exchange
        self._clock = clock
        self._new_id = new_id
        self._seconds = seconds
        self._key: Key = read_private(decode(Path(backend.key).read_bytes()).resource, backend.algorithm)
        self._token: str | None = None
        self._until = 0.0
        self._turn = asyncio.Lock()

    async def token(self) -> str:
        """A token that holds for a while. Unauthenticated if none is given, Unavailable without the EHR."""
        async with self._turn:
            if self._token is None or self._clock().timestamp() >= self._until:
                self._token, lasts = await self._fetch()
                self._until = self._clock().timestamp() + lasts
            return self._token

    def forget(self, token: str) -> None:
        """Nothing; the token, which the EHR did not take, is not given again."""
        if self._token == token:
            self._token = None

    async def _fetch(self) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "scope": self._backend.scopes,
            "client_assertion_type": _ASSERTION,
            "client_assertion": self.assertion(),
        }
        ask = Ask(
            "POST",
            self._backend.token_url,
            body=urlencode(form).encode(),
            media_type="application/x-www-form-urlencoded",
            accept="application/json",
        )
        answer = await self._exchange.send(ask, self._seconds, failing=True)
        if answer.status in (400, 401, 403):
            said = answer.content.get("error")
            word = f" ({said})" if isinstance(said, str) and said in _ERRORS else ""
            raise Unauthenticated(f"the EHR's token service does not accept this service's key{word}")
        if not 200 <= answer.status < 300:
            raise EhrFault(faults.FAILED, counts=answer.status >= 500, status=answer.status)
        token, kind = answer.content.get("access_token"), answer.content.get("token_type")
        sound = isinstance(token, str) and token.isascii() and token.isprintable() and token
        if not sound or not isinstance(kind, str) or kind.lower() != "bearer":
            raise Unavailable("the EHR's token service answered without a token")
        lasts = answer.content.get("expires_in")
        if isinstance(lasts, bool) or not isinstance(lasts, int):
            lasts = int(_SHORTEST)
        return str(token), max(lasts - _EARLY, 0.0)

    def assertion(self) -> str:
        """The signed statement of who asks, good once (SMART Backend Services, 4.1.5)."""
        now = int(self._clock().timestamp())
        backend = self._backend
        header = {"alg": backend.algorithm, "typ": "JWT", "kid": self._key.kid}
        claims = {
            "iss": backend.client_id,
            "sub": backend.client_id,
            "aud": backend.token_url,
            "exp": now + _LIFE,
            "iat": now,
            "jti": self._new_id(),
        }
        return jwt.encode(header, claims, self._key, algorithms=[backend.algorithm])
