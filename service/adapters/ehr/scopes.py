"""What the scopes of an EHR's token let its bearer read: SMART App Launch 1 and 2. Pure."""

from __future__ import annotations

_LEVELS = ("patient", "user", "system")
_READING = {"read": "rs", "write": "", "*": "rs"}


def reaches(scopes: frozenset[str], kind: str, *, searching: bool) -> bool:
    """Whether one of the scopes lets resources of this type be read, or searched.

    Where no scope is about resources (none were told, or ``openid`` alone) the server is asked and decides.
    """
    about = [scope.partition("/") for scope in scopes if scope.partition("/")[0] in _LEVELS]
    if not about:
        return True
    for _, _, rest in about:
        type_, _, rights = rest.partition(".")
        rights = rights.partition("?")[0]
        if type_ in ("*", kind) and ("s" if searching else "r") in _READING.get(rights, rights):
            return True
    return False
