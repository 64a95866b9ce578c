"""String manipulation (§5.6), and the additional string functions (§5.6 of 2.1 and later)."""

from __future__ import annotations

from typing import Any

from service.fhirpath.errors import EvaluationError, LimitError
from service.fhirpath.values import system, type_name

from .registry import collection, scalar

LONGEST = 1_000_000
"""How long a text a function may make: repeated doubling must end before memory does."""


def bounded(text: str) -> str:
    """The text, unless it is longer than any function may make (LimitError)."""
    if len(text) > LONGEST:
        raise LimitError(f"a text longer than {LONGEST} characters")
    return text


@scalar("indexOf", "5.6.1", "substring: String", takes="String", gives="Integer")
def index_of(text: str, substring: str) -> int:
    """indexOf(substring) : Integer. Where it first stands, from 0; -1 if nowhere."""
    return text.find(substring)


@scalar("lastIndexOf", "lastIndexOf of 3.0", "substring: String", takes="String", gives="Integer")
def last_index_of(text: str, substring: str) -> int:
    """lastIndexOf(substring) : Integer. Where it last stands, from 0; -1 if nowhere."""
    return text.rfind(substring)


@scalar("substring", "5.6.2", "start: Integer", "length?: Integer", takes="String", gives="String")
def substring(text: str, start: int, length: int | None = None) -> str | None:
    """substring(start [, length]) : String. Empty if the start is outside the text."""
    if not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(length, 0)]


@scalar("startsWith", "5.6.3", "prefix: String", takes="String", gives="Boolean")
def starts_with(text: str, prefix: str) -> bool:
    """startsWith(prefix) : Boolean."""
    return text.startswith(prefix)


@scalar("endsWith", "5.6.4", "suffix: String", takes="String", gives="Boolean")
def ends_with(text: str, suffix: str) -> bool:
    """endsWith(suffix) : Boolean."""
    return text.endswith(suffix)


@scalar("contains", "5.6.5", "substring: String", takes="String", gives="Boolean")
def contains(text: str, substring: str) -> bool:
    """contains(substring) : Boolean."""
    return substring in text


@scalar("upper", "5.6.6", takes="String", gives="String")
def upper(text: str) -> str:
    """upper() : String."""
    return text.upper()


@scalar("lower", "5.6.7", takes="String", gives="String")
def lower(text: str) -> str:
    """lower() : String."""
    return text.lower()


@scalar("replace", "5.6.8", "pattern: String", "substitution: String", takes="String", gives="String")
def replace(text: str, pattern: str, substitution: str) -> str:
    """replace(pattern, substitution) : String. Each occurrence; an empty pattern surrounds each character."""
    if len(text) * (len(substitution) + 1) > LONGEST:
        count = text.count(pattern)
        if len(text) + count * (len(substitution) - len(pattern)) > LONGEST:
            raise LimitError(f"a text longer than {LONGEST} characters")
    return text.replace(pattern, substitution)


@scalar("length", "5.6.11", takes="String", gives="Integer")
def length(text: str) -> int:
    """length() : Integer. The number of characters."""
    return len(text)


@collection("toChars", "5.6.12", gives="any")
def to_chars(items: list[Any]) -> list[Any]:
    """toChars() : collection. The characters one by one."""
    if len(items) > 1:
        raise EvaluationError(f"toChars() takes one item, found {len(items)}")
    return [character for item in items for character in _text(item, "toChars")]


@scalar("trim", "additional string functions", takes="String", gives="String")
def trim(text: str) -> str:
    """trim() : String. Without blanks at either end."""
    return text.strip()


@collection("split", "additional string functions", "separator: String", gives="any")
def split(items: list[Any], separator: str | None) -> list[Any]:
    """split(separator) : collection. The parts between separators."""
    if len(items) > 1:
        raise EvaluationError(f"split() takes one item, found {len(items)}")
    if not items or separator is None:
        return []
    text = _text(items[0], "split")
    return list(text) if separator == "" else text.split(separator)


@collection("join", "additional string functions", "separator?: String", gives="String")
def join(items: list[Any], separator: str | None = "") -> str | None:
    """join([separator]) : String. The items as one text; empty for no items."""
    if not items or separator is None:
        return None
    texts = [_text(item, "join") for item in items]
    if sum(map(len, texts)) + len(separator) * len(texts) > LONGEST:
        raise LimitError(f"a text longer than {LONGEST} characters")
    return separator.join(texts)


def _text(item: Any, name: str) -> str:
    value = system(item)
    if value.__class__ is not str:
        raise EvaluationError(f"{name}() takes Strings, found {type_name(item)}")
    text: str = value
    return text
