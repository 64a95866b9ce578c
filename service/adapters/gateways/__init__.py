"""How reports leave the house: into a folder, over HTTP, or not at all.

``config`` is the site file's ``[gateway]`` table; ``folder`` and ``http`` are couriers
(``operations/ports.py``); ``inbox`` reads the acknowledgements that a folder gateway brings back.
"""

from service.adapters.gateways.config import Gateway

CHANNEL = "gateway"
"""The channel of messages for the gateway."""

__all__ = ["CHANNEL", "Gateway"]
