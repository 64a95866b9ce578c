"""The rules that a form states in words of its own: its texts, and its constraints (targetConstraint)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.fhir.forms import Unevaluated, evaluate, urls
from service.fhir.forms.elements import child, cut, extensions, objects, value_of

if TYPE_CHECKING:
    from service.fhir.forms import Constraint, FormItem, Occurrence
    from service.fhir.validation.responses_checking import Checking


def check_text(checking: Checking, occurrence: Occurrence, item: FormItem) -> None:
    """Checks that the item's text, where there is one, is the form's, or one of its translations."""
    written = occurrence.source.get("text")
    if written == item.text or not isinstance(written, str) or not written:
        return
    sibling = child(item.source, "_text")
    if any(True for _ in extensions(sibling, urls.CQF_EXPRESSION)) or written in _translations(sibling):
        return
    checking.error(
        "value",
        f"the text of {item.link_id} is not the form's; take the form's text or leave it out",
        f"{occurrence.place}.text",
        "item-text",
    )


def _translations(sibling: dict[str, object]) -> set[str]:
    found = set()
    for _, entry in extensions(sibling, urls.TRANSLATION):
        for _, part in objects(entry, "extension"):
            value = value_of(part) if part.get("url") == "content" else None
            if value is not None and isinstance(value[1], str):
                found.add(value[1])
    return found


def check_constraints(checking: Checking) -> None:
    """Checks the form's own constraints, and those of each enabled item that the response holds."""
    for constraint in checking.form.constraints:
        _check_constraint(checking, constraint, None, None)
    filled = checking.filled
    for item in checking.form.all:
        if item.constraints:
            for occurrence in filled.by_link.get(item.link_id, ()):
                if filled.enabled(item, occurrence.parent) is not False:
                    for constraint in item.constraints:
                        _check_constraint(checking, constraint, item, occurrence)


def _check_constraint(
    checking: Checking, constraint: Constraint, item: FormItem | None, occurrence: Occurrence | None
) -> None:
    """SDC: a constraint must evaluate to true before a form can be completed."""
    place = occurrence.place if occurrence else "QuestionnaireResponse"
    parent = occurrence.parent if occurrence else None
    try:
        found = evaluate(checking.filled, constraint.expression, item, occurrence, parent, now=checking.now)
    except Unevaluated as reason:
        checking.unchecked(
            f"the form's rule {cut(constraint.key)} could not be evaluated: {cut(reason, 200)}",
            place,
            "constraint-unchecked",
            constraint.key,
        )
        return
    if len(found) == 1 and found[0] is True:
        return
    message = (
        f"{cut(constraint.human, 300) or 'the form sets a rule that does not hold'} ({cut(constraint.key)})"
    )
    if constraint.severity == "warning":
        checking.warning("invariant", message, place, constraint.key)
    else:
        checking.lacking("invariant", message, place, constraint.key)
