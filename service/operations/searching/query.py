"""A search request read: what is asked for, in which order, how many at a time. R4 ``search.html``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.domain.errors import Refused
from service.domain.issues import Issue, warning
from service.operations.searching.dates import span
from service.operations.searching.parameters import Kind, Parameter, parameters
from service.operations.searching.values import fold, reference_parts

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_COUNT, LARGEST_COUNT = 50, 1000
_PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(\d.*)")
_RESULT = frozenset({"_count", "_sort", "_summary", "_elements", "_total", "_format", "_pretty", "_cursor"})
_MODIFIERS = {
    Kind.TOKEN: ("not", "missing"),
    Kind.REFERENCE: ("identifier", "missing"),
    Kind.DATE: ("missing",),
    Kind.STRING: ("exact", "contains", "missing"),
    Kind.URI: ("below", "missing"),
}


@dataclass(frozen=True, slots=True)
class Value:
    """One alternative of a condition, in the shape of an index entry; ``system`` None means any."""

    system: str | None = None
    value: str | None = None
    prefix: str = "eq"
    low: int = 0
    high: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """One parameter of a request: it holds where one of the values does."""

    parameter: str
    kind: Kind
    modifier: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A whole request. All conditions must hold. ``sort`` pairs a parameter's name with "descending"."""

    type: str
    conditions: tuple[Condition, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    count: int = DEFAULT_COUNT
    cursor: str | None = None
    summary: str = "false"
    elements: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = field(default=(), compare=False)
    used: tuple[tuple[str, str], ...] = ()


def parse(type_: str, pairs: Iterable[tuple[str, str]], *, strict: bool = False) -> Query:
    """The request. A parameter that is not served is an issue, or with ``strict`` (Prefer) a refusal."""
    known = parameters(type_)
    conditions: list[Condition] = []
    issues: list[Issue] = []
    used: list[tuple[str, str]] = []
    results: dict[str, str] = {}
    for name, text in pairs:
        if name in _RESULT:
            results[name] = text
        elif (parameter := known.get(name.split(":", 1)[0])) is None:
            issues.append(_unknown(type_, name, known))
            continue
        elif text:
            conditions.append(_condition(parameter, name.partition(":")[2], text))
        if name not in ("_format", "_pretty", "_cursor") and text:
            used.append((name, text))
    if issues and strict:
        refused = tuple(Issue(issue.severity.ERROR, issue.code, issue.message) for issue in issues)
        raise Refused("the search uses parameters that are not served", issues=refused)
    return Query(
        type_,
        tuple(conditions),
        _sort(results.get("_sort", ""), known),
        _count(results.get("_count")),
        results.get("_cursor") or None,
        _summary(results.get("_summary", "false")),
        tuple(name.strip() for name in results.get("_elements", "").split(",") if name.strip()),
        tuple(issues),
        tuple(used),
    )


def _unknown(type_: str, name: str, known: Iterable[str]) -> Issue:
    names = ", ".join(sorted(known))
    return warning("not-supported", f"'{name[:60]}' is no search parameter of {type_} here and was ignored; "
                   f"these are: {names}")  # fmt: skip


def _condition(parameter: Parameter, modifier: str, text: str) -> Condition:
    types = parameter.kind is Kind.REFERENCE and modifier[:1].isupper()
    if modifier and not types and modifier not in _MODIFIERS[parameter.kind]:
        allowed = ", ".join(_MODIFIERS[parameter.kind])
        raise Refused(f"'{parameter.name}' has no modifier ':{modifier[:40]}' here; it has: {allowed}")
    if modifier == "missing":
        if text not in ("true", "false"):
            raise Refused(f"'{parameter.name}:missing' is true or false")
        return Condition(parameter.name, parameter.kind, modifier, (Value(value=text),))
    values = tuple(_value(parameter, modifier, part) for part in _split(text, ",") if part)
    return Condition(parameter.name, parameter.kind, "" if types else modifier, values)


def _value(parameter: Parameter, modifier: str, text: str) -> Value:
    if parameter.kind is Kind.DATE:
        return _date(parameter.name, text)
    if parameter.kind is Kind.TOKEN or modifier == "identifier":
        system, *rest = _split(text, "|")
        plain = [_unescape(part) for part in (system, *rest)]
        return Value(plain[0], "|".join(plain[1:]) or None) if rest else Value(None, plain[0])
    text = _unescape(text)
    if parameter.kind is Kind.REFERENCE:
        type_, id_ = reference_parts(text)
        return Value(modifier or type_ or parameter.target, id_)
    return Value(None, text if modifier == "exact" or parameter.kind is Kind.URI else fold(text))


def _date(name: str, text: str) -> Value:
    found = _PREFIXED.fullmatch(text)
    limits = span(found[2].replace(" ", "+")) if found else None
    if found is None or limits is None:
        raise Refused(
            f"'{name}' takes a date such as 2026-07-01 or ge2026-07-01 (eq ne gt lt ge le sa eb ap), "
            f"not '{text[:40]}'"
        )
    return Value(prefix=found[1] or "eq", low=limits[0], high=limits[1])


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators that no backslash escapes; the escapes stay in the parts."""
    return re.split(rf"(?<!\\){re.escape(separator)}", text)


def _unescape(text: str) -> str:
    return re.sub(r"\\([\\,|$])", r"\1", text)


def _sort(text: str, known: dict[str, Parameter]) -> tuple[tuple[str, bool], ...]:
    found = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name = part.removeprefix("-")
        if name not in known:
            raise Refused(f"'_sort' cannot use '{name[:60]}'; it can use: {', '.join(sorted(known))}")
        found.append((name, part.startswith("-")))
    if len(found) > 3:
        raise Refused("'_sort' takes up to three parameters")
    return tuple(found)


def _count(text: str | None) -> int:
    if text is None or text == "":
        return DEFAULT_COUNT
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Refused(f"'_count' is a whole number from 0, not '{text[:20]}'")
    return min(int(text), LARGEST_COUNT)


def _summary(text: str) -> str:
    if text not in ("true", "false", "text", "data", "count"):
        raise Refused("'_summary' is true, false, text, data or count")
    return text
