"""Which addresses a client's calls may lead to: those of its servers, and below them. Pure.

``fhirServer`` and next links are texts from outside: an address that is not plainly within what is listed
is refused, never mended.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from service.domain.addresses import loopback

if TYPE_CHECKING:
    from service.operations.clients import Client

_PLAIN = re.compile(r"[!-~]+", re.ASCII)
_HIDDEN = re.compile(r"%(?:2e|2f|5c|00|25)|//|\\|#", re.IGNORECASE)
_SAFE = "!$&'()*+,;=:@/?%"
_LONGEST = 8_000
_PORTS = {"https": 443, "http": 80}

Origin = tuple[str, str, int]
"""Scheme, host in small letters, port."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address taken apart: where it is, and the segments of its path."""

    origin: Origin
    path: tuple[str, ...]

    def within(self, other: Place) -> bool:
        """Whether it is the other address or one below it."""
        return self.origin == other.origin and self.path[: len(other.path)] == other.path


@dataclass(frozen=True, slots=True)
class Permission:
    """What one client's calls may lead to. ``own``: servers of this machine, listed or not."""

    servers: tuple[Place, ...] = ()
    private: bool = False
    own: bool = False

    def server(self, url: str) -> Place | None:
        """The place of a server that may be asked; None where it may not be."""
        place = find_place(url.rstrip("/"))
        if place is None or "?" in url:
            return None
        if self.own and loopback(place.origin[1]):
            return place
        return place if any(place.within(server) for server in self.servers) else None


def permission_of(client: Client | None) -> Permission:
    """What the client's entry permits; without a client (development mode) servers of this machine."""
    if client is None:
        return Permission(own=True)
    places = (find_place(server.rstrip("/")) for server in client.servers)
    return Permission(tuple(place for place in places if place is not None), client.private)


def find_place(url: str) -> Place | None:
    """The address taken apart; None unless it is an absolute one that can be read in one way only.

    https, or http on a loopback address; no user information, no fragment, no dot segments, nothing that
    decodes to them, no empty segments.
    """
    if len(url) > _LONGEST or not _PLAIN.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or "@" in parts.netloc or parts.fragment or _HIDDEN.search(parts.path) or "#" in url:
        return None
    if parts.scheme not in _PORTS or (parts.scheme == "http" and not loopback(host)) or port == 0:
        return None
    if not _is_host(host) or parts.netloc.endswith(":"):
        return None
    segments = tuple(parts.path.removeprefix("/").split("/")) if parts.path.strip("/") else ()
    if {".", ".."} & set(segments):
        return None
    return Place((parts.scheme, host, port or _PORTS[parts.scheme]), segments)


def follow(base: str, link: str) -> str | None:
    """The address of a link given by the server at ``base``; None where it does not lead to it or below."""
    if not _PLAIN.fullmatch(link):
        return None
    try:
        url = urljoin(f"{base}/", link)
    except ValueError:
        return None
    place, home = find_place(url), find_place(base)
    if place is None or home is None:
        return None
    if place.path and place.path[-1] == "":  # base/?page=2
        place = Place(place.origin, place.path[:-1])
    return encoded(url) if place.within(home) else None


def encoded(url: str) -> str:
    """The address with its query encoded as RFC 3986 (3.4) demands: servers refuse a bare ``|``."""
    path, mark, search = url.partition("?")
    return f"{path}{mark}{quote(search, safe=_SAFE)}" if mark else url


def _is_host(host: str) -> bool:
    """Whether it is a DNS name or an IP address written in the usual way (not 0x7f.1, not 2130706433)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        plain = all(re.fullmatch(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", label) for label in labels)
        return plain and not re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1])
    return "%" not in host
