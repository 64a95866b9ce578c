"""A QuestionnaireResponse against its Questionnaire: every item in its place, answered as the form allows.

Sources: FHIR R4 Questionnaire and QuestionnaireResponse; SDC 4.0, Form Behavior. Where those leave a choice,
the verdict is that of HL7's reference validator; where that contradicts them, theirs stands.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from service.fhir.concepts import Terminology
from service.fhir.forms import form_of
from service.fhir.forms.elements import cut
from service.fhir.validation.responses_answers import check_answers
from service.fhir.validation.responses_checking import HINTS, Checking
from service.fhir.validation.responses_header import check_header
from service.fhir.validation.responses_rules import check_constraints, check_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from service.domain.issues import Issue
    from service.fhir.forms import FormItem, Occurrence
    from service.fhir.forms.elements import Json


def check(
    response: Json,
    questionnaire: Json,
    *,
    resolve: Callable[[str], Json | None] | None = None,
    terminology: Terminology | None = None,
    now: datetime | None = None,
) -> Iterable[Issue]:
    """What is wrong with a response to this form, in document order; never raises, whatever it is given.

    ``resolve`` leads from a canonical to the resource, ``terminology`` decides what value sets hold; with
    neither, an answer out of an outer value set is reported as unchecked. A response that is not completed
    or amended may lack what the form requires: that is a warning then.
    The form's rules take ``authored`` for now, and ``now`` where the response does not say when.
    """
    if terminology is None:
        terminology = Terminology(resolve or _nothing)
    checking = Checking(form_of(questionnaire), response, terminology, now)
    check_header(checking)
    filled = checking.filled
    _check_level(checking, filled.roots, checking.form.items, None, True)
    for occurrence in filled.too_deep:
        checking.error(
            "structure",
            "items nest deeper here than any form does; nothing below was read",
            occurrence.place,
            "depth",
        )
    check_constraints(checking)
    return checking.issues


def _nothing(_: str) -> None:
    """The resolver of a caller that has none."""


def _check_level(
    checking: Checking,
    occurrences: Sequence[Occurrence],
    items: Sequence[FormItem],
    parent: Occurrence | None,
    above: bool | None,
    under: int | None = None,
) -> None:
    """Checks the items of one level: their places and order, then each item of the form in turn."""
    present: dict[str, list[Occurrence]] = {}
    last: FormItem | None = None
    for occurrence in occurrences:
        item = occurrence.item
        if item is None:
            _report_unknown(checking, occurrence)
        elif occurrence.misplaced:
            _report_misplaced(checking, occurrence, item)
            _check_occurrence(checking, occurrence, item, None)
        else:
            if last is not None and item.position < last.position:
                checking.error(
                    "structure",
                    f"{item.link_id} stands after {last.link_id}; keep the form's order",
                    occurrence.place,
                    "item-order",
                )
            last = item
            if item.link_id in present:
                present[item.link_id].append(occurrence)
            else:
                present[item.link_id] = [occurrence]
    for item in items:
        enabled = above
        if item.conditional and above is True:
            enabled = checking.filled.own_rule(item, parent)
            if enabled is None:
                checking.unchecked(
                    f"whether {item.link_id} is enabled cannot be told from this response alone",
                    occurrences[0].place if parent is None and occurrences else _place(parent, under),
                    "enablement-unknown",
                    item.link_id,
                )
        found = present.get(item.link_id)
        if found is None:
            if enabled is True and item.required and not item.is_display:
                checking.lacking("required", _required(item), _place(parent, under), "required")
            continue
        _check_item(checking, found, item, enabled, above)


def _check_item(
    checking: Checking,
    found: list[Occurrence],
    item: FormItem,
    enabled: bool | None,
    above: bool | None,
) -> None:
    """Checks all occurrences of one item under one parent."""
    if len(found) > 1:
        _check_repeats(checking, found, item)
    for occurrence in found:
        if enabled is False and above is True and occurrence.answered:
            checking.error(
                "business-rule",
                f"{item.link_id} is answered and not enabled: {_why_disabled(item)}; leave it out",
                occurrence.place,
                "not-enabled",
            )
        _check_occurrence(checking, occurrence, item, enabled)
    limits = item.limits
    if limits.max_occurs is not None or limits.min_occurs is not None:
        _check_occurs(checking, found, item, enabled)


def _check_occurrence(
    checking: Checking, occurrence: Occurrence, item: FormItem, enabled: bool | None
) -> None:
    """Checks one item of the response and everything below it."""
    if "text" in occurrence.source:
        check_text(checking, occurrence, item)
    if item.type == "group":
        if occurrence.answers:
            checking.error(
                "structure",
                f"{item.link_id} is a group and cannot be answered; answer the questions in it",
                f"{occurrence.place}.answer[0]",
                "group-answer",
            )
        if item.required and enabled is True and not occurrence.children:
            checking.lacking("required", _required(item), occurrence.place, "required")
        _check_level(checking, occurrence.children, item.children, occurrence, enabled)
        return
    if item.type == "display":
        _check_display(checking, occurrence, item)
        return
    if "item" in occurrence.source:
        checking.error(
            "structure",
            f"{item.link_id} is a question: put the items below it into its answer (answer.item)",
            f"{occurrence.place}.item[0]",
            "items-outside-answer",
        )
    answers = occurrence.answers
    if not answers:
        if item.required and enabled is True:
            checking.lacking("required", _required(item), occurrence.place, "required")
        return
    if len(answers) > 1 and not item.repeats:
        checking.error(
            "structure",
            f"{item.link_id} takes one answer, and {len(answers)} are given; keep one",
            occurrence.place,
            "excess-answers",
        )
    check_answers(checking, occurrence, item)
    if item.children or occurrence.children:
        nested: dict[int, list[Occurrence]] = {}
        for child in occurrence.children:
            if child.under is not None:
                nested.setdefault(child.under, []).append(child)
        for index in range(len(answers)):
            _check_level(checking, nested.get(index, ()), item.children, occurrence, enabled, index)


def _check_display(checking: Checking, occurrence: Occurrence, item: FormItem) -> None:
    if occurrence.answers:
        checking.error(
            "structure",
            f"{item.link_id} is only shown and cannot be answered; leave the answer out",
            f"{occurrence.place}.answer[0]",
            "display-answer",
        )
    if occurrence.children:
        checking.error(
            "structure",
            f"{item.link_id} is only shown and holds no items; leave them out",
            occurrence.children[0].place,
            "display-items",
        )


def _check_repeats(checking: Checking, found: list[Occurrence], item: FormItem) -> None:
    if not item.repeats:
        checking.error(
            "structure",
            f"{item.link_id} stands here {len(found)} times, and the form has it once; keep one",
            found[1].place,
            "excess-items",
        )
    elif item.is_question:
        checking.warning(
            "structure",
            f"{item.link_id} stands here {len(found)} times; put all its answers into one item",
            found[1].place,
            "split-answers",
        )


def _check_occurs(checking: Checking, found: list[Occurrence], item: FormItem, enabled: bool | None) -> None:
    """SDC minOccurs and maxOccurs: of a group how often it stands, of a question how many answers it has."""
    count = len(found) if item.is_group else sum(len(occurrence.answers) for occurrence in found)
    least, most = item.limits.min_occurs, item.limits.max_occurs
    what = "occurrences" if item.is_group else "answers"
    if most is not None and count > most:
        checking.error(
            "business-rule",
            f"{item.link_id} takes at most {most} {what}, and {count} are given",
            found[-1].place,
            "max-occurs",
        )
    if least is not None and enabled is True and 0 < count < least:
        checking.lacking(
            "business-rule",
            f"{item.link_id} needs at least {least} {what}, and {count} are given",
            found[-1].place,
            "min-occurs",
        )


def _report_unknown(checking: Checking, occurrence: Occurrence) -> None:
    link_id: Any = occurrence.source.get("linkId")
    if not isinstance(link_id, str) or not link_id:
        checking.error(
            "required",
            "the item has no linkId, so nothing tells what it answers",
            occurrence.place,
            "no-link-id",
        )
        return
    checking.error(
        "not-found",
        f"'{cut(link_id)}' is no linkId of {cut(checking.form.title, 80)}{_nearest(checking, link_id)}",
        occurrence.place,
        "unknown-item",
    )


def _nearest(checking: Checking, link_id: str) -> str:
    if len(checking.issues) >= HINTS:
        return ""
    near = get_close_matches(link_id[:100], list(checking.form.by_link)[:500], n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _report_misplaced(checking: Checking, occurrence: Occurrence, item: FormItem) -> None:
    holder = checking.form.parent(item)
    if holder is None:
        where = "at the top of the form"
    else:
        where = f"in {holder.link_id}" if holder.is_group else f"under the answer to {holder.link_id}"
    checking.error(
        "structure",
        f"{item.link_id} is in the wrong place; it belongs {where}",
        occurrence.place,
        "misplaced-item",
    )


def _required(item: FormItem) -> str:
    if item.is_group:
        return f"the group {item.link_id} is required and empty; answer something in it"
    return f"{item.link_id} is required and has no answer"


def _why_disabled(item: FormItem) -> str:
    if item.enable_expression is not None or not item.conditions:
        return "its enableWhenExpression does not hold"
    asked = ", ".join(dict.fromkeys(condition.question for condition in item.conditions))
    return f"that depends on {cut(asked, 80)}"


def _place(parent: Occurrence | None, under: int | None) -> str:
    if parent is None:
        return "QuestionnaireResponse"
    return parent.place if under is None else f"{parent.place}.answer[{under}]"
