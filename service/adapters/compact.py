"""A signed token taken apart before anything in it is believed. RFC 7515, 7.1; RFC 8725.

Refused: anything but three parts of Base64url, more bytes than the limit, JSON that is ambiguous (a key
twice, NaN), an algorithm that is not asymmetrical, and extensions that must be understood (``crit``).
"""

from __future__ import annotations

import base64
import re
from typing import Any

from service.adapters.keys import ALGORITHMS
from service.domain.errors import ServiceError
from service.fhir.json_text import Limits, decode

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
_DEPTH = 10

Parts = tuple[dict[str, Any], dict[str, Any]]


def read_compact(token: str, largest: int) -> Parts:
    """Header and claims of a token of at most so many characters; ValueError where it cannot be one."""
    found = _COMPACT.fullmatch(token) if len(token) <= largest else None
    if found is None:
        raise ValueError("not a signed token")
    header, claims = _json(found[1], largest), _json(found[2], largest)
    algorithm, kid = header.get("alg"), header.get("kid", "")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or not isinstance(kid, str):
        raise ValueError("its header names no algorithm that is taken")
    if "crit" in header or "b64" in header:
        raise ValueError("its header holds what must be understood and is not")
    return header, claims


def _json(segment: str, largest: int) -> dict[str, Any]:
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        return decode(raw, Limits(largest, _DEPTH)).resource
    except ServiceError as fault:
        raise ValueError(str(fault)) from None
