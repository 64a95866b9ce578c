"""Web addresses: judged before anything is sent there (https, or http on this machine), and compared."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_AUTHORITY = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<who>[^/?#@]*@)?(?P<host>\[[^\]/?#@]*\]|[^/?#@:\[\]]*)"
    r"(?::(?P<port>[0-9]*))?(?=[/?#]|\Z)"
)
_PORTS = {"http": "80", "https": "443"}


def normal(url: str) -> str:
    """The address as others write it that lead to the same place: small scheme and host, no port that the
    scheme has anyway (RFC 3986, 6.2.2.1 and 6.2.3). Any other text as it is.

    http and https are two addresses, and so are paths that differ in case or in a slash at their end.
    """
    found = _AUTHORITY.match(url)
    if found is None or not found[0].isascii():
        return url
    scheme, port = found["scheme"].lower(), found["port"]
    shown = "" if not port or port == _PORTS.get(scheme) else f":{port}"
    return f"{scheme}://{found['who'] or ''}{found['host'].lower()}{shown}{url[found.end() :]}"


def base_of(server: str) -> str:
    """A server's address, as others write it that name the same server, without a slash at its end."""
    return normal(server).rstrip("/")


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
