"""``enter``: what a person puts on a report in place of what the record says, or where it says nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from service.domain.errors import Refused
from service.domain.report_json import read, shape
from service.domain.safety_report import (
    ReportedDevice,
    ReportedEvent,
    ReportedMedicine,
    ReportedProcedure,
    Reporter,
    SafetyReport,
    Subject,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.operations.report.cases import Entered

_WHOLE = ("narrative", "amendment_reason")
_PARTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "subject": (Subject, ("age", "age_unit", "age_band", "sex", "weight")),
    "reporter": (Reporter, tuple(Reporter.__slots__)),
    "procedure": (ReportedProcedure, ("date", "text", "guidance")),
    "events": (
        ReportedEvent,
        ("text", "onset", "end", "recognised", "suspect_reason", "treatment", "severity", "outcome",
         "seriousness"),
    ),
    "devices": (ReportedDevice, tuple(name for name in ReportedDevice.__slots__ if name != "site")),
    "medicines": (ReportedMedicine, tuple(ReportedMedicine.__slots__)),
}  # fmt: skip
"""The parts that may be entered into, their shapes, and which of their fields."""
_MANY = ("events", "devices", "medicines")
_GROWING = ("devices", "medicines")
_MOST = 50
"""How many devices or medicines one report may list."""
_NUMBERS = frozenset(str(number) for number in range(_MOST))


def places() -> tuple[str, ...]:
    """Every path that may be entered, with ``N`` for a number that counts from 0."""
    found = list(_WHOLE)
    for name, (_, allowed) in _PARTS.items():
        number = ".N" if name in _MANY else ""
        found += [f"{name}{number}.{one}" for one in allowed]
    return tuple(found)


def parse(path: str, value: Any) -> Any:
    """The value in the shape that the path has. Refused where there is no such path; Malformed for its shape.

    None takes out what the record says there.
    """
    parts = path.split(".")
    if path in _WHOLE:
        return read(value, str, path) if value is not None or path == "amendment_reason" else ""
    name, number, last = parts[0], parts[1:-1], parts[-1]
    type_, allowed = _PARTS.get(name, (None, ()))
    numbered = len(number) == 1 and number[0] in _NUMBERS
    if last not in allowed or (not numbered if name in _MANY else bool(number)):
        raise Refused(
            f"nothing can be entered at '{path[:60]}'; these are the places: {', '.join(places())}",
            expression=path[:60],
        )
    return read(value, shape(type_)[last], path)


def get(report: SafetyReport, path: str) -> Any:
    """What the report holds at the path, or None."""
    value: Any = report
    for part in path.split("."):
        if isinstance(value, tuple):
            at = int(part)
            value = value[at] if at < len(value) else None
        else:
            value = getattr(value, part) if value is not None else None
    return value


def put(report: SafetyReport, path: str, value: Any) -> SafetyReport:
    """The report with the value there. Refused where the number counts further than the next new one."""
    name, _, rest = path.partition(".")
    if not rest:
        return replace(report, **{name: value})
    type_, _allowed = _PARTS[name]
    if name not in _MANY:
        held = getattr(report, name) or type_()
        return replace(report, **{name: replace(held, **{rest: value})})
    number, _, last = rest.partition(".")
    parts, at = list(getattr(report, name)), int(number)
    if at == len(parts) and name in _GROWING:
        parts.append(type_())
    if at >= len(parts):
        raise Refused(
            f"the report has {len(parts)} {name}; the next one is entered at {name}.{len(parts)}",
            expression=path,
        )
    parts[at] = replace(parts[at], **{last: value})
    changed: dict[str, Any] = {name: tuple(parts)}
    return replace(report, **changed)


def overlay(built: SafetyReport, entered: Sequence[Entered]) -> tuple[tuple[Entered, ...], SafetyReport]:
    """The entries that still stand, and the report with them put in.

    An entry stands while the record says at its place what it said when the entry was made.
    """
    kept, report = [], built
    for one in entered:
        if plain(get(built, one.path)) == one.source:
            kept.append(one)
            report = put(report, one.path, parse(one.path, one.value))
    return tuple(kept), report


def plain(value: Any) -> Any:
    """The value as it is compared and kept: what stands several times as a list, as JSON has it."""
    return list(value) if isinstance(value, tuple) else value
