"""What leaves the house put together: the channels, their worker, and what comes back through an inbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from service.adapters.deliveries import Deliveries
from service.adapters.gateways import CHANNEL, open_line
from service.operations.deliver import nothing_follows

if TYPE_CHECKING:
    from service.operations.deliver import Attempt, Chance, Line
    from service.settings import Settings
    from service.web.services import Services

Work = Callable[[Event], object]
"""Something that runs until the event is set."""


def open_works(
    settings: Settings, held: Services, chance: Chance, seen: Callable[[Attempt], None]
) -> list[Work]:
    """What runs beside the requests; ``seen`` is told of every attempt at a delivery."""
    lines = open_lines(settings, held)
    return [Deliveries(held.outbox, lines, held.clock, chance, seen=seen).run] if lines else []


def deliver(settings: Settings, held: Services, chance: Chance, stop: Event, *, until_empty: bool) -> int:
    """How many attempts at deliveries were made, once stopped (or nothing is due)."""
    lines = open_lines(settings, held)
    return Deliveries(held.outbox, lines, held.clock, chance).run(stop, until_empty=until_empty)


def open_lines(settings: Settings, held: Services) -> dict[str, Line]:
    """The channels that messages go out by."""
    lines: dict[str, Line] = {}
    if settings.site:
        from service.adapters.site import read_site

        line = open_line(read_site(Path(settings.site))[1], held.clock, nothing_follows)
        lines |= {CHANNEL: line} if line else {}
    return lines
