"""Dates as people write them in running text, read for comparison with a known birth date."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_MONTH = "(?P<month>" + "|".join(rf"{one[:3]}(?:{one[3:]})?" + ("|sept" if one[0:4] == "sept" else "")
                                 for one in _MONTHS) + ")"  # fmt: skip
_UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
    "nineteenth", "twentieth",
)  # fmt: skip
_WORDS: dict[str, int] = {
    **{word: at for at, word in enumerate((*_UNITS, *_TEENS), start=1)},
    **{word: at * 10 for at, word in enumerate(_TENS, start=2)},
    **{word: at for at, word in enumerate(_ORDINALS, start=1)},
    "thirtieth": 30,
}
_SAID = "|".join(sorted(_WORDS, key=len, reverse=True))
_BETWEEN = r"[\s-]{1,2}"
_DAY = rf"(?P<day>\d{{1,2}}(?:st|nd|rd|th)?|(?:(?:twenty|thirty){_BETWEEN})?(?:{_SAID}))"
_YEAR = (
    rf"(?P<year>\d{{4}}|'?\d{{2}}|(?:(?:nineteen|twenty|two){_BETWEEN}(?:(?:hundred|thousand){_BETWEEN})?"
    rf"(?:and\s)?)?(?:(?:{'|'.join(_TENS)})(?:{_BETWEEN}(?:{'|'.join(_UNITS)}))?\b|(?:{'|'.join(_TEENS)})\b"
    rf"|(?:oh{_BETWEEN})?(?:{'|'.join(_UNITS)})\b))"
)
_GAP = r"[\s.,/_-]{0,3}"
_SEPARATOR = r"\s{0,2}[\s./,_\\-]\s{0,2}"
_EDGE, _END = r"(?<!\d)", r"(?!\d)"
_NUMBERS = re.compile(rf"{_EDGE}(?=((\d{{1,4}}){_SEPARATOR}(\d{{1,2}}){_SEPARATOR}(\d{{1,4}}){_END}))")
"""Looked for from every number on: in ``day 3 17/08/1951`` the date is not the first three numbers."""

_PACKED = re.compile(rf"{_EDGE}(\d{{8}}|\d{{6}}){_END}")
_DAY_FIRST = re.compile(rf"(?<!\w){_DAY}{_GAP}(?:of\s{{1,2}})?{_MONTH}\b{_GAP}{_YEAR}{_END}")
_MONTH_FIRST = re.compile(rf"\b{_MONTH}{_GAP}(?:the\s)?{_DAY}{_GAP}{_YEAR}{_END}")
_MONTH_ONLY = re.compile(rf"\b{_MONTH}{_GAP}(?:of\s{{1,2}})?(?P<year>\d{{4}}|'\d{{2}}){_END}")
_YEAR_FIRST = re.compile(rf"{_EDGE}(?P<year>\d{{4}}){_GAP}{_MONTH}{_GAP}(?P<day>\d{{1,2}}){_END}")


def find_dates(text: str) -> Iterator[tuple[int, int, frozenset[tuple[int, int, int]]]]:
    """Start, end and every possible reading (year, month, day) of each date in a folded text.

    A year of two digits is read in this century and in the last. 0 as the day: only a month is named.
    """
    for match in _NUMBERS.finditer(text):
        whole, *numbers = match.groups()
        yield match.start(), match.start() + len(whole), frozenset(_numbers(*numbers))
    for match in _PACKED.finditer(text):
        yield match.start(), match.end(), frozenset(_packed(match.group()))
    for pattern in (_DAY_FIRST, _MONTH_FIRST, _YEAR_FIRST):
        for match in pattern.finditer(text):
            month, day = _number(match["month"]), _day(match["day"])
            yield match.start(), match.end(), frozenset((y, month, day) for y in _years(match["year"]))
    for match in _MONTH_ONLY.finditer(text):
        month = _number(match["month"])
        yield match.start(), match.end(), frozenset((y, month, 0) for y in _years(match["year"]))


def _numbers(first: str, middle: str, last: str) -> Iterator[tuple[int, int, int]]:
    if len(first) in (3, 4):
        yield int(first), int(middle), int(last)
        yield int(first), int(last), int(middle)
        return
    for year in _years(last):
        yield year, int(middle), int(first)
        yield year, int(first), int(middle)
    if len(last) <= 2:
        for year in _years(first):
            yield year, int(middle), int(last)


def _packed(text: str) -> Iterator[tuple[int, int, int]]:
    if len(text) == 8:
        yield from _numbers(text[:2], text[2:4], text[4:])
        yield int(text[:4]), int(text[4:6]), int(text[6:])
    else:
        yield from _numbers(text[:2], text[2:4], text[4:])


def _day(text: str) -> int:
    digits = re.match(r"\d+", text)
    return int(digits[0]) if digits else sum(_WORDS[word] for word in re.split(r"[\s-]+", text))


def _years(text: str) -> tuple[int, ...]:
    if not text[-1].isdigit():
        return _spoken(re.split(r"[\s-]+", text))
    digits = text.lstrip("'")
    if len(digits) > 2:
        return (int(digits),)
    return 1900 + int(digits), 2000 + int(digits)


def _spoken(words: list[str]) -> tuple[int, ...]:
    """The years that words may say: ``nineteen fifty one``, ``two thousand and four``, ``fifty one``."""
    said = [_WORDS[word] for word in words if word in _WORDS]
    if "thousand" in words:
        return (2000 + sum(said[1:]),)
    years = {1900 + sum(said) % 100, 2000 + sum(said) % 100}
    if words[0] in ("nineteen", "twenty") and len(said) > 1:
        years.add(said[0] * 100 + sum(said[1:]))
    return tuple(sorted(years))


def _number(month: str) -> int:
    return next(at for at, one in enumerate(_MONTHS, start=1) if one.startswith(month[:3]))
