"""One worker of the week as a process: real reports, a real gateway, a clock that runs fast."""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

from service.adapters.deliveries import Deliveries
from service.adapters.gateways import CHANNEL
from service.adapters.gateways.config import Gateway
from service.adapters.gateways.http import Http
from service.adapters.records import Outbox, connect
from service.operations.deliver import Line, Patience
from service.operations.report.submitting import settled
from tests.operations.report.conftest import House

if TYPE_CHECKING:
    from collections.abc import Callable

MONDAY = datetime(2026, 7, 13, tzinfo=UTC)
PATIENCE = Patience(timedelta(minutes=5), timedelta(hours=2), tries=1000, age=timedelta(days=3))
LEASE = timedelta(hours=12)


def fast(start: float, speed: float) -> Callable[[], datetime]:
    """A clock that was at Monday when the machine's own stood at ``start``; the same in every process."""
    return lambda: MONDAY + timedelta(seconds=(time.monotonic() - start) * speed)


def main(plan: dict[str, Any]) -> None:
    """Works until it is told to stop, or killed."""
    clock = fast(plan["start"], plan["speed"])
    store = connect(plan["store"])
    desk = replace(House(store).desk, clock=clock)
    courier = Http(Gateway(kind="http", url=plan["url"], timeout=5), clock)
    lines = {CHANNEL: Line(courier, settled(desk), PATIENCE, width=2)}
    stop = Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    Deliveries(Outbox(store), lines, clock, random.random, lease=LEASE).run(stop)
    courier.close()
    store.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
