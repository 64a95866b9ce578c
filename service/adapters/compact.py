"""A signed token taken apart before anything in it is believed. RFC 7515, 7.1; RFC 8725.

Refused: anything but three parts of Base64url, more bytes than the limit, JSON that is ambiguous (a key
twice, NaN), an algorithm that is not asymmetrical, and extensions that must be understood (``crit``).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from joserfc.util import urlsafe_b64decode

from service.adapters.keys import ALGORITHMS
from service.domain.errors import ServiceError
from service.fhir.json_text import Limits, decode

if TYPE_CHECKING:
    from joserfc import jws

    from service.adapters.keys import Key

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LIMITS = Limits(depth=10)


@dataclass(frozen=True, slots=True)
class Compact:
    """A token in its parts: header and claims, read but not believed, and the three as they came."""

    header: dict[str, Any]
    claims: dict[str, Any]
    segments: tuple[str, str, str]

    def verify(self, key: Key, registry: jws.JWSRegistry) -> bool:
        """Whether the signature is the key's. JoseError or ValueError where that cannot be asked."""
        header, payload, signature = self.segments
        registry.check_header(self.header)
        algorithm = registry.get_alg(self.header["alg"])
        algorithm.check_key(key)
        return algorithm.verify(f"{header}.{payload}".encode(), urlsafe_b64decode(signature.encode()), key)


def read_compact(token: str, largest: int) -> Compact:
    """The parts of a token of at most so many characters; ValueError where it cannot be one."""
    segments = token.split(".") if len(token) <= largest else []
    if len(segments) != 3 or not all(segments) or token.encode().translate(None, _ALPHABET) != b"..":
        raise ValueError("not a signed token")
    header, payload, signature = segments
    return Compact(_header(header), _json(payload), (header, payload, signature))


@lru_cache(maxsize=64)
def _header(segment: str) -> dict[str, Any]:
    """What a header holds. Kept, for a client sends the same one with each of its tokens."""
    header = _json(segment)
    algorithm, kid = header.get("alg"), header.get("kid", "")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or not isinstance(kid, str):
        raise ValueError("its header names no algorithm that is taken")
    if "crit" in header or "b64" in header:
        raise ValueError("its header holds what must be understood and is not")
    return header


def _json(segment: str) -> dict[str, Any]:
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        return decode(raw, _LIMITS).resource
    except ServiceError as fault:
        raise ValueError(str(fault)) from None
