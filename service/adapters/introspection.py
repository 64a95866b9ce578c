"""Opaque bearer tokens judged by asking the server that issued them. RFC 7662; SMART App Launch 2, 4.3.

What it said of a token is kept for a minute, never beyond the token's own end; a refusal for some seconds.
Only a digest of the token is kept.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote_plus

import httpx

from service.adapters.trust import trusted
from service.domain.errors import Unauthenticated, Unavailable
from service.operations.ports import Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.adapters.tokens import Tokens

_LEEWAY = 30
_KEPT = 60.0
_REFUSED = 10.0
_MOST = 10_000
_LONGEST = 20_000
_LARGEST = 64_000
_TIMEOUT = 5.0


class Asks(Protocol):
    """Judges tokens."""

    def judge(self, token: str) -> Caller:
        """The caller that a token speaks for; Unauthenticated if it does not hold."""

    def close(self) -> None:
        """Nothing, once its connections are closed."""


@dataclass(frozen=True, slots=True)
class _Said:
    caller: Caller | None
    until: float


class Introspection:
    """Judges tokens by asking. Safe from any thread."""

    def __init__(
        self,
        url: str,
        client: str,
        secret: str,
        audience: str,
        clock: Callable[[], float],
        http: httpx.Client | None = None,
    ) -> None:
        """Asks nothing yet. ``clock`` gives seconds since 1970."""
        self._url = url
        login = f"{quote_plus(client)}:{quote_plus(secret)}".encode()  # RFC 6749, 2.3.1
        self._headers = {
            "Authorization": f"Basic {b64encode(login).decode()}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        self._audience = audience
        self._clock = clock
        self._http = http or httpx.Client(timeout=_TIMEOUT, verify=trusted(), trust_env=False)
        self._said: dict[bytes, _Said] = {}
        self._turn = Lock()

    def judge(self, token: str) -> Caller:
        """Whoever a sound token speaks for; Unauthenticated if it is not, Unavailable if nobody can say."""
        if len(token) > _LONGEST or not token.isascii() or not token.isprintable() or " " in token:
            raise Unauthenticated("the token does not hold")
        digest = hashlib.sha256(token.encode()).digest()
        now = self._clock()
        with self._turn:
            said = self._said.get(digest)
        if said is None or said.until <= now:
            said = self._judge(self._ask(token), now)
            with self._turn:
                if len(self._said) >= _MOST:
                    self._said = {one: kept for one, kept in self._said.items() if kept.until > now}
                if len(self._said) >= _MOST:
                    self._said.clear()
                self._said[digest] = said
        if said.caller is None:
            raise Unauthenticated("the token does not hold")
        return said.caller

    def close(self) -> None:
        """Nothing, once the connections are closed."""
        self._http.close()

    def _ask(self, token: str) -> dict[str, Any]:
        form = {"token": token, "token_type_hint": "access_token"}
        body = b""
        try:
            with self._http.stream(
                "POST", self._url, data=form, headers=self._headers, follow_redirects=False
            ) as answer:
                sound = answer.status_code == httpx.codes.OK and "content-encoding" not in answer.headers
                for part in answer.iter_bytes() if sound else ():
                    body += part
                    if len(body) > _LARGEST:
                        break
            found = json.loads(body) if sound and len(body) <= _LARGEST else None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError):
            found = None
        if not isinstance(found, dict):
            raise Unavailable("whether the token holds cannot be asked now; try again shortly")
        return found

    def _judge(self, said: dict[str, Any], now: float) -> _Said:
        """What the answer means, and until when it may be kept."""
        ends = said.get("exp", now + _KEPT)
        begins = said.get("nbf", now)
        audience = said.get("aud", self._audience)
        scope = said.get("scope", "")
        sound = (
            said.get("active") is True
            and _is_number(ends)
            and _is_number(begins)
            and begins <= now + _LEEWAY
            and now < ends + _LEEWAY
            and self._audience in (audience if isinstance(audience, list) else [audience])
            and isinstance(scope, str)
            and str(said.get("token_type", "Bearer")).lower() in ("bearer", "access_token")
        )
        if not sound:
            return _Said(None, now + _REFUSED)
        name = said.get("client_id") or said.get("sub") or ""
        caller = Caller(str(said.get("iss", self._url)), str(name), frozenset(scope.split()))
        return _Said(caller, min(now + _KEPT, ends + _LEEWAY))


class Either:
    """Judges signed tokens of the issuers by their keys, and every other token by asking."""

    def __init__(self, tokens: Tokens, introspection: Asks) -> None:
        """Takes the two."""
        self._tokens = tokens
        self._introspection = introspection

    def judge(self, token: str) -> Caller:
        """Whoever a sound token speaks for; Unauthenticated if it is not sound."""
        guard: Asks = self._tokens if self._tokens.knows(token) else self._introspection
        return guard.judge(token)

    def close(self) -> None:
        """Nothing, once the connections of both are closed."""
        self._tokens.close()
        self._introspection.close()


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
