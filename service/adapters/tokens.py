"""Bearer tokens judged: signed by a configured issuer, made for this service, in time. RFC 7519, RFC 9068.

The issuers' keys are fetched from where their OpenID configuration says, kept, and renewed every hour; a
token signed by a key not seen before fetches them again, at most once a minute. While an issuer does not
answer, the keys that are known serve. What is wrong with a token is not told.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import httpx
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from service.adapters.compact import read_compact
from service.adapters.keys import ALGORITHMS, read_all
from service.adapters.trust import trusted
from service.domain.errors import Unauthenticated, Unavailable
from service.operations.ports import Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LEEWAY = 30
_PAUSE = 60.0
_RETRY = 5.0
_FRESH = 3600.0
_TIMEOUT = 5.0
_LARGEST = 256_000
_LONGEST = 20_000
_FAULTS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class _Held:
    """An issuer's keys, when they were fetched, and when that was last tried."""

    keys: KeySet | None = None
    fetched: float = 0.0
    tried: float = 0.0
    failed: bool = False


class Tokens:
    """Judges the tokens of some issuers. Safe from any thread."""

    def __init__(
        self,
        issuers: Sequence[str],
        audience: str,
        clock: Callable[[], float],
        http: httpx.Client | None = None,
    ) -> None:
        """Fetches nothing yet. ``clock`` gives seconds since 1970."""
        self._keys = {issuer.rstrip("/"): _Held() for issuer in issuers}
        self._audience = audience
        self._clock = clock
        self._http = http or httpx.Client(timeout=_TIMEOUT, verify=trusted(), trust_env=False)
        self._turn = Lock()
        # members of a header that are not known are ignored, not refused (RFC 7515, 4)
        self._registry = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        self._registry.max_header_length = _LONGEST

    def judge(self, token: str) -> Caller:
        """Whoever a sound token speaks for; Unauthenticated if it is not sound, Unavailable without keys."""
        issuer = self._issuer(token)
        keys, fresh = self._key_set(issuer, again=False)
        try:
            claims = self._claims(token, keys)
        except JoseError:
            if fresh:
                raise Unauthenticated("the token does not hold") from None
            keys, _ = self._key_set(issuer, again=True)
            claims = self._again(token, keys)
        self._check(claims, issuer)
        scopes = claims.get("scope", claims.get("scp", ""))
        listed = scopes.split() if isinstance(scopes, str) else [str(one) for one in scopes]
        return Caller(issuer, str(claims.get("client_id") or claims.get("sub") or ""), frozenset(listed))

    def close(self) -> None:
        """Nothing, once the connections are closed."""
        self._http.close()

    def knows(self, token: str) -> bool:
        """Whether the token names one of the issuers, whether or not it holds."""
        try:
            self._issuer(token)
        except Unauthenticated:
            return False
        return True

    def _issuer(self, token: str) -> str:
        """The issuer that the token names, if it is one of ours. Nothing of the token is believed yet."""
        try:
            named = read_compact(token, _LONGEST).claims.get("iss")
        except ValueError:
            named = None
        issuer = named.rstrip("/") if isinstance(named, str) else ""
        if issuer not in self._keys:
            raise Unauthenticated("the token does not hold")
        return issuer

    def _claims(self, token: str, keys: KeySet) -> dict[str, Any]:
        return dict(jwt.decode(token, keys, registry=self._registry).claims)

    def _again(self, token: str, keys: KeySet) -> dict[str, Any]:
        try:
            return self._claims(token, keys)
        except JoseError:
            raise Unauthenticated("the token does not hold") from None

    def _check(self, claims: dict[str, Any], issuer: str) -> None:
        rules = jwt.JWTClaimsRegistry(
            now=int(self._clock()),
            leeway=_LEEWAY,
            iss={"essential": True},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
        )
        try:
            rules.validate(claims)
        except JoseError:
            raise Unauthenticated("the token does not hold") from None
        if str(claims.get("iss", "")).rstrip("/") != issuer:
            raise Unauthenticated("the token does not hold")

    def _key_set(self, issuer: str, *, again: bool) -> tuple[KeySet, bool]:
        """The issuer's keys, and whether they were fetched just now."""
        with self._turn:
            held = self._keys[issuer]
            now = self._clock()
            due = again or held.keys is None or now - held.fetched >= _FRESH
            if due and now - held.tried >= (_RETRY if held.failed else _PAUSE):
                self._keys[issuer] = held = self._renewed(issuer, held, now)
                again = not held.failed
            if held.keys is None:
                raise Unavailable("the issuer's keys cannot be had; try again shortly")
            return held.keys, again

    def _renewed(self, issuer: str, held: _Held, now: float) -> _Held:
        try:
            configuration = self._get(f"{issuer}/.well-known/openid-configuration")
            keys = KeySet(list(read_all(self._get(str(configuration["jwks_uri"])))))
        except (*_FAULTS, ValueError, TypeError, KeyError, JoseError):
            return _Held(held.keys, held.fetched, tried=now, failed=True)
        return _Held(keys, fetched=now, tried=now)

    def _get(self, url: str) -> dict[str, Any]:
        if not url.startswith("https://"):
            raise ValueError(url)
        body = b""
        with self._http.stream("GET", url, headers=_HEADERS, follow_redirects=False) as answer:
            if answer.status_code != httpx.codes.OK or "content-encoding" in answer.headers:
                raise ValueError(url)
            for part in answer.iter_bytes():
                body += part
                if len(body) > _LARGEST:
                    raise ValueError(url)
        found = json.loads(body)
        if not isinstance(found, dict):
            raise TypeError(url)
        return found
