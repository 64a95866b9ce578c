"""Each answer of one question: its type, its options, and the limits that the form sets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.fhir.forms import Value
from service.fhir.forms.elements import cut, value_of
from service.fhir.forms.items import CHOICES, NO_LIMITS
from service.fhir.validation.responses_attachments import check_attachment, check_reference
from service.fhir.validation.responses_options import check_exclusive, check_option
from service.fhir.validation.responses_units import check_quantity
from service.fhir.validation.responses_values import check_number, check_order, check_text_value

if TYPE_CHECKING:
    from service.fhir.forms import FormItem, Occurrence
    from service.fhir.validation.responses_checking import Checking


def check_answers(checking: Checking, occurrence: Occurrence, item: FormItem) -> None:
    """Checks every answer of one item of the response."""
    limited = item.limits is not NO_LIMITS
    listed = bool(item.options) or item.value_set is not None
    for index, answer in enumerate(occurrence.answers):
        found = value_of(answer) if isinstance(answer, dict) else None
        if found is None:
            continue
        kind, content = found
        if kind not in item.answers:
            _report_type(checking, occurrence, item, index, kind)
            continue
        if listed or kind == "string" or kind == "Reference" or (limited and kind != "boolean"):
            _check_value(checking, occurrence, item, index, Value(kind, content))
    if item.options and len(occurrence.answers) > 1:
        check_exclusive(checking, occurrence, item)


def _check_value(
    checking: Checking, occurrence: Occurrence, item: FormItem, index: int, value: Value
) -> None:
    kind = value.type
    if item.options or item.value_set is not None:
        check_option(checking, occurrence, item, index, value)
    if kind == "string" or kind == "uri":
        check_text_value(checking, occurrence, item, index, value.content)
    elif item.limits is NO_LIMITS and kind != "Reference":
        return
    elif kind in ("integer", "decimal"):
        check_number(checking, occurrence, item, index, value)
    elif kind in ("date", "dateTime", "time"):
        check_order(checking, occurrence, item, index, value)
    elif kind == "Quantity":
        check_quantity(checking, occurrence, item, index, value)
    elif kind == "Attachment":
        check_attachment(checking, occurrence, item, index, value.content)
    elif kind == "Reference":
        check_reference(checking, occurrence, item, index, value.content)


def _report_type(checking: Checking, occurrence: Occurrence, item: FormItem, index: int, kind: str) -> None:
    place = f"{occurrence.place}.answer[{index}]"
    if not item.answers:
        return
    wanted = sorted(item.answers, key=lambda name: (name != "Coding", name))
    names = " or ".join("value" + name[0].upper() + name[1:] for name in wanted)
    given = "value" + kind[0].upper() + kind[1:]
    shown = f"a {item.type}" if item.type in CHOICES else f"of type {item.type}"
    checking.error(
        "value", f"{item.link_id} is {shown} and takes {names}, not {cut(given)}", place, "answer-type"
    )
