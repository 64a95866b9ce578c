"""The routes of ``/reports``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.web.fhir import route
from service.web.reports import changing, reading

if TYPE_CHECKING:
    from starlette.routing import Route

STEPS = {
    "ready": changing.ready,
    "export": changing.prepare,
    "submit": changing.send,
    "reference": changing.refer,
    "acknowledgement": changing.acknowledge,
    "follow-up": changing.follow,
    "entries": changing.enter,
    "reporter": changing.name_reporter,
    "cleared": changing.clear,
    "branch": changing.branch,
    **dict.fromkeys(changing.REASONED, changing.reasoned),
}
"""What can be done with a report, by the last part of the address."""


def routes() -> list[Route]:
    """The list, one report, its renderings, and every step that it can take."""
    return [
        route("/reports", {"GET": reading.listing, "POST": changing.make}),
        route("/reports/acknowledgements", {"GET": reading.acknowledgements, "POST": changing.acknowledge}),
        route("/reports/acknowledgements/{digest}", {"GET": reading.acknowledgement}),
        route("/reports/acknowledgements/{digest}/look-over", {"POST": changing.look_over_stray}),
        route("/reports/batch", {"POST": changing.prepare_batch}),
        route("/reports/{case}", {"GET": reading.one}),
        route("/reports/{case}/renderings/{rendering}", {"GET": reading.rendering}),
        *(route(f"/reports/{{case}}/{step}", {"POST": handler}) for step, handler in STEPS.items()),
    ]
