"""The limits of an item's answers, read out of its extensions in one pass (SDC 4.0, Value constraints)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhir.forms import urls
from service.fhir.forms.elements import number, objects, value_of, whole
from service.fhir.forms.items import NO_LIMITS, Limits, Value

if TYPE_CHECKING:
    from service.fhir.forms.elements import Json

_Grouped = dict[str, list[Any]]


def _values(source: Json) -> _Grouped:
    """The values of an element's extensions, by address."""
    found: _Grouped = {}
    for _, entry in objects(source, "extension"):
        address = entry.get("url")
        value = value_of(entry)
        if value is not None and isinstance(address, str):
            found.setdefault(address, []).append(Value(*value))
    return found


def _bound(grouped: _Grouped, *addresses: str) -> Value | None:
    return next((grouped[address][0] for address in addresses if address in grouped), None)


def _first(grouped: _Grouped, address: str) -> Any:
    found = grouped.get(address)
    return found[0].content if found else None


def _texts(grouped: _Grouped, address: str) -> tuple[str, ...]:
    contents = (value.content for value in grouped.get(address, ()))
    return tuple(content for content in contents if isinstance(content, str) and content)


def _written(grouped: _Grouped, address: str) -> str | None:
    found = _texts(grouped, address)
    return found[0] if found else None


def _unit_value_set(grouped: _Grouped) -> str | None:
    found = _first(grouped, urls.UNIT_VALUE_SET)
    if isinstance(found, dict):
        found = found.get("reference")
    return found if isinstance(found, str) and found else None


def read_limits(source: Json) -> Limits:
    """The limits that an item sets its answers; ``NO_LIMITS`` itself where there are none."""
    grouped = _values(source) if "extension" in source else {}
    if "maxLength" not in source and urls.LIMITS.isdisjoint(grouped):
        return NO_LIMITS
    unit = _first(grouped, urls.UNIT)
    units = (value.content for value in grouped.get(urls.UNIT_OPTION, ()))
    limits = Limits(
        minimum=_bound(grouped, urls.MIN_VALUE, urls.MIN_QUANTITY),
        maximum=_bound(grouped, urls.MAX_VALUE, urls.MAX_QUANTITY),
        min_length=whole(_first(grouped, urls.MIN_LENGTH)),
        max_length=whole(source.get("maxLength")),
        max_decimals=whole(_first(grouped, urls.MAX_DECIMAL_PLACES)),
        regex=_written(grouped, urls.REGEX),
        entry_format=_written(grouped, urls.ENTRY_FORMAT),
        mime_types=_texts(grouped, urls.MIME_TYPE),
        max_size=number(_first(grouped, urls.MAX_SIZE)),
        min_occurs=whole(_first(grouped, urls.MIN_OCCURS)),
        max_occurs=whole(_first(grouped, urls.MAX_OCCURS)),
        reference_types=_texts(grouped, urls.REFERENCE_RESOURCE),
        reference_profiles=_texts(grouped, urls.REFERENCE_PROFILE),
        unit=unit if isinstance(unit, dict) else None,
        units=tuple(content for content in units if isinstance(content, dict)),
        unit_value_set=_unit_value_set(grouped),
        unit_open=_written(grouped, urls.UNIT_OPEN),
        unit_system=_written(grouped, urls.UNIT_SUPPLEMENTAL_SYSTEM),
    )
    return NO_LIMITS if limits == NO_LIMITS else limits
