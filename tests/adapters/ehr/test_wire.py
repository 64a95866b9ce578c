"""What befalls a connection beneath httpx, alone or in groups, is a fault of the EHR and never ours."""

from __future__ import annotations

import asyncio
import ssl
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import httpcore
import httpx
import pytest

from service.adapters.ehr import faults, network
from service.adapters.ehr.exchange import Ask, Exchange
from service.adapters.ehr.faults import EhrFault

if TYPE_CHECKING:
    from collections.abc import Callable

ASK = Ask("GET", "https://ehr.example.org/fhir/Patient/1")


class Raising(httpx.AsyncBaseTransport):
    """A transport that fails in one way."""

    def __init__(self, fault: Callable[[], BaseException]) -> None:
        self.fault = fault

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Nothing."""
        raise self.fault()


def send(transport: httpx.AsyncBaseTransport) -> EhrFault:
    """The fault that one question comes to."""

    async def run() -> EhrFault:
        async with httpx.AsyncClient(transport=transport) as http:
            exchange = Exchange(http, lambda: str(uuid.uuid4()), lambda: datetime.now(UTC))
            with pytest.raises(EhrFault) as raised:
                await exchange.send(ASK, 5)
            return raised.value

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (anyio.ClosedResourceError, faults.BROKEN),
        (anyio.EndOfStream, faults.BROKEN),
        (anyio.BrokenResourceError, faults.BROKEN),
        (ssl.SSLError, faults.BROKEN),
        (
            lambda: ExceptionGroup("several", [httpx.ConnectError("one"), httpx.ConnectError("two")]),
            faults.DOWN,
        ),
        (lambda: ExceptionGroup("g", [ExceptionGroup("h", [httpx.ReadTimeout("one")])]), faults.SLOW),
        (lambda: ExceptionGroup("g", [anyio.ClosedResourceError(), ssl.SSLError("x")]), faults.BROKEN),
    ],
)
def test_a_fault_of_the_wire_is_the_ehrs(fault: Callable[[], BaseException], reason: str) -> None:
    assert send(Raising(fault)).reason == reason


def test_a_mistake_of_ours_within_a_group_stays_one() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        send(Raising(lambda: ExceptionGroup("g", [httpx.ReadError("x"), KeyError("ours")])))
    assert raised.group_contains(KeyError)


def checked(
    resolve: Any, monkeypatch: pytest.MonkeyPatch, *faults: BaseException
) -> httpx.AsyncBaseTransport:
    """A transport whose connections fail, one way after the other."""
    left = list(faults)

    async def connect(*_given: Any) -> Any:
        raise left.pop(0)

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", lambda _self, *given: connect(*given))
    return network.CheckedTransport(private=False, resolve=resolve)


@pytest.mark.parametrize("last", [httpcore.ConnectError("y"), ExceptionGroup("g", [RuntimeError("closed")])])
def test_connections_that_fail_in_tasks_are_connections_that_fail(
    monkeypatch: pytest.MonkeyPatch, last: BaseException
) -> None:
    async def two(_host: str, _port: int) -> list[str]:
        return ["93.184.216.34", "93.184.216.35"]

    first = ExceptionGroup("unhandled errors in a TaskGroup", [RuntimeError("the transport is closed")])
    assert send(checked(two, monkeypatch, first, last)).reason == faults.DOWN


def test_a_name_that_dns_cannot_hold_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_host: str, _port: int) -> list[str]:
        raise UnicodeError("label too long")

    assert send(checked(refuse, monkeypatch)).reason == faults.DOWN
