"""Connections to checked addresses alone: what a name resolves to is judged, and that very address used.

So a name that is on the list today cannot lead into the hospital's own network tomorrow (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import structlog

from service.adapters.trust import trusted
from service.domain.addresses import loopback

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    Resolve = Callable[[str, int], Awaitable[list[str]]]

_SHARED = ipaddress.ip_network("100.64.0.0/10")
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
_KEPT = 20.0
_IDLE = 40
_log = structlog.get_logger()
_THREADS = ThreadPoolExecutor(4, thread_name_prefix="names")


def reachable(address: str, host: str, *, private: bool) -> bool:
    """Whether a connection for the host may be made to this address.

    A loopback address only where the host itself is one: then it was listed as such. Link-local (where
    clouds keep their secrets), multicast and reserved addresses never; private ones where they are allowed.
    """
    try:
        found: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        found = _inner(found)
    if found.is_loopback:
        return loopback(host)
    if found.is_link_local or found.is_multicast or found.is_unspecified or loopback(host):
        return False
    if found.is_private or found in _SHARED:
        return private
    return found.is_global and not found.is_reserved


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the order that the system gives them."""
    found = await asyncio.get_running_loop().run_in_executor(
        _THREADS, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    )
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class _Checked(httpcore.AsyncNetworkBackend):
    """Opens connections to reachable addresses."""

    def __init__(self, *, private: bool, resolve: Resolve) -> None:
        self._private = private
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection; ConnectError where an address of the host is one that may not be reached."""
        host = host.strip("[]")
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as fault:  # TimeoutError is one; a label may be too long for DNS
            raise httpcore.ConnectError("the name is not known") from fault
        if not addresses or not all(reachable(one, host, private=self._private) for one in addresses):
            _log.error("ehr-address-refused", host=host, private=self._private)
            raise httpcore.ConnectError("the address may not be reached")
        for address in addresses[:-1]:
            try:
                return await self._connect(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._connect(addresses[-1], port, timeout, local_address, socket_options)

    async def _connect(self, *given: Any) -> httpcore.AsyncNetworkStream:
        """A connection to an address; ConnectError whatever kept it from coming about."""
        try:
            return await self._network.connect_tcp(*given)
        except ExceptionGroup as fault:  # of the tasks in which anyio connects; httpcore knows OSErrors only
            raise httpcore.ConnectError("no connection could be made") from fault

    async def sleep(self, seconds: float) -> None:
        """Nothing, after so long."""
        await asyncio.sleep(seconds)


class CheckedTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport over checked connections: HTTP/1.1, no proxies, no retries of its own."""

    def __init__(self, *, private: bool, connections: int = 1_000, resolve: Resolve = resolve) -> None:
        """Connects to nothing yet."""
        context = trusted()
        super().__init__(verify=context, trust_env=False)
        # httpx has no argument for a network backend; its pool is replaced before it is ever used
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=connections,
            max_keepalive_connections=_IDLE,
            keepalive_expiry=_KEPT,
            network_backend=_Checked(private=private, resolve=resolve),
        )
