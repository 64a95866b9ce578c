"""The report as structured JSON in form order, for software or for a person who fills in the live form."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service.domain.evaluation import Code
from service.fhir.json_text import encode
from service.yellow_card.imdrf import NOTE
from service.yellow_card.material import file_name, lay_out
from service.yellow_card.rendered import Rendered

if TYPE_CHECKING:
    from service.domain.safety_report import SafetyReport
    from service.domain.site import Site
    from service.yellow_card.fields import Held, Missing, Part, Words
    from service.yellow_card.imdrf import Suggestion
    from service.yellow_card.material import Laid, Material

KIND = "json"
FORMAT = "safety-report/1"


def structured(report: SafetyReport, site: Site, material: Material) -> Rendered:
    """The report as JSON; what it lacks is named, with what would fill it."""
    body = encode(tree(lay_out(report, site, material), material))
    return Rendered("application/json", file_name(report, ".json"), body, KIND)


def tree(laid: Laid, material: Material) -> dict[str, Any]:
    """The same as a tree of plain values. A field that the report does not hold has the value null."""
    heading, report = laid.heading, laid.report
    made: dict[str, Any] = {
        "format": FORMAT,
        "title": heading.title,
        "status": heading.status,
        "meaning": heading.meaning,
        "instructions": list(heading.instructions),
        "state": report.state.value,
        "branch": report.branch.value,
        "case": report.case,
        "version": report.version,
        "rendered": material.now.isoformat(timespec="seconds"),
        "guidance": material.guidance,
        "fields": {"standing": material.form.standing, "version": material.form.version},
        "sections": [_section(part, laid) for part in laid.parts],
        "missing": {
            "minimum": [_lacking(one) for one in laid.minimum],
            "helpful": [_lacking(one) for one in laid.helpful],
        },
    }
    if heading.destination:
        where = heading.destination
        made["submitTo"] = {"name": where.name, "contact": where.contact, "why": where.why}
    if laid.suggestions:
        made["suggestions"] = {"note": NOTE, "terms": [_suggestion(one) for one in laid.suggestions]}
    return made


def _section(part: Part, laid: Laid) -> dict[str, Any]:
    made: dict[str, Any] = {"id": part.section.id, "title": part.section.title}
    if part.section.each:
        made["number"] = part.number
    made["fields"] = [_field(one, laid) for one in part.held]
    return made


def _field(held: Held, laid: Laid) -> dict[str, Any]:
    made = {
        "id": held.field.id,
        "label": held.field.label,
        "need": held.need,
        "value": _data(held, laid.words),
        "text": laid.said(held),
    }
    if held.field.kind == "age" and held.value is not None:
        made["unit"] = laid.report.subject.age_unit
    return made


def _data(held: Held, words: Words) -> Any:
    if isinstance(held.value, tuple):
        return [_value(one, held.field.words, words) for one in held.value]
    return _value(held.value, held.field.words, words)


def _value(value: Any, listed: str, words: Words) -> Any:
    if isinstance(value, str) and listed:
        value = words.get(listed, {}).get(value, Code("", value))
    if isinstance(value, Code):
        coded = {"system": value.system, "code": value.code, "display": value.display}
        return {key: inner for key, inner in coded.items() if inner}
    return str(value) if not isinstance(value, str | bool | int | Decimal | None) else value


def _lacking(one: Missing) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": one.id,
        "section": one.section,
        "label": one.label,
        "remedy": one.remedy,
    }
    if one.place:
        made["place"] = one.place
    if one.links:
        made["linkIds"] = list(one.links)
    if one.enter:
        made["enter"] = one.enter
    if one.alternatives:
        made["oneOf"] = list(one.alternatives)
    return made


def _suggestion(one: Suggestion) -> dict[str, Any]:
    return {
        "event": one.event,
        "because": one.because,
        "terminology": "IMDRF adverse event terminology",
        "annex": one.annex,
        "release": one.release,
        "system": one.system,
        "code": one.code,
        "term": one.term,
        "closeness": one.closeness,
        "condition": one.condition,
    }
