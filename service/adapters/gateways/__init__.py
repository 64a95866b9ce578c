"""How reports leave the house: into a folder, over HTTP, or not at all.

``config`` is the site file's ``[gateway]`` table; ``folder`` and ``http`` are couriers
(``operations/ports.py``); ``inbox`` reads the acknowledgements that a folder gateway brings back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.adapters.gateways.config import Gateway
from service.operations.deliver import Line

if TYPE_CHECKING:
    from service.operations.deliver import Settled
    from service.operations.ports import Clock, Courier

CHANNEL = "gateway"
"""The channel of messages for the gateway."""

__all__ = ["CHANNEL", "Gateway", "open_line"]


def open_line(gateway: Gateway, clock: Clock, settled: Settled) -> Line | None:
    """The line of the gateway; None where a person submits. Unavailable where its files cannot be used."""
    courier: Courier
    if gateway.kind == "folder" and gateway.folder is not None:
        from service.adapters.gateways.folder import Folder

        courier = Folder(gateway.folder)
    elif gateway.kind == "http":
        from service.adapters.gateways.http import Http  # its libraries are slow to import

        courier = Http(gateway, clock)
    else:
        return None
    return Line(courier, settled, gateway.patience, gateway.width)
