"""A signed token taken apart before anything in it is believed. RFC 7515, 7.1; RFC 8725.

Refused: anything but three parts of Base64url, more bytes than the limit, JSON that is ambiguous (a key
twice, NaN), an algorithm that is not asymmetrical, and extensions that must be understood (``crit``).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from joserfc import jws

from service.adapters.keys import ALGORITHMS
from service.domain.errors import ServiceError
from service.fhir.json_text import Limits, decode

if TYPE_CHECKING:
    from service.adapters.keys import Key

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
_LIMITS = Limits(depth=10)


@dataclass(frozen=True, slots=True)
class Compact:
    """A token in its parts: header and claims, read but not believed, and the three as they came."""

    header: dict[str, Any]
    claims: dict[str, Any]
    segments: tuple[str, str, str]

    def verify(self, key: Key, registry: jws.JWSRegistry) -> bool:
        """Whether the signature is the key's. JoseError or ValueError where that cannot be asked."""
        signed = jws.CompactSignature(self.header, b"")
        header, payload, signature = self.segments
        signed.segments = {
            "header": header.encode(),
            "payload": payload.encode(),
            "signature": signature.encode(),
        }
        return jws.validate_compact(signed, key, registry=registry)


def read_compact(token: str, largest: int) -> Compact:
    """The parts of a token of at most so many characters; ValueError where it cannot be one."""
    found = _COMPACT.fullmatch(token) if len(token) <= largest else None
    if found is None:
        raise ValueError("not a signed token")
    return Compact(_header(found[1]), _json(found[2]), (found[1], found[2], found[3]))


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
