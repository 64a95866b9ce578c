"""What leaves the house put together: the channels, their worker, and what comes back through an inbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from service.adapters.deliveries import Deliveries
from service.adapters.gateways import CHANNEL, open_line
from service.operations.deliver import Line, abandon
from service.operations.report.submitting import settled

if TYPE_CHECKING:
    from service.adapters.ehr.couriers import Couriers
    from service.operations.deliver import Attempt, Chance
    from service.operations.outbox import Posted
    from service.settings import Settings
    from service.web.services import Services

Work = Callable[[Event], object]
"""Something that runs until the event is set."""


def open_works(
    settings: Settings, held: Services, chance: Chance, seen: Callable[[Attempt], None]
) -> list[Work]:
    """What runs beside the requests; ``seen`` is told of every attempt at a delivery."""
    couriers = open_couriers(held, chance)
    lines = open_lines(settings, held, couriers)
    if not lines:
        return []
    deliveries = Deliveries(held.outbox, lines, held.clock, chance, seen=seen)

    def work(stop: Event) -> None:
        try:
            deliveries.run(stop)
        finally:
            if couriers:
                couriers.close()

    return [work]


def deliver(settings: Settings, held: Services, chance: Chance, stop: Event, *, until_empty: bool) -> int:
    """How many attempts at deliveries were made, once stopped (or nothing is due)."""
    couriers = open_couriers(held, chance)
    lines = open_lines(settings, held, couriers)
    try:
        return Deliveries(held.outbox, lines, held.clock, chance).run(stop, until_empty=until_empty)
    finally:
        if couriers:
            couriers.close()


def drop(settings: Settings, held: Services, id_: str, reason: str) -> Posted:
    """A message taken out of the line by a person, and its report given back to be submitted otherwise."""
    lines = open_lines(settings, held)
    return abandon(held.outbox, lines, id_, held.clock(), reason)


def open_couriers(held: Services, chance: Chance) -> Couriers | None:
    """What delivers to the EHRs that results are sent to; None where there is none."""
    if held.write_back is None:
        return None
    from service.adapters.ehr.couriers import Couriers  # its HTTP client is slow to import
    from service.adapters.ehr.retries import Retries

    return Couriers(
        held.clients,
        held.records,
        clock=held.clock,
        monotonic=lambda: held.clock().timestamp(),
        new_id=held.new_id,
        retries=Retries(chance=chance),
    )


def open_lines(settings: Settings, held: Services, couriers: Couriers | None = None) -> dict[str, Line]:
    """The channels that messages go out by. To each EHR one at a time: what was amended last arrives last."""
    lines = {name: Line(one, width=1) for name, one in couriers.by_channel.items()} if couriers else {}
    if settings.site:
        from service.adapters.site import read_site

        line = open_line(read_site(Path(settings.site))[1], held.clock, settled(held.reports))
        lines |= {CHANNEL: line} if line else {}
    return lines
