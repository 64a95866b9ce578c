"""Reports about medicines as E2B(R3) messages that are fit to send: made, checked, written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.domain.errors import Unprocessable, Unsupported
from service.domain.issues import Issue
from service.yellow_card.e2b.from_report import Making, make_batch, unsent, worldwide_id
from service.yellow_card.e2b.rules import check
from service.yellow_card.e2b.writer import write
from service.yellow_card.rendered import Batches, Rendered, Renderer

if TYPE_CHECKING:
    from datetime import datetime

    from service.domain.safety_report import SafetyReport
    from service.domain.site import Site
    from service.yellow_card.e2b.elements import Guide
    from service.yellow_card.e2b.terms import Terms

KIND = "e2b"
MEDIA_TYPE = "application/xml"
TABLE = "mappings/shared/e2b-r3.json"
Schema = Callable[[bytes], tuple[Issue, ...]]
"""Gives what is wrong with a message by ICH's schemas."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What messages are made with. ``terms`` and ``schema`` are the organisation's, where it has them."""

    guide: Guide
    clock: Callable[[], datetime]
    terms: Terms | None = None
    schema: Schema | None = None


def renderer(tools: Tools) -> Renderer:
    """Gives one report as a batch of one. Raises as ``render`` does."""
    return lambda report, site: render([report], site, tools)


def batches(tools: Tools) -> Batches:
    """Gives several reports as one batch, whose number no message of one report has. Raises as ``render``."""

    def make(reports: Sequence[SafetyReport], site: Site) -> Rendered:
        if not reports:
            raise Unprocessable("a batch needs a report")
        first = reports[0]
        moment = tools.clock().strftime("%Y%m%d%H%M%S")
        number = f"{worldwide_id(first, site, tools.guide)}.{first.version}-{len(reports)}.{moment}"
        return render(reports, site, tools, number)

    return make


def render(reports: Sequence[SafetyReport], site: Site, tools: Tools, number: str | None = None) -> Rendered:
    """The reports as one message. ``number`` is the batch's (N.1.2); without it, it is made of the first
    report's id and version and of the moment.

    Raises Unsupported where none is about a medicine; Unprocessable where a report cannot be sent, or the
    rules or the schemas find an error, with every reason.
    """
    if not reports:
        raise Unprocessable("a batch needs a report")
    reasons = [unsent(report) for report in reports]
    if all(reasons):
        raise Unsupported(reasons[0])
    created = tools.clock()
    first = reports[0]
    if number is None:
        moment = created.strftime("%Y%m%d%H%M%S")
        number = f"{worldwide_id(first, site, tools.guide)}.{first.version}.{moment}"
    batch = make_batch(reports, Making(site, tools.terms, tools.guide, created), number)
    faults = [issue for issue in check(batch, tools.guide, created) if issue.fails]
    if faults:
        raise Unprocessable(f"the report is not fit for E2B(R3): {faults[0].message}", issues=faults)
    body = write(batch, tools.guide)
    faults = [issue for issue in tools.schema(body) if issue.fails] if tools.schema is not None else []
    if faults:
        raise Unprocessable(f"the message breaks ICH's schema: {faults[0].message}", issues=faults)
    numbers = tuple(worldwide_id(report, site, tools.guide) for report in reports)
    return Rendered(MEDIA_TYPE, file_name(number), body, KIND, numbers)


def file_name(number: str) -> str:
    """The name of the file of a batch with this number (N.1.2)."""
    safe = (sign if sign.isascii() and (sign.isalnum() or sign in "-._") else "-" for sign in number)
    return f"{''.join(safe)}.xml"
