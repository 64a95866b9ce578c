"""A result of an expression as an item's answer: of its own type, among its options, or none at all."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from service import fhirpath
    from service.fhir.forms import FormItem

Resource = dict[str, Any]


class Unfit(ValueError):
    """The value is not an answer of the item; ``str()`` says why, without the value."""


def answer_of(item: FormItem, result: fhirpath.Result) -> Resource:
    """The ``answer`` that a result gives; Unfit where its type or the item's options do not allow it."""
    value, kind = result.value, result.type.split(".")[-1]
    if isinstance(value, dict) and "resourceType" in value:
        value, kind = _reference(value, item)
    if item.type in ("choice", "open-choice"):
        return _chosen(item, value, kind)
    make = _MAKERS.get(item.type)
    if make is None:
        raise Unfit(f"an item of type {item.type} takes no answer")
    return make(item, value, kind)


def _reference(resource: Resource, item: FormItem) -> tuple[Any, str]:
    if item.type != "reference" or "id" not in resource:
        raise Unfit("a whole resource is no answer here")
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}, "Reference"


def _boolean(_item: FormItem, value: Any, kind: str) -> Resource:
    if not isinstance(value, bool):
        raise Unfit(f"a {kind} is no boolean")
    return {"valueBoolean": value}


def _integer(_item: FormItem, value: Any, kind: str) -> Resource:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unfit(f"a {kind} is no whole number")
    return {"valueInteger": value}


def _decimal(item: FormItem, value: Any, kind: str) -> Resource:
    if isinstance(value, dict) and kind == "Quantity":
        unit = item.limits.unit
        if unit is None or unit.get("code") != value.get("code") or "comparator" in value:
            raise Unfit("a quantity fills a number only in the item's own unit, without comparator")
        value = value.get("value")
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unfit(f"a {kind} is no number")
    return {"valueDecimal": value}


def _quantity(item: FormItem, value: Any, kind: str) -> Resource:
    unit = item.limits.unit
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and unit is not None:
        named = {"unit": unit.get("display"), "system": unit.get("system"), "code": unit.get("code")}
        return {"valueQuantity": {"value": value} | {name: given for name, given in named.items() if given}}
    if not isinstance(value, dict) or kind != "Quantity":
        raise Unfit(f"a {kind} is no quantity")
    return {"valueQuantity": value}


def _date(_item: FormItem, value: Any, kind: str) -> Resource:
    if kind not in ("date", "dateTime", "Date", "DateTime", "instant") or not isinstance(value, str):
        raise Unfit(f"a {kind} is no date")
    return {"valueDate": value.split("T", maxsplit=1)[0]}


def _date_time(_item: FormItem, value: Any, kind: str) -> Resource:
    if kind not in ("date", "dateTime", "Date", "DateTime", "instant") or not isinstance(value, str):
        raise Unfit(f"a {kind} is no date and time")
    return {"valueDateTime": value}


def _time(_item: FormItem, value: Any, kind: str) -> Resource:
    if kind not in ("time", "Time") or not isinstance(value, str):
        raise Unfit(f"a {kind} is no time")
    return {"valueTime": value}


def _string(_item: FormItem, value: Any, kind: str) -> Resource:
    if not isinstance(value, str):
        raise Unfit(f"a {kind} is no text")
    return {"valueString": value}


def _uri(_item: FormItem, value: Any, kind: str) -> Resource:
    if not isinstance(value, str):
        raise Unfit(f"a {kind} is no URL")
    return {"valueUri": value}


def _attachment(_item: FormItem, value: Any, kind: str) -> Resource:
    if kind != "Attachment":
        raise Unfit(f"a {kind} is no attachment")
    return {"valueAttachment": value}


def _referenced(_item: FormItem, value: Any, kind: str) -> Resource:
    if kind != "Reference":
        raise Unfit(f"a {kind} is no reference")
    return {"valueReference": value}


def _chosen(item: FormItem, value: Any, kind: str) -> Resource:
    """The option that a Coding, a CodeableConcept, a code or another plain value names."""
    codings: list[Any] = value.get("coding", []) if kind == "CodeableConcept" else [value]
    for option in item.options:
        offered = option.value.content
        for given in codings:
            if _names(offered, given):
                return {f"value{option.value.type[0].upper()}{option.value.type[1:]}": offered}
    if item.options and not item.open:
        raise Unfit("it is none of the item's options")
    coding = next((given for given in codings if isinstance(given, dict) and "code" in given), None)
    if coding is not None and kind in ("Coding", "CodeableConcept"):
        return {"valueCoding": coding}
    text = value.get("text") if kind == "CodeableConcept" else value
    if item.open and isinstance(text, str):
        return {"valueString": text}
    raise Unfit(f"a {kind} is none of the item's options")


def _names(offered: Any, given: Any) -> bool:
    if isinstance(offered, dict) and isinstance(given, dict):
        return (offered.get("system"), offered.get("code")) == (given.get("system"), given.get("code"))
    if isinstance(offered, dict):
        return bool(offered.get("code") == given)
    return bool(offered == given and type(offered) is type(given))


_MAKERS: dict[str, Callable[[FormItem, Any, str], Resource]] = {
    "boolean": _boolean,
    "integer": _integer,
    "decimal": _decimal,
    "quantity": _quantity,
    "date": _date,
    "dateTime": _date_time,
    "time": _time,
    "string": _string,
    "text": _string,
    "url": _uri,
    "attachment": _attachment,
    "reference": _referenced,
}
