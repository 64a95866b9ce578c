"""What leaves the house put together: the channels, their worker, and what comes back through an inbox."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from service.adapters.deliveries import Deliveries, persist
from service.adapters.gateways import CHANNEL, open_line
from service.operations.deliver import Line, abandon
from service.operations.report.answering import accepting, reading
from service.operations.report.submitting import settled
from service.yellow_card.e2b.xml_reading import XmlLimits

if TYPE_CHECKING:
    from service.adapters.ehr.couriers import Couriers
    from service.adapters.gateways import Gateway
    from service.adapters.gateways.inbox import Inbox
    from service.operations.deliver import Attempt, Chance
    from service.operations.outbox import Posted
    from service.settings import Settings
    from service.web.services import Services

Work = Callable[[Event], object]
"""Something that runs until the event is set."""
Seconds = Callable[[], float]
"""Gives the seconds of a monotonic clock."""


def open_works(
    settings: Settings, held: Services, chance: Chance, monotonic: Seconds, seen: Callable[[Attempt], None]
) -> list[Work]:
    """What runs beside the requests; ``seen`` is told of every attempt at a delivery."""
    couriers = open_couriers(held, chance, monotonic)
    gateway = read_gateway(settings)
    lines = open_lines(held, gateway, couriers)
    if not lines:
        return []
    inboxes = open_inboxes(held, gateway)
    deliveries = Deliveries(held.outbox, lines, held.clock, chance, seen=seen)

    def work(stop: Event) -> None:
        try:
            persist(deliveries.run, stop)
        finally:
            if couriers:
                couriers.close()

    return [work, *(partial(persist, inbox.run) for inbox in inboxes)]


def deliver(
    settings: Settings,
    held: Services,
    chance: Chance,
    monotonic: Seconds,
    stop: Event,
    *,
    until_empty: bool,
) -> int:
    """How many attempts at deliveries were made, once stopped (or nothing is due). Acknowledgements are read
    beside it, or once at the end."""
    couriers = open_couriers(held, chance, monotonic)
    gateway = read_gateway(settings)
    lines = open_lines(held, gateway, couriers)
    inboxes = open_inboxes(held, gateway)
    ended = Event()
    readers = [] if until_empty else [Thread(target=inbox.run, args=(ended,)) for inbox in inboxes]
    for reader in readers:
        reader.start()
    try:
        made = Deliveries(held.outbox, lines, held.clock, chance).run(stop, until_empty=until_empty)
        for inbox in inboxes if until_empty else ():
            inbox.poll()
        return made
    finally:
        ended.set()
        for reader in readers:
            reader.join()
        if couriers:
            couriers.close()


def drop(settings: Settings, held: Services, id_: str, reason: str) -> Posted:
    """A message taken out of the line by a person, and its report given back to be submitted otherwise."""
    lines = open_lines(held, read_gateway(settings))
    return abandon(held.outbox, lines, id_, held.clock(), reason)


def open_couriers(held: Services, chance: Chance, monotonic: Seconds) -> Couriers | None:
    """What delivers to the EHRs that results are sent to; None where there is none.

    ``monotonic`` never runs backwards: by the wall clock, set back an hour, an EHR that failed would be left
    alone for that hour.
    """
    if held.write_back is None:
        return None
    from service.adapters.ehr.couriers import Couriers  # its HTTP client is slow to import
    from service.adapters.ehr.retries import Retries

    return Couriers(
        held.clients,
        held.records,
        clock=held.clock,
        monotonic=monotonic,
        new_id=held.new_id,
        retries=Retries(chance=chance),
    )


def read_gateway(settings: Settings) -> Gateway | None:
    """How reports leave the house, as the site file says; None without such a file."""
    if not settings.site:
        return None
    from service.adapters.site import read_site

    return read_site(Path(settings.site))[1]


def open_lines(held: Services, gateway: Gateway | None, couriers: Couriers | None = None) -> dict[str, Line]:
    """The channels that messages go out by. To each EHR one at a time: what was amended last arrives last."""
    lines = {name: Line(one, width=1) for name, one in couriers.by_channel.items()} if couriers else {}
    if gateway is not None:
        guide = held.reports.guide
        follow = settled(held.reports, reading(held.reports, guide) if guide is not None else None)
        line = open_line(gateway, held.clock, follow)
        lines |= {CHANNEL: line} if line else {}
    return lines


def open_inboxes(held: Services, gateway: Gateway | None) -> list[Inbox]:
    """What reads the acknowledgements that a folder gateway brings back; nothing without an inbox."""
    guide = held.reports.guide
    if gateway is None or gateway.inbox is None or guide is None:
        return []
    from service.adapters.gateways.inbox import Inbox

    accept = accepting(held.reports, guide)
    return [Inbox(gateway.inbox, accept, held.clock, largest=XmlLimits().size)]
