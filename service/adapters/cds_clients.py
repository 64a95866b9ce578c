"""Tokens of CDS clients judged (CDS Hooks 2.0.1, Trusting CDS Clients): who calls, or nobody.

Only clients of the file of clients are known, and each only by its own keys and algorithms. Nothing in a
token says where its keys are fetched: its ``jku`` must be the client's. All that is wrong with a token is
told in the same words; what it was goes with the error, for the log. Whether it was used before (``jti``) is
for the caller to see, in the records.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from joserfc import jws
from joserfc.errors import JoseError

from service.adapters.client_keys import ClientKeys
from service.adapters.compact import read_compact
from service.adapters.keys import ALGORITHMS, fits, key_type
from service.domain.errors import Unauthenticated
from service.operations.clients import CdsCaller

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from service.adapters.compact import Compact
    from service.adapters.keys import Key
    from service.operations.clients import Client

SKEW = 30
LONGEST = 3600
"""How long a token may be sound, in seconds: what was used is remembered for as long."""
_LARGEST = 8_000
_LONGEST_ID = 500


class CdsClients:
    """Judges the tokens of the clients. For use on one event loop."""

    def __init__(
        self,
        clients: Sequence[Client],
        clock: Callable[[], float],
        http: httpx.AsyncClient | None = None,
        patience: float = 0.4,
    ) -> None:
        """Fetches nothing yet. ``clock`` gives seconds since 1970.

        ``patience``: so many seconds a call waits for its client's keys where they are not known yet.
        """
        self._clients = {
            client.issuer: (client, ClientKeys(client, clock, http, patience)) for client in clients
        }
        self._clock = clock
        self._registries = {
            client.name: _registry([one for one in client.algorithms if one in ALGORITHMS])
            for client in clients
        }

    async def judge(self, token: str, endpoint: str) -> CdsCaller:
        """Whoever a sound token speaks for; Unauthenticated, always in the same words, if it is not sound.

        ``endpoint`` is the address called, as the client knows it: the token's ``aud`` must be it exactly.
        """
        try:
            read = read_compact(token, _LARGEST)
        except ValueError:
            raise _refused("it is no signed JWT") from None
        claims = read.claims
        client, keys = self._clients.get(_text(claims, "iss"), (None, None))
        if client is None or keys is None:
            raise _refused("its issuer is not in the file of clients")
        kid, algorithm = self._header(read.header, client)
        key = await keys.find(kid, key_type(algorithm))
        if key is None or not fits(key, algorithm):
            raise _refused(
                "the client has no such key, none for that algorithm, or it could not be had in time", client
            )
        if not self._holds(read, key, client):
            raise _refused("its signature does not hold", client)
        expires = self._times(claims)
        aud = claims.get("aud")
        if endpoint not in (aud if isinstance(aud, list) else [aud]):
            raise _refused(f"its audience is not {endpoint}", client)
        tenant = _tenant(claims, client)
        return CdsCaller(client, tenant, _text(claims, "jti"), expires)

    async def close(self) -> None:
        """Nothing, once the connections to where keys lie are closed."""
        for _, keys in self._clients.values():
            await keys.close()

    def _holds(self, read: Compact, key: Key, client: Client) -> bool:
        try:
            return read.verify(key, self._registries[client.name])
        except (JoseError, ValueError):
            return False

    def _header(self, header: dict[str, Any], client: Client) -> tuple[str, str]:
        """The key's id and the algorithm, where the header is one that this client may send."""
        algorithm = _text(header, "alg")
        if algorithm not in client.algorithms or _text(header, "typ").upper() != "JWT":
            raise _refused("its algorithm is not the client's, or its typ not JWT", client)
        if "jku" in header and (client.jku is None or header["jku"] != client.jku):
            raise _refused("its jku is not the client's", client)
        return _text(header, "kid"), algorithm

    def _times(self, claims: dict[str, Any]) -> int:
        """When the token ends, where now is within its time."""
        now = self._clock()
        issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
        begins = _seconds(claims, "nbf") if "nbf" in claims else issued
        sound = issued <= now + SKEW and begins <= now + SKEW and now < expires + SKEW
        if not sound or expires - issued > LONGEST + 2 * SKEW:
            raise _refused("it is not in its time, or lives longer than an hour")
        return math.ceil(expires) + SKEW  # remembered until it surely is over


class Unconfigured:
    """What judges where no clients are configured and others can reach the service: nobody gets in."""

    async def judge(self, _token: str, _endpoint: str) -> CdsCaller:
        """Nobody: Unauthenticated."""
        raise _refused("HTG117_CLIENTS names no file of clients")

    async def close(self) -> None:
        """Nothing."""


def _registry(algorithms: list[str]) -> jws.JWSRegistry:
    """What verifies signatures: further members of a header are ignored (RFC 7515, 4), not refused."""
    made = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
    made.max_header_length = _LARGEST
    return made


def _refused(why: str, client: Client | None = None) -> Unauthenticated:
    """The one answer to all that is wrong; what it was is for the log, and holds nothing of the token."""
    return Unauthenticated(why=why, client=client.name if client else None)


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value or len(value) > _LONGEST_ID or "\0" in value:
        raise _refused(f"'{name}' is missing, or no text of fit length")
    return value


def _seconds(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 0 <= value < 1e11:
        raise _refused(f"'{name}' is missing, or no time")
    return float(value)


def _tenant(claims: dict[str, Any], client: Client) -> str | None:
    """The tenant that the token names; one of the client's where it lists any."""
    tenant = _text(claims, "tenant") if "tenant" in claims else None
    if client.tenants and tenant not in client.tenants:
        raise _refused("its tenant is not one of the client's", client)
    return tenant
