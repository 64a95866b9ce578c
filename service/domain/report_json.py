"""A safety report as JSON and back, exactly: what is written is what is read."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from service.domain.errors import Malformed
from service.domain.evaluation import Code
from service.domain.safety_report import SafetyReport

Json = dict[str, Any]
_NAMES = {"Decimal": Decimal, "Code": Code}


def to_json(report: SafetyReport) -> Json:
    """The report as a JSON object: a member a field, None left out; decimals stay decimals."""
    return _plain(report)  # type: ignore[no-any-return]


def from_json(json: Any) -> SafetyReport:
    """The report that an object holds. Malformed names the member that cannot be read."""
    return read(json, SafetyReport, "report")  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        held = ((one.name, getattr(value, one.name)) for one in fields(value))
        return {name: _plain(part) for name, part in held if part is not None}
    if isinstance(value, StrEnum):
        return str(value)
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


@cache
def shape(type_: type) -> dict[str, Any]:
    """The type of each field of one of a report's parts."""
    return get_type_hints(type_, localns=_NAMES)


def read(value: Any, type_: Any, place: str) -> Any:
    """The value as the type asks for it; ``place`` names it in the error. Raises Malformed."""
    if isinstance(type_, UnionType):
        kinds = [one for one in get_args(type_) if one is not NoneType]
        return None if value is None else read(value, kinds[0], place)
    if get_origin(type_) is tuple:
        if not isinstance(value, list):
            raise _misshapen(place, "an array")
        return tuple(read(part, get_args(type_)[0], f"{place}[{at}]") for at, part in enumerate(value))
    if is_dataclass(type_):
        return _part(value, type_, place)
    if type_ is Decimal:
        if isinstance(value, Decimal | int) and not isinstance(value, bool):
            return Decimal(value)
        raise _misshapen(place, "a number")
    if isinstance(type_, type) and issubclass(type_, StrEnum):
        if value not in type_.__members__.values():
            raise _misshapen(place, f"one of {', '.join(type_)}")
        return type_(value)
    if type(value) is not type_:
        raise _misshapen(place, {str: "a text", bool: "true or false", int: "a whole number"}[type_])
    return value


def _part(value: Any, type_: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise _misshapen(place, "an object")
    kinds = shape(type_)
    for name in value:
        if name not in kinds:
            raise Malformed(
                f"'{str(name)[:40]}' is no member here; these are: {', '.join(kinds)}", expression=place
            )
    needed = {one.name for one in fields(type_) if one.default is MISSING and one.default_factory is MISSING}
    for name in needed - value.keys():
        if NoneType not in get_args(kinds[name]):
            raise Malformed(f"'{name}' is missing", expression=place)
    given = {name: read(value[name], kinds[name], f"{place}.{name}") for name in kinds if name in value}
    return type_(**dict.fromkeys(needed - given.keys()) | given)


def _misshapen(place: str, wanted: str) -> Malformed:
    return Malformed(f"{wanted} is wanted here", expression=place)
