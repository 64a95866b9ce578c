"""The report as a FHIR R4 document: a Bundle that begins with a Composition and holds all that it names.

Source: R4 ``documents.html``. It is for a person's file or another system to read; it is no message to the
MHRA, for which no machine route for a clinician's device report is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from service.domain.errors import Unprocessable
from service.domain.safety_report import Branch, State
from service.fhir.json_text import encode
from service.yellow_card.imdrf import NOTE
from service.yellow_card.material import file_name, lay_out
from service.yellow_card.rendered import Rendered
from service.yellow_card.resources import Made, Maker
from service.yellow_card.wording import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from service.domain.safety_report import SafetyReport
    from service.domain.site import Site
    from service.yellow_card.fields import Part
    from service.yellow_card.imdrf import Suggestion
    from service.yellow_card.material import Laid, Material

Resource = dict[str, Any]
KIND = "bundle"
_XHTML = "http://www.w3.org/1999/xhtml"
_HOLDS = {"event": ("AdverseEvent", "Observation"), "device": ("Device",), "procedure": ("Procedure",),
          "medicine": ("MedicationStatement",), "patient": ("Patient", "Observation"),
          "reporter": ("PractitionerRole",)}  # fmt: skip


def document(report: SafetyReport, site: Site, material: Material) -> Rendered:
    """The report as a document Bundle. Unprocessable where the report is not for the Yellow Card scheme."""
    return Rendered(
        "application/fhir+json", file_name(report, ".fhir.json"), encode(bundle(report, site, material)), KIND
    )


def bundle(report: SafetyReport, site: Site, material: Material) -> Resource:
    """The Bundle as a resource."""
    if report.branch in (Branch.LOCAL, Branch.UNKNOWN):
        raise Unprocessable(
            f"this event has no Yellow Card report to make a document of: {report.decided_by} "
            "Override the branch with a reason if it is to be reported"
        )
    laid = lay_out(report, site, material)
    maker = Maker(report, material.words, material.base)
    held = contents(maker)
    instant = material.now.isoformat(timespec="seconds")
    composition = _composition(laid, maker, held, instant)
    entries = [composition, *(one for ones in held.values() for one in ones)]
    version = f"{report.case}/v{report.version}"
    return {
        "resourceType": "Bundle",
        "identifier": {"system": f"{material.base}/NamingSystem/safety-report-document", "value": version},
        "type": "document",
        "timestamp": instant,
        "entry": [{"fullUrl": one.urn, "resource": one.resource} for one in entries],
    }


def contents(maker: Maker) -> dict[str, list[Made]]:
    """The resources of a report by the section that they belong to, and ``others`` that those refer to."""
    report = maker.report
    patient = maker.patient()
    reporter = maker.reporter()
    procedure = maker.procedure(patient)
    device = report.branch is Branch.DEVICE
    devices = [(one, maker.device(n, one)) for n, one in enumerate(report.devices, 1)]
    medicines = [(one, maker.medicine(n, one, patient)) for n, one in enumerate(report.medicines, 1)]
    suspects = [made for _, made in devices] if device else []
    suspects += [made[0] for one, made in medicines if not device and one.role in ("suspect", "interacting")]
    held: dict[str, list[Made]] = {"event": [], "device": [], "medicine": [], "others": []}
    if device:
        held["device"] = suspects
    else:
        held["medicine"] = [made[0] for _, made in medicines]
        held["others"] = [other for _, made in medicines for other in made[1:]]
    for number, one in enumerate(report.events, 1):
        event = maker.event(number, one, patient, suspects, reporter[0] if reporter else None)
        more = maker.observation(number, one, patient, event)
        held["event"] += [event, more] if more else [event]
    held["procedure"] = [procedure] if procedure else []
    held["patient"] = [patient, *maker.measures(patient)]
    held["reporter"] = reporter[:1]
    held["others"] += reporter[1:]
    return held


def _composition(laid: Laid, maker: Maker, held: dict[str, list[Made]], instant: str) -> Made:
    report, heading = laid.report, laid.heading
    reporter = held["reporter"]
    author = reporter[0].reference() if reporter else {"display": "Reporter not yet named"}
    if report.amendment == "nullification" or report.state is State.CANCELLED:
        status = "entered-in-error"
    elif report.state is State.DRAFT:
        status = "preliminary"
    else:
        status = "amended" if report.amendment else "final"
    sections = [_status(laid), *_sections(laid, held), *_endings(laid)]
    return maker.made(
        "composition",
        {
            "resourceType": "Composition",
            "text": _narrative([f"<h1>{_x(heading.title)}</h1>", _p(heading.status), _p(heading.meaning)]),
            "identifier": maker.case(),
            "status": status,
            "type": {"text": heading.title},
            "subject": held["patient"][0].reference(),
            "date": instant,
            "author": [author],
            "title": f"{heading.title}. {heading.status}",
            "section": sections,
        },
    )


def _status(laid: Laid) -> Resource:
    heading = laid.heading
    lines = [_p(heading.status), _p(heading.meaning)]
    if heading.instructions:
        lines.append(f"<ul>{''.join(f'<li>{_x(one)}</li>' for one in heading.instructions)}</ul>")
    if heading.destination:
        where = heading.destination
        lines.append(_p(f"Submit it to: {where.name}. {where.contact}. {where.why}"))
    return {"title": "How far this report has come", "text": _narrative(lines)}


def _sections(laid: Laid, held: dict[str, list[Made]]) -> Iterable[Resource]:
    """A section for each of the form's, with its fields as a table and the resources that hold them."""
    grouped: dict[str, list[Part]] = {}
    for part in laid.parts:
        grouped.setdefault(part.section.id, []).append(part)
    for id_, parts in grouped.items():
        rows = [row for part in parts for row in _rows(part, laid)]
        entry = [one.reference() for one in held.get(id_, ())]
        if not rows and not entry:
            continue
        table = f"<table><tbody>{''.join(rows)}</tbody></table>" if rows else _p("Nothing is told of it.")
        yield {"title": parts[0].section.title, "text": _narrative([table]), "entry": entry}


def _rows(part: Part, laid: Laid) -> Iterable[str]:
    for one in part.held:
        said = laid.said(one)
        if said is not None:
            yield f"<tr><th>{_x(one.field.label)}</th><td>{_x(said)}</td></tr>"


def _endings(laid: Laid) -> Iterable[Resource]:
    if laid.missing:
        lines = [f"<li>{_x(one.label)} ({one.need})</li>" for one in laid.missing]
        yield {"title": "Not told", "text": _narrative([f"<ul>{''.join(lines)}</ul>"])}
    if laid.suggestions:
        terms = [f"<li>{_x(_term(one))}</li>" for one in laid.suggestions]
        text = _narrative([_p(NOTE), f"<ul>{''.join(terms)}</ul>"])
        yield {"title": "IMDRF terms that may fit: suggestions", "text": text}


def _term(one: Suggestion) -> str:
    name = f"Annex {one.annex}, {one.code} {one.term}"
    return f"{name} (release {one.release}; {one.closeness} to {one.because}). {one.condition}"


def _narrative(lines: Sequence[str]) -> Resource:
    return {"status": "generated", "div": f'<div xmlns="{_XHTML}">{"".join(lines)}</div>'}


def _p(text: str) -> str:
    return f"<p>{_x(text)}</p>"


def _x(text: str) -> str:
    return escape(clean(text))
