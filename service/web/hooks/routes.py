"""The routes of CDS Hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.web.fhir import route
from service.web.hooks.calling import call
from service.web.hooks.discovery import discover
from service.web.hooks.feedback import take

if TYPE_CHECKING:
    from starlette.routing import Route


def routes() -> list[Route]:
    """Discovery, a call of a service, and feedback on its cards."""
    return [
        route("/cds-services", {"GET": discover}),
        route("/cds-services/{id}", {"POST": call}),
        route("/cds-services/{id}/feedback", {"POST": take}),
    ]
