"""Web addresses judged before anything is sent to them: https, or http within this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def loopback(host: str) -> bool:
    """Whether only this machine can reach the host's address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def fault_of(url: str) -> str | None:
    """Why the text is no address that secrets may be sent to; None where it is one.

    An absolute https address (http only on loopback) without user information, query or fragment, in
    printable ASCII, without a dot segment or a backslash.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return "holds characters that an address cannot hold"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not an address"
    if not host or parts.scheme not in ("https", "http"):
        return "is not an https address"
    if parts.scheme == "http" and not loopback(host):
        return "is not https: what goes there could be read on the way"
    if "@" in parts.netloc:
        return "carries a name or password; take it out"
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        return "carries a query or fragment; take it out"
    if {".", ".."} & set(parts.path.lower().replace("%2e", ".").split("/")):
        return "holds dot segments; write the path out"
    return None
