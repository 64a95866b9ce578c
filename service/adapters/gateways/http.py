"""The HTTP gateway: each message is posted, with its id in a header by which the gateway knows it again."""

from __future__ import annotations

import ssl
from http.cookiejar import DefaultCookiePolicy
from threading import Lock
from typing import TYPE_CHECKING

import httpx
import msgspec

from service.adapters.retry_after import read_retry_after
from service.domain.errors import Forbidden, Refused, Unauthenticated, Unavailable
from service.operations.ports import Receipt

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from service.adapters.gateways.config import Gateway
    from service.operations.ports import Clock, Message

_OF_THE_WAY = frozenset({404, 405, 407, 408, 421, 425, 429})
"""Statuses that speak of the address or the moment, not of the message: it is tried again."""

_FAULTS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict, ssl.SSLError)
"""All that httpx raises; a TLS failure while the connection is used comes as it is."""

_TOKEN_BYTES = 100_000
_EARLY_SECONDS = 30
_SHORTEST = 60


class Http:
    """A courier that posts to one address. Safe from several threads. ``close`` when done."""

    def __init__(self, gateway: Gateway, clock: Clock, transport: httpx.BaseTransport | None = None) -> None:
        """Takes settings of kind ``http``, whose files are read now. Unavailable where one cannot be."""
        self._gateway = gateway
        self._clock = clock
        self._client = httpx.Client(
            verify=_trust(gateway),
            transport=transport,
            timeout=gateway.timeout,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=gateway.width * 2),
            headers={"User-Agent": "htg117", "Accept": "*/*", "Accept-Encoding": "identity"},
        )
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._lock = Lock()
        self._token: tuple[str, float] | None = None

    def close(self) -> None:
        """Nothing, once the connections are closed."""
        self._client.close()

    def deliver(self, message: Message) -> Receipt:
        """What the gateway answered, its Location as the reference."""
        gateway = self._gateway
        if not message.id.isascii() or not message.id.isprintable():
            raise Refused("the message's id cannot stand in an HTTP header")
        headers = {"Content-Type": message.media_type, gateway.id_header: message.id}
        token = self._bearer() if gateway.token_url else None
        status, answered, body = self._post(message.body, headers, token)
        if status == 401 and token:  # perhaps it was revoked before its time
            self._forget(token)
            status, answered, body = self._post(message.body, headers, self._bearer())
        self._judge(status, answered, message.id)
        return Receipt(_reference(answered), answered.get("Content-Type"), body)

    def _post(
        self, body: bytes, headers: dict[str, str], token: str | None
    ) -> tuple[int, httpx.Headers, bytes]:
        if token:
            headers = headers | {"Authorization": f"Bearer {token}"}
        request = self._client.build_request("POST", self._gateway.url, content=body, headers=headers)
        return self._send(request, self._gateway.largest)

    def _send(
        self, request: httpx.Request, largest: int, auth: httpx.Auth | None = None
    ) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and body; empty where it is larger than may be, or that of a refusal."""
        started = self._clock()
        try:
            response = self._client.send(request, stream=True, auth=auth or httpx.Auth())
            try:
                body = self._read(response, largest, started) if response.is_success else b""
            finally:
                response.close()
        except _FAULTS as fault:
            raise Unavailable(f"the gateway cannot be reached ({type(fault).__name__})") from None
        return response.status_code, response.headers, body

    def _read(self, response: httpx.Response, largest: int, started: datetime) -> bytes:
        parts, size = [], 0
        for part in response.iter_raw():
            size += len(part)
            if size > largest:
                return b""  # what matters is its status
            if (self._clock() - started).total_seconds() > 2 * self._gateway.timeout:
                raise Unavailable("the gateway's answer takes too long")
            parts.append(part)
        return b"".join(parts)

    def _judge(self, status: int, answered: httpx.Headers, id_: str) -> None:
        """Nothing, where the gateway has the message now; else the error that its status means."""
        if 200 <= status < 300 or status in self._gateway.present:
            return
        if status == 409 and answered.get(self._gateway.id_header) == id_:
            return  # it names the message that it has already
        said = f"the gateway answered {status}"
        if status == 401:
            raise Unauthenticated(f"{said}: it does not accept this service's credentials")
        if status == 403:
            raise Forbidden(f"{said}: this service's credentials do not reach that far")
        if 300 <= status < 400:
            raise Unavailable(f"{said}, a redirect, which is not followed: set gateway.url to where it leads")
        if status in _OF_THE_WAY or status >= 500:
            raise Unavailable(said, retry_after=read_retry_after(answered.get("Retry-After"), self._clock()))
        raise Refused(said)

    def _bearer(self) -> str:
        """An access token by client credentials (RFC 6749 §4.4), kept until shortly before it expires."""
        with self._lock:
            now = self._clock().timestamp()
            if self._token and self._token[1] > now:
                return self._token[0]
            text, lasts = self._ask_for_token()
            self._token = (text, now + max(lasts - _EARLY_SECONDS, 0))
            return text

    def _ask_for_token(self) -> tuple[str, float]:
        gateway = self._gateway
        if gateway.secret_file is None:
            raise Unavailable("gateway.secret_file is not set")
        try:
            secret = gateway.secret_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise Unavailable("gateway.secret_file cannot be read") from None
        form = {"grant_type": "client_credentials"} | ({"scope": gateway.scope} if gateway.scope else {})
        request = self._client.build_request(
            "POST", gateway.token_url, data=form, headers={"Accept": "application/json"}
        )
        status, answered, body = self._send(request, _TOKEN_BYTES, httpx.BasicAuth(gateway.client_id, secret))
        if status != 200:
            wait = read_retry_after(answered.get("Retry-After"), self._clock())
            raise Unavailable(f"the token for the gateway was not given (status {status})", retry_after=wait)
        try:
            granted: Any = msgspec.json.decode(body)
        except msgspec.DecodeError:
            granted = None
        text = granted.get("access_token") if isinstance(granted, dict) else None
        if not isinstance(text, str) or not text.isascii() or not text.isprintable() or not text:
            raise Unavailable("the answer to the request for a token holds none")
        lasts = granted.get("expires_in")
        sound = isinstance(lasts, (int, float)) and not isinstance(lasts, bool)
        return text, float(lasts) if sound else _SHORTEST

    def _forget(self, token: str) -> None:
        with self._lock:
            if self._token and self._token[0] == token:
                self._token = None


def _trust(gateway: Gateway) -> ssl.SSLContext:
    """The TLS settings; Unavailable names the file that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=str(gateway.ca) if gateway.ca else None)
    except OSError as fault:
        raise Unavailable(f"gateway.ca cannot be used ({type(fault).__name__})") from None
    if gateway.cert and gateway.key:
        try:
            context.load_cert_chain(gateway.cert, gateway.key, password="")
        except OSError as fault:
            kind = type(fault).__name__
            raise Unavailable(f"gateway.cert and gateway.key cannot be used ({kind})") from None
    return context


def _reference(answered: httpx.Headers) -> str | None:
    location = answered.get("Location")
    return location if location and location.isprintable() and len(location) <= 500 else None
