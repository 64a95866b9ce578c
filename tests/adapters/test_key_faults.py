"""Where a client's keys cannot be fetched, whatever the reason, nobody gets in and nothing breaks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from tests.adapters.test_cds_clients import RSA, Keyserver

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    "fault",
    [
        anyio.ClosedResourceError,
        anyio.EndOfStream,
        lambda: ExceptionGroup("several addresses", [httpx.ConnectError("one"), RuntimeError("closed")]),
    ],
)
def test_what_befalls_a_connection_beneath_httpx_lets_nobody_in(fault: Callable[[], Exception]) -> None:
    async def run() -> None:
        keys = Keyserver(RSA)

        def fail(_request: httpx.Request) -> httpx.Response:
            raise fault()

        keys.answer = fail
        assert not await keys.takes()
        keys.answer = None
        keys.now += 6
        assert await keys.takes()

    asyncio.run(run())
