"""Whether what a person enters can stand at its place: a date is a date, a code one of those on the form.

Such places are not searched for what identifies a patient, so nothing else may get into them.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service.domain.errors import Refused
from service.operations.report.looking import FORM
from service.operations.searching.dates import span
from service.yellow_card.fields import read_form, read_words

if TYPE_CHECKING:
    from collections.abc import Collection

    from service.operations.report.desk import Desk
    from service.yellow_card.fields import Field

_PATTERNS = {
    "subject.age_unit": (re.compile("a|mo|wk|d"), "a unit of age: a, mo, wk or d"),
    "subject.age_band": (re.compile(r"\d{1,3}-\d{1,3}|\d{2,3}\+", re.ASCII), "a band such as 60-69 or 90+"),
    "reporter.country": (re.compile("[A-Z]{2}"), "a country's two letters, such as GB"),
}
_LARGEST = {"subject.age": Decimal(50_000), "subject.weight": Decimal(700), "volume": Decimal(1000)}
"""Ages are in days too."""
_IN_WORDS = ("procedure",)
"""Parts that hold a code's words where the form was answered."""


def check(desk: Desk, path: str, value: Any) -> Any:
    """The value as it is kept; Refused, naming the path, where it cannot stand there."""
    if value is None:
        return None
    name = path.rpartition(".")[2]
    if isinstance(value, Decimal):
        most = _LARGEST.get(path, _LARGEST.get(name))
        if most is not None and not 0 <= value <= most:
            raise Refused(f"a number from 0 to {most} is wanted here", expression=path)
        return value
    pattern, wanted = _PATTERNS.get(path, (None, ""))
    if pattern is not None and not pattern.fullmatch(value):
        raise Refused(f"{wanted} is wanted here", expression=path)
    row, words = _row(desk, path)
    if row is None:
        return value
    if row.kind == "date" and span(value) is None:
        raise Refused("a date is wanted here, such as 2026-07-10 or 2026-07", expression=path)
    return _coded(desk, path, value, words) if words else value


def _coded(desk: Desk, path: str, value: Any, words: Collection[str]) -> Any:
    if isinstance(value, tuple):
        silent = {one.not_serious for one in desk.fields} if path.endswith(".seriousness") else set()
        if len(value) == 1 and value[0] in silent:
            return ()  # an answer that none of the criteria holds
        words = [one for one in words if one not in silent]
    for one in value if isinstance(value, tuple) else (value,):
        if one not in words:
            raise Refused(f"one of these is wanted here: {', '.join(words)}", expression=path)
    return value


def _row(desk: Desk, path: str) -> tuple[Field | None, tuple[str, ...]]:
    """The row of the table of fields that the path fills, and the codes that it may hold, if it is coded."""
    data = desk.content.data.get(FORM)
    if data is None:
        return None, ()
    form = read_form(data)
    first, *rest = path.split(".")
    for section in form.sections:
        source = tuple(rest[1:]) if section.each == first else (first, *rest) if not section.each else ()
        for row in section.fields:
            if row.source == source:
                listed = read_words([one.resource for one in desk.content.of_type("Questionnaire")], form)
                held = listed.get(row.words, {}) if row.words else {}
                shown = [one.display for one in held.values() if one.display and first in _IN_WORDS]
                return row, tuple(dict.fromkeys((*held, *shown)))
    return None, ()
