"""enableWhen: does each condition ask a question that is there, and in a way that an answer can satisfy?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.fhir.forms.elements import cut, text
from service.fhir.forms.items import CHOICES
from service.fhir.forms.values import key_of

if TYPE_CHECKING:
    from service.fhir.forms import Condition, FormItem, Value
    from service.fhir.validation.questionnaires_checking import Checking

_ORDERING = frozenset({">", "<", ">=", "<="})
_ORDERED = frozenset({"integer", "decimal", "date", "dateTime", "time", "Quantity", "string"})
_ALIKE = {
    "decimal": frozenset({"integer", "decimal"}),
    "integer": frozenset({"integer", "decimal"}),
    "date": frozenset({"date", "dateTime"}),
    "dateTime": frozenset({"date", "dateTime"}),
    "uri": frozenset({"uri", "string"}),
}


def check_conditions(checking: Checking, item: FormItem) -> None:
    """Checks an item's conditions: question, operator and answer of each."""
    for index, condition in enumerate(item.conditions):
        place = f"{item.place}.enableWhen[{index}]"
        target = _target(checking, item, condition, place)
        if target is not None:
            _check_answer(checking, item, condition, target, place)


def _target(checking: Checking, item: FormItem, condition: Condition, place: str) -> FormItem | None:
    asked = condition.question
    target = checking.form.by_link.get(asked)
    at = f"{place}.question"
    if not asked:
        return None
    if target is None:
        checking.error(
            "not-found",
            f"'{cut(asked)}' is no linkId of this form, so {item.link_id} can never be enabled",
            at,
            "enable-when-question",
        )
    elif target is item or target.link_id == item.link_id:
        checking.error("business-rule", f"{asked} cannot depend on itself", at, "enable-when-self")
        return None
    elif item.link_id in target.ancestors:
        checking.error(
            "business-rule",
            f"{item.link_id} cannot depend on {asked}, which lies within it",
            at,
            "enable-when-inner",
        )
        return None
    elif not target.is_question:
        checking.error(
            "business-rule",
            f"{asked} is a {target.type} and is never answered; ask a question",
            at,
            "enable-when-question",
        )
        return None
    elif asked not in item.ancestors and _steps(target) > _steps(item):
        checking.warning(
            "business-rule",
            f"{item.link_id} depends on {asked}, which the form asks later",
            at,
            "enable-when-order",
        )
    return target


def _steps(item: FormItem) -> list[int]:
    """An item's position in document order."""
    return [int(step.partition("]")[0]) for step in item.place.split("[")[1:]]


def _check_answer(
    checking: Checking, item: FormItem, condition: Condition, target: FormItem, place: str
) -> None:
    expected = condition.expected
    if expected is None or not target.answers or condition.operator == "exists":
        return
    if condition.operator in _ORDERING and expected.type not in _ORDERED:
        checking.error(
            "business-rule",
            f"{expected.type} answers have no order, so '{condition.operator}' never holds; use = or !=",
            f"{place}.operator",
            "enable-when-operator",
        )
        return
    if not _fits(expected.type, target.answers):
        _report_type(checking, expected, target, place)
        return
    _check_option(checking, item, condition, target, expected, place)


def _fits(expected: str, answers: frozenset[str]) -> bool:
    return bool(_ALIKE.get(expected, frozenset({expected})) & answers) or (
        expected == "string" and "uri" in answers
    )


def _report_type(checking: Checking, expected: Value, target: FormItem, place: str) -> None:
    """An error, but on a choice: HL7's validator lets those be answered with any type of option."""
    wanted = " or ".join("answer" + kind[0].upper() + kind[1:] for kind in sorted(target.answers))
    message = (
        f"{target.link_id} is of type {target.type}, so its answers are compared with {wanted}, "
        f"not answer{expected.type[:1].upper()}{expected.type[1:]}"
    )
    note = checking.warning if target.type in CHOICES else checking.error
    note("value", message, f"{place}.answer", "enable-when-type")


def _check_option(
    checking: Checking, item: FormItem, condition: Condition, target: FormItem, expected: Value, place: str
) -> None:
    """A condition that waits for what is no option waits for ever."""
    if (
        condition.operator not in ("=", "!=")
        or not target.options
        or (target.open and expected.type == "string")
    ):
        return
    key = key_of(expected)
    known = target.options_by_key
    if expected.type == "Coding" and isinstance(expected.content, dict) and "system" not in expected.content:
        codes = {
            option.value.content.get("code") for option in target.options if option.value.type == "Coding"
        }
        held = text(expected.content, "code") in codes
    else:
        held = key is None or key in known
    if not held:
        checking.warning(
            "code-invalid",
            f"{item.link_id} depends on an answer that {target.link_id} does not offer",
            f"{place}.answer",
            "enable-when-option",
        )
