"""A result of an expression as an item's answer: of its own type, among its options, or none at all."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service.fhir.forms.elements import objects, text
from service.fhirpath.values import output, type_name

if TYPE_CHECKING:
    from service.fhir.forms import FormItem

Resource = dict[str, Any]
Maker = Callable[["FormItem", Any, str], Resource]
Answering = Callable[[Any], Resource]
_NAMELESS: tuple[Any, ...] = ()


class Unfit(ValueError):
    """The value is not an answer of the item; ``str()`` says why, without the value."""


def answering(item: FormItem) -> Answering:
    """What makes an engine's item an ``answer`` of the form's item, anew each time; made once for the form.

    It raises Unfit where the type or the form's options do not allow the value.
    """
    if item.type in ("choice", "open-choice"):
        make: Maker = Options(item).choose
    else:
        make = _MAKERS.get(item.type, _none)

    def answer(found: Any) -> Resource:
        value, kind = output(found), type_name(found).rpartition(".")[2]
        if value.__class__ is dict and "resourceType" in value:
            value, kind = _reference(value, item)
        return make(item, value, kind)

    return answer


def _none(item: FormItem, _value: Any, _kind: str) -> Resource:
    raise Unfit(f"an item of type {item.type} takes no answer")


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


class Options:
    """The options of a choice by what a value may name them by; of several, the form's first."""

    def __init__(self, item: FormItem) -> None:
        """Reads the item's options once."""
        self._open = item.open
        self._closed = bool(item.options) and not item.open
        self._by_name: dict[tuple[Any, ...], tuple[int, str, Any]] = {}
        for position, option in enumerate(item.options):
            kind, content = option.value.type, option.value.content
            known = position, f"value{kind[0].upper()}{kind[1:]}", content
            for name in _offered(content):
                self._by_name.setdefault(name, known)

    def choose(self, _item: FormItem, value: Any, kind: str) -> Resource:
        """The option that a Coding, a CodeableConcept, a code or another plain value names."""
        by_name = self._by_name
        if kind == "CodeableConcept" and isinstance(value, dict):
            codings: list[Any] = [one for _, one in objects(value, "coding")]
            named = [by_name[name] for given in codings if (name := _given(given)) in by_name]
            known = min(named, key=_position) if named else None
            words = value.get("text")
        else:
            codings = [value]
            known = by_name.get(_given(value))
            words = value
        if known is not None:
            return {known[1]: known[2]}
        if self._closed:
            raise Unfit("it is none of the item's options")
        if kind in ("Coding", "CodeableConcept"):
            coding = next((given for given in codings if isinstance(given, dict) and "code" in given), None)
            if coding is not None:
                return {"valueCoding": coding}
        if self._open and isinstance(words, str):
            return {"valueString": words}
        raise Unfit(f"a {kind} is none of the item's options")


def _position(known: tuple[int, str, Any]) -> int:
    return known[0]


def _offered(content: Any) -> list[tuple[Any, ...]]:
    """What names an option: a Coding its system and code, and its code alone; without a code, its words."""
    code = content.get("code") if isinstance(content, dict) else None
    names = [_given(content), (str, code)] if isinstance(code, str) else [_given(content)]
    return [name for name in names if name != _NAMELESS]


def _given(value: Any) -> tuple[Any, ...]:
    """What a value names an option by; of one that names none, a name that no option has."""
    if not isinstance(value, dict):
        return (value.__class__, value) if isinstance(value, str | int | Decimal) else _NAMELESS
    system, code = value.get("system"), value.get("code")
    if isinstance(code, str) and code:
        return (system, code) if system is None or isinstance(system, str) else _NAMELESS
    words = text(value, "display") or text(value, "reference")
    return (text(value, "system"), None, words) if words is not None else _NAMELESS


_MAKERS: dict[str, Maker] = {
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
