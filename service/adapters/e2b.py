"""What E2B(R3) messages are made and checked with: the published table, the site's terms, ICH's schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from service.adapters.meddra import read_terms
from service.yellow_card.e2b.elements import read_guide
from service.yellow_card.e2b.rendering import TABLE, Tools

if TYPE_CHECKING:
    from service.domain.site import Site
    from service.operations.ports import Clock, Content

LOCAL = ZoneInfo("Europe/London")
"""The zone of the house: where a date without an offset was written."""


def open_tools(content: Content, site: Site, clock: Clock) -> Tools | None:
    """The tools of a site; None where the content has no table of elements.

    Their clock tells local time: a message bears the sender's, and a date without an offset is a local one.

    Raises ContentFault where the table, the site's terms or its schemas cannot be read.
    """
    if TABLE not in content.data:
        return None
    schema = None
    if site.xsd is not None:
        from service.adapters.xsd import Schemas  # reading them takes a second

        schema = Schemas(site.xsd).check
    terms = read_terms(site.meddra) if site.meddra is not None else None
    return Tools(read_guide(content.data[TABLE]), lambda: clock().astimezone(LOCAL), terms, schema)
