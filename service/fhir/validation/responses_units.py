"""Quantities against the units and bounds of their question (SDC 4.0, Form Behavior)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service.fhir.forms.elements import cut, number, text
from service.fhir.forms.values import UCUM, compare_quantities, decimal_places
from service.fhirpath import quantity

if TYPE_CHECKING:
    from service.fhir.forms import FormItem, Limits, Occurrence, Value
    from service.fhir.forms.elements import Json
    from service.fhir.validation.responses_checking import Checking


def check_quantity(
    checking: Checking, occurrence: Occurrence, item: FormItem, index: int, value: Value
) -> None:
    """Checks the unit, the bounds and the decimal places of a Quantity."""
    content = value.content
    if not isinstance(content, dict):
        return
    limits = item.limits
    place = f"{occurrence.place}.answer[{index}].value"
    if limits.units or limits.unit_value_set is not None:
        _check_unit(checking, item, content, place)
    elif limits.unit is not None:
        _check_dimension(checking, item, content, limits.unit, place)
    _check_bounds(checking, item, content, place)
    most = limits.max_decimals
    if most is not None and decimal_places(content.get("value")) > most:
        checking.error(
            "value",
            f"{item.link_id} takes at most {most} decimal places, and {cut(content.get('value'))} has more",
            place,
            "decimal-places",
        )


def _check_unit(checking: Checking, item: FormItem, content: Json, place: str) -> None:
    limits = item.limits
    if any(_is_unit(content, unit) for unit in limits.units):
        return
    system, code = text(content, "system"), text(content, "code")
    held: bool | None = False
    if limits.unit_value_set is not None:
        value_set = checking.value_set(limits.unit_value_set)
        held = checking.terminology.contains(value_set, system, code) if code is not None else False
    if held or _is_open(limits, content):
        return
    if held is None:
        checking.unchecked(
            f"whether the unit of {item.link_id} is in {cut(limits.unit_value_set, 120)} cannot be told here",
            place,
            "unit-unchecked",
            item.link_id,
        )
        return
    names = [text(unit, "code") or text(unit, "display") or "?" for unit in limits.units]
    allowed = ", ".join(names) or f"those of {cut(limits.unit_value_set, 120)}"
    given = code or text(content, "unit")
    checking.error(
        "code-invalid",
        f"{cut(given) if given else 'no unit'} is not a unit of {item.link_id}; units: {allowed}",
        place,
        "unit",
    )


def _is_unit(content: Json, unit: Json) -> bool:
    """Whether the Quantity is in the unit: by system and code, or by its words where the unit has no code."""
    code = text(unit, "code")
    if code is None:
        return text(unit, "display") == text(content, "unit")
    system = text(unit, "system")
    return text(content, "code") == code and (system is None or text(content, "system") == system)


def _is_open(limits: Limits, content: Json) -> bool:
    """SDC, Handling Units: whether a unit off the list is allowed beside it."""
    code, system = text(content, "code"), text(content, "system")
    if limits.unit_open == "optionsOrType":
        return code is not None and limits.unit_system in (None, system)
    if limits.unit_open == "optionsOrString":
        return code is None and system is None and text(content, "unit") is not None
    return False


def _check_dimension(checking: Checking, item: FormItem, content: Json, unit: Json, place: str) -> None:
    """An answer in another dimension than the form's unit is hardly what was meant."""
    given, wanted = text(content, "code"), text(unit, "code")
    if not given or not wanted or given == wanted:
        return
    if content.get("system") == UCUM == unit.get("system") and not _comparable(given, wanted):
        checking.warning(
            "value",
            f"{item.link_id} is asked in {cut(wanted)}, and {cut(given)} measures something else",
            place,
            "unit",
        )


def _comparable(given: str, wanted: str) -> bool:
    one = Decimal(1)
    return quantity.comparable(quantity.Quantity(one, given), quantity.Quantity(one, wanted))


def _check_bounds(checking: Checking, item: FormItem, content: Json, place: str) -> None:
    limits = item.limits
    for bound, outside, words, key in (
        (limits.minimum, -1, "below the least", "min-value"),
        (limits.maximum, 1, "above the greatest", "max-value"),
    ):
        if bound is None or number(content.get("value")) is None:
            continue
        order = compare_quantities(content, bound.content)
        if order == outside:
            checking.error(
                "value",
                f"{_shown(content)} is {words} value of {item.link_id}, {_shown(bound.content)}",
                place,
                key,
            )
        elif order is None:
            checking.error(
                "value",
                f"{_shown(content)} cannot be held against {_shown(bound.content)}, bound of {item.link_id}: "
                "give it with a UCUM code of the same kind and without a comparator",
                place,
                key,
            )


def _shown(content: Any) -> str:
    if not isinstance(content, dict):
        return cut(content)
    unit = text(content, "unit") or text(content, "code")
    return cut(f"{content.get('value')} {unit}" if unit else content.get("value"))
