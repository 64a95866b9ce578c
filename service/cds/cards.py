"""An order's assessment as a CDS Hooks card: what the criteria came to, from what, and what is proposed.

CDS Hooks 2.0.1, Card Attributes. The outcome is the plan's own wording; nothing here decides or rewords it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from service.cds.faces import ICON
from service.cds.links import links
from service.cds.suggestions import form_in_progress, offered, proposed
from service.cds.tables import escape, link, plain, published, shorten, table, units
from service.cds.wording import INDICATORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from service.cds.faces import Face, Faces
    from service.cds.model import Assessed, Order, Showing, Unread
    from service.cds.wording import Wording
    from service.domain.evaluation import Evaluation
    from service.domain.issues import Issue
    from service.fhir.plans import Applied, Plan

Resource = dict[str, Any]
LONGEST_SUMMARY = 139
_LEAST_NAME = 8
_DAY = len("2026-07-02")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[:.\d]*(Z|[+-]\d\d:\d\d)")


def order_card(
    order: Order, assessed: Assessed, applied: Applied, showing: Showing, faces: Faces
) -> Resource:
    """The card of one order whose code the plan is about. ``applied``: the plan applied to the same form."""
    face = faces.of(assessed.plan.resource)
    evaluation = assessed.evaluation
    suggestions = proposed(applied, assessed, showing)
    if not showing.form_app:
        started = form_in_progress(assessed, face.form, showing)
        suggestions += [started] if started else []
    source = assessed.source if assessed.recorded else None
    return card(
        summary(evaluation.outcome.title, order),
        order_detail(order, assessed, applied, showing.base, faces.wording(assessed.plan)),
        INDICATORS.get(evaluation.outcome.priority, "info"),
        face,
        showing,
        offered(suggestions, face.behaviour),
        links(face, evaluation.form, source, showing),
    )


def uncoded_card(order: Order, plan: Plan, showing: Showing, faces: Faces) -> Resource:
    """The card of an order that is not assessed: it only names the procedure, or has a ``reason``."""
    face = faces.of(plan.resource)
    said = order.reason and f"**Its criteria were not assessed.** {escape(order.reason)}"
    said = said or (
        "The text of this order names a procedure of the guidance, but the order has no code of it. "
        "**Its criteria were not assessed.** Once the order has the procedure's code, they are."
    )
    why = "order not assessed" if order.reason else "order without the procedure's code, not assessed"
    title = f"{face.source['label']}: {why}"
    found = [face.guidance] if face.guidance else []
    detail = f"{_order_line(order)}\n\n{said}"
    return card(summary(title, order), detail, "info", face, showing, {}, found)


def card(
    summary_: str,
    detail: str,
    indicator: str,
    face: Face,
    showing: Showing,
    suggestions: Resource,
    links_: Sequence[Resource],
) -> Resource:
    """A card of a plan, without elements that would be empty."""
    made: Resource = {
        "uuid": showing.new_id(),
        "summary": summary_,
        "detail": detail,
        "indicator": indicator,
        "source": _source(face, showing.base),
        **suggestions,
        "overrideReasons": list(face.overrides),
        "links": list(links_),
    }
    return {name: value for name, value in made.items() if value}


def _source(face: Face, base: str) -> Resource:
    """The card's source; its icon is the plan's own, else this service's where browsers may show it."""
    if "icon" in face.source or not base.startswith("https://"):
        return face.source
    return face.source | {"icon": f"{base}{ICON}"}


def summary(said: str, order: Order) -> str:
    """What is said and of which order, under 140 UTF-16 units: the name gives way, not the outcome."""
    said = plain(said, LONGEST_SUMMARY)
    room = LONGEST_SUMMARY - units(said) - units(" (order: )")
    name = plain(order.title) or plain(order.reference)
    if units(name) > room and room < _LEAST_NAME:
        return said
    return f"{said} (order: {shorten(name, room)})"


def order_detail(order: Order, assessed: Assessed, applied: Applied, base: str, wording: Wording) -> str:
    """The card's detail: criteria, where the answers came from, what could not be read, notes.

    ``base`` is the public address of this service.
    """
    evaluation = assessed.evaluation
    parts = [
        _order_line(order),
        f"**{published(evaluation.outcome.title)}.** {published(evaluation.outcome.text)}",
        table(("Criterion", "Finding", "Paragraph"), map(wording.row, evaluation.findings)),
        *answers(assessed, base),
        *unread_lines(assessed.unread),
        *_notes(evaluation, wording),
        *_failures(applied.issues),
        *_proposal_line(evaluation),
    ]
    return "\n\n".join(parts)


def answers(assessed: Assessed, base: str) -> list[str]:
    """Where the answers came from and when: one line, and a table of those that were filled in."""
    form = assessed.form
    date = when(form.get("authored"))
    if assessed.recorded:
        lead = f"From a completed form of {date}{_from(assessed.source, base)}."
    elif assessed.facts:
        lead = (
            f"From the record as it was read on {date}; nobody has confirmed these answers yet. Each is as "
            "old as its date, whatever its question says of now."
        )
    else:
        lead = f"The record, as it was read on {date}, answers none of the form's questions."
    said = [f"**Where the answers came from.** {lead}"]
    if assessed.facts:
        rows = [
            (published(fact.question), escape(fact.answer), source_of(fact.source, base), when(fact.date))
            for fact in assessed.facts
        ]
        said.append(table(("Question", "Answer", "Source", "Date"), rows))
    return said


def unread_lines(unread: Iterable[Unread]) -> list[str]:
    """What could not be read of the record, so that an answer may be missing for that reason alone."""
    rows = [f"- {escape(one.title or one.key)}: {escape(one.reason)}" for one in unread]
    if not rows:
        return []
    lead = "**Could not be read.** What these parts of the record hold is not known here:"
    return [lead + "\n\n" + "\n".join(rows)]


def _order_line(order: Order) -> str:
    named = escape(order.title)
    reference = escape(order.reference)
    return f"**Order:** {named} ({reference})" if named else f"**Order:** {reference}"


def source_of(source: str | None, base: str) -> str:
    """Where something lies: a link where that is this service, whose records a browser can open."""
    if not source:
        return "not stated"
    if base and source.startswith(f"{base}/"):
        return link("/".join(source.split("/")[-2:]), source)
    return escape(source)


def _from(source: str | None, base: str) -> str:
    return f" ({source_of(source, base)})" if source else ""


def when(date: str | None) -> str:
    """A FHIR date or time for reading, to the minute, with its own offset; ``not dated`` for none."""
    if not date:
        return "not dated"
    found = None if len(date) == _DAY else _TIME.fullmatch(date)
    return f"{found[1]} {found[2]} ({found[3]})" if found else escape(date, 60)


def _notes(evaluation: Evaluation, wording: Wording) -> list[str]:
    """The notes, those that matter most first."""
    urgent = [wording.note(note) for note in evaluation.notes if note.priority != "routine"]
    lines = urgent + [wording.note(note) for note in evaluation.notes if note.priority == "routine"]
    return ["**Notes**\n\n" + "\n".join(lines)] if lines else []


def _failures(issues: Iterable[Issue]) -> list[str]:
    rows = [f"- {escape(issue.message)}" for issue in issues if issue.fails]
    if not rows:
        return []
    return ["**Could not be worked out**\n\n" + "\n".join(dict.fromkeys(rows))]


def _proposal_line(evaluation: Evaluation) -> list[str]:
    if not evaluation.proposals:
        return []
    return [
        "What is proposed is the professional's to choose. Nothing is preselected; the order is not changed."
    ]
