"""The renderings of a safety report by name, each given what it rests on when it is made."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from service.domain.errors import ContentFault
from service.domain.issues import error
from service.domain.safety_report import (
    ReportedDevice,
    ReportedEvent,
    ReportedMedicine,
    ReportedProcedure,
    Reporter,
    SafetyReport,
    Subject,
)
from service.yellow_card.adverse_event import KIND as ADVERSE_EVENT
from service.yellow_card.adverse_event import adverse_event
from service.yellow_card.csv_export import KIND as CSV
from service.yellow_card.csv_export import csv_export
from service.yellow_card.document import KIND as BUNDLE
from service.yellow_card.document import document
from service.yellow_card.fields import read_form, read_words
from service.yellow_card.heading import Destination
from service.yellow_card.material import Material
from service.yellow_card.routing import find_routes, route
from service.yellow_card.sheet import KIND as SHEET
from service.yellow_card.sheet import sheet
from service.yellow_card.structured import KIND as JSON
from service.yellow_card.structured import structured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from service.domain.site import Site
    from service.yellow_card.fields import Form
    from service.yellow_card.rendered import Rendered, Renderer
    from service.yellow_card.routing import Row

Resource = dict[str, Any]
FORM = "mappings/shared/device-report.json"
_MAKERS: dict[str, Callable[[SafetyReport, Site, Material], Rendered]] = {
    SHEET: sheet,
    JSON: structured,
    BUNDLE: document,
    ADVERSE_EVENT: adverse_event,
    CSV: csv_export,
}
_PARTS: dict[str, type] = {
    "": SafetyReport,
    "events": ReportedEvent,
    "devices": ReportedDevice,
    "medicines": ReportedMedicine,
}
_INNER: dict[str, type] = {"subject": Subject, "reporter": Reporter, "procedure": ReportedProcedure}
KINDS = tuple(_MAKERS)
"""The names of the renderings that every site has."""


def renderers(material: Callable[[], Material]) -> dict[str, Renderer]:
    """Each renderer by its name; the material is asked for at each rendering, so that its time is now."""

    def renderer(maker: Callable[[SafetyReport, Site, Material], Rendered]) -> Renderer:
        return lambda report, site: maker(report, site, material())

    return {kind: renderer(maker) for kind, maker in _MAKERS.items()}


def read_material(
    data: Mapping[str, Resource],
    questionnaires: Sequence[Resource],
    maps: Sequence[Resource],
    clock: Callable[[], datetime],
    base: str,
    guidance: str,
) -> Callable[[], Material] | None:
    """What gives the material of the published content at each moment; None without a table of fields.

    ``data`` are the mapping files that are no resources. ContentFault where table or routes are unfit.
    """
    if FORM not in data:
        return None
    form = _form(data[FORM])
    words = read_words(questionnaires, form)
    rows = find_routes(data)

    def now() -> Material:
        return Material(
            form,
            words,
            tuple(maps),
            lambda report, site: destination(rows, report, site),
            clock(),
            base,
            guidance,
        )

    return now


def _form(data: Resource) -> Form:
    """The table of fields. ContentFault names the row that lacks something, or leads nowhere in a report."""
    try:
        form = read_form(data)
    except (KeyError, TypeError, AttributeError) as fault:
        raise ContentFault(f"{FORM} cannot be read: {type(fault).__name__} at {fault}") from None
    lost = [
        error("invalid", f"{FORM}: '{'.'.join(row.source)}' of the field '{row.id}' is nowhere in a report")
        for section in form.sections
        for row in section.fields
        if not _leads(_PARTS.get(section.each), row.source)
    ]
    if lost:
        raise ContentFault(f"{FORM} has {len(lost)} faults", issues=lost)
    return form


def _leads(type_: type | None, path: tuple[str, ...]) -> bool:
    """Whether a path of fields leads through the shapes of a report."""
    for name in path:
        if type_ is None or name not in {field.name for field in fields(type_)}:
            return False
        type_ = _INNER.get(name)
    return True


def destination(rows: tuple[Row, ...], report: SafetyReport, site: Site) -> Destination | None:
    """Where the report is submitted; where the nation is not told, that it has to be."""
    found = route(rows, report, site)
    if found is None:
        said = "It goes where the reporting organisation's nation has its centre, and no nation is told."
        return Destination("Not known", "", said)
    contact = " or ".join(part for part in (found.contact, found.email) if part)
    also = f" Tell {' and '.join(found.also)} too." if found.also else ""
    return Destination(found.name, contact, f"{found.why}{also}")
