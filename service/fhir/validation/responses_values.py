"""Numbers, dates and texts against the limits of their question (SDC 4.0, Value constraints)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import re2

from service.fhir.forms.elements import cut
from service.fhir.forms.values import compare, decimal_places

if TYPE_CHECKING:
    from service.fhir.forms import FormItem, Occurrence, Value
    from service.fhir.validation.responses_checking import Checking


def check_number(
    checking: Checking, occurrence: Occurrence, item: FormItem, index: int, value: Value
) -> None:
    """Checks bounds, decimal places and written length of an integer or a decimal."""
    check_order(checking, occurrence, item, index, value)
    most = item.limits.max_decimals
    if most is not None and decimal_places(value.content) > most:
        checking.error(
            "value",
            f"{item.link_id} takes at most {most} decimal places, and {cut(value.content)} has more",
            f"{occurrence.place}.answer[{index}]",
            "decimal-places",
        )


def check_order(checking: Checking, occurrence: Occurrence, item: FormItem, index: int, value: Value) -> None:
    """Checks minValue and maxValue. A date too coarse to tell is let through."""
    limits = item.limits
    if limits.minimum is not None and compare(value, limits.minimum) == -1:
        checking.error(
            "value",
            f"{cut(value.content)} is below the least value of {item.link_id}, {cut(limits.minimum.content)}",
            f"{occurrence.place}.answer[{index}]",
            "min-value",
        )
    if limits.maximum is not None and compare(value, limits.maximum) == 1:
        checking.error(
            "value",
            f"{cut(value.content)} is above the top value of {item.link_id}, {cut(limits.maximum.content)}",
            f"{occurrence.place}.answer[{index}]",
            "max-value",
        )
    if limits.min_length is not None or limits.max_length is not None:
        _check_length(checking, occurrence, item, index, str(value.content))


def check_text_value(
    checking: Checking, occurrence: Occurrence, item: FormItem, index: int, content: Any
) -> None:
    """Checks length, pattern and line breaks of a text. The text itself stays out of the messages."""
    if not isinstance(content, str):
        return
    limits = item.limits
    _check_length(checking, occurrence, item, index, content)
    if limits.regex is not None:
        _check_pattern(checking, occurrence, item, index, content, limits.regex)
    if item.type == "string" and ("\n" in content or "\r" in content):
        checking.warning(
            "value",
            f"{item.link_id} is one line of text, and the answer has line breaks; take them out",
            f"{occurrence.place}.answer[{index}]",
            "line-break",
        )


def _check_length(
    checking: Checking, occurrence: Occurrence, item: FormItem, index: int, content: str
) -> None:
    limits = item.limits
    if limits.max_length is not None and len(content) > limits.max_length >= 0:
        checking.error(
            "too-long",
            f"the answer to {item.link_id} has {len(content)} characters; the limit is {limits.max_length}",
            f"{occurrence.place}.answer[{index}]",
            "max-length",
        )
    if limits.min_length is not None and len(content) < limits.min_length:
        checking.error(
            "value",
            f"the answer to {item.link_id} has {len(content)} characters; it needs {limits.min_length}",
            f"{occurrence.place}.answer[{index}]",
            "min-length",
        )


def _check_pattern(
    checking: Checking, occurrence: Occurrence, item: FormItem, index: int, content: str, regex: str
) -> None:
    place = f"{occurrence.place}.answer[{index}]"
    pattern = compiled(regex)
    if pattern is None:
        checking.unchecked(
            f"the pattern of {item.link_id} cannot be read here, so answers are not held against it",
            place,
            "regex-unchecked",
            item.link_id,
        )
    elif pattern.fullmatch(content) is None:
        wanted = item.limits.entry_format or regex
        checking.error(
            "value",
            f"the answer to {item.link_id} is not written as asked: {cut(wanted, 120)}",
            place,
            "regex",
        )


@lru_cache(maxsize=256)
def compiled(regex: str) -> Any:
    """The pattern, matched in linear time; None where it is none, or none of that kind (no look-around)."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(regex, options=options)
    except re2.error:
        return None
