"""The desk for reports, from the ports, what is published and the site's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.operations.report.desk import Desk
from service.yellow_card.filling import find_fields
from service.yellow_card.routing import find_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from service.domain.site import Site
    from service.fhirpath import Terminology
    from service.operations.outbox import Outbox
    from service.operations.ports import Clock, Content, Records
    from service.yellow_card.e2b.elements import Guide
    from service.yellow_card.rendered import Batches, Renderer


def open_desk(
    records: Records,
    content: Content,
    terms: Terminology,
    *,
    clock: Clock,
    new_id: Callable[[], str],
    site: Site,
    renderers: Mapping[str, Renderer],
    gateway: str | None,
    outbox: Outbox | None,
    batches: Batches | None = None,
    guide: Guide | None = None,
) -> Desk:
    """The desk. ``gateway`` is the kind of rendering that the site's gateway takes, None without a gateway.

    ContentFault where what reports are filled from does not fit what is published.
    """
    return Desk(
        records=records,
        content=content,
        terms=terms,
        clock=clock,
        new_id=new_id,
        fields=find_fields(content.data, content.resolve),
        routes=find_routes(content.data),
        site=site,
        renderers=renderers,
        gateway=gateway,
        outbox=outbox,
        batches=batches,
        guide=guide,
    )
