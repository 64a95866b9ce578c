"""The report as a sheet that a person reads, prints on A4 and fills the live form from.

One HTML file with its style inside, no script and nothing fetched from elsewhere. Every text is escaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from service.yellow_card.fields import MINIMUM
from service.yellow_card.imdrf import ANNEXES, NOTE
from service.yellow_card.material import file_name, lay_out
from service.yellow_card.rendered import Rendered
from service.yellow_card.wording import say_date

if TYPE_CHECKING:
    from service.domain.safety_report import SafetyReport
    from service.domain.site import Site
    from service.yellow_card.fields import Held, Part
    from service.yellow_card.material import Laid, Material

KIND = "sheet"
_templates = Environment(
    loader=PackageLoader("service.yellow_card"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_templates.filters["sentence"] = lambda text: f"{text[:1].upper()}{text[1:]}."


def sheet(report: SafetyReport, site: Site, material: Material) -> Rendered:
    """The report as an HTML file."""
    text = _templates.get_template("sheet.html").render(**shown(lay_out(report, site, material), material))
    return Rendered("text/html; charset=utf-8", file_name(report, ".html"), text.encode(), KIND)


def body(laid: Laid, material: Material) -> str:
    """The sheet's inside, to be set into another page."""
    return _templates.get_template("sheet_body.html").render(**shown(laid, material))


def style() -> str:
    """The sheet's style."""
    return _templates.get_template("sheet.css").render()


def shown(laid: Laid, material: Material) -> dict[str, Any]:
    """What the templates work with."""
    sections: dict[str, dict[str, Any]] = {}
    counts: dict[str, int] = {}
    for part in laid.parts:
        counts[part.section.id] = counts.get(part.section.id, 0) + 1
    for part in laid.parts:
        made = sections.setdefault(
            part.section.id, {"id": part.section.id, "title": part.section.title, "tables": []}
        )
        caption = f"{part.section.title} ({part.number})" if counts[part.section.id] > 1 else ""
        rows = _rows(part, laid)
        if rows:
            made["tables"].append({"caption": caption, "rows": rows})
    return {
        "heading": laid.heading,
        "report": laid.report,
        "minimum": laid.minimum,
        "helpful": laid.helpful,
        "sections": [one for one in sections.values() if one["tables"]],
        "suggestions": laid.suggestions,
        "suggestions_note": NOTE,
        "annexes": ANNEXES,
        "made": say_date(material.now.isoformat(timespec="seconds")),
        "standing": material.form.standing,
    }


def _rows(part: Part, laid: Laid) -> list[dict[str, str | None]]:
    """A row for each field that is filled, or that a person may want to fill."""
    return [
        {"label": one.field.label, "text": laid.said(one), "absent": _absent(one)}
        for one in part.held
        if one.value is not None or (one.need != "stated" and not one.field.quiet)
    ]


def _absent(held: Held) -> str:
    return "Not given (needed)" if held.need == MINIMUM and not held.field.one_of else "Not given"
