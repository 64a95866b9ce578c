"""What is fuzzed: each target takes a text and raises only where the engine broke a promise.

A target catches the two errors FHIRPath may answer with and nothing else, so any other exception, a law that
does not hold, or a run without end is a finding. They need no fuzzer: `test_crashers.py` runs them too.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.fhirpath import EvaluationError, ExpressionError, Limits

from .seeds import EXPRESSIONS, PATTERNS, RESOURCES, VALUES

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 3, 29, 1, 30, 0, 250_000, UTC)
LIMITS = Limits(steps=20_000)
VARIABLES = ("a", "b", "c")


def parse(text: str) -> None:
    """A text is refused with an ExpressionError, or its tree written out parses to the same tree."""
    try:
        tree = fhirpath.parse(text)
    except ExpressionError:
        return
    written = fhirpath.to_text(tree)
    if fhirpath.parse(written) != tree:
        raise AssertionError(f"{text!r} was written as {written!r}, another tree")


def evaluate(text: str) -> None:
    """The first character chooses a resource; the rest, where it compiles, answers the same twice."""
    resource = RESOURCES[ord(text[0]) % len(RESOURCES)] if text else None
    try:
        program = fhirpath.compile(text[1:], variables=VARIABLES)
    except ExpressionError:
        return
    given = {"a": [1, 2], "b": "text", "c": Decimal("6.30")}
    if _answer(program, resource, given) != _answer(program, resource, given):
        raise AssertionError(f"{text!r} answered differently the second time")


def patterns(text: str) -> None:
    """Pattern, subject and substitution, parted by line ends, through the three functions of patterns."""
    pattern, _, rest = text.partition("\n")
    subject, _, substitution = rest.partition("\n")
    given = {"a": subject, "b": pattern, "c": substitution}
    for program in _PATTERNS:
        _answer(program, None, given)


def values(text: str) -> None:
    """Two texts, parted by a line end, read as dates, times, quantities and numbers, and worked with."""
    first, _, second = text.partition("\n")
    given = {"a": first, "b": second}
    for program in _VALUES:
        _answer(program, None, given)


def resources(text: str) -> None:
    """A text that is JSON, given as the resource to expressions of every kind."""
    try:
        resource = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError):
        return
    for program in PROGRAMS:
        _answer(program, resource, {"a": resource, "b": [], "c": None})


def _answer(program: fhirpath.Program, resource: Any, given: dict[str, Any]) -> object:
    try:
        return program(resource, variables=given, now=NOW, limits=LIMITS)
    except EvaluationError as error:
        return str(error)


def _compiled(texts: tuple[str, ...]) -> list[fhirpath.Program]:
    return [fhirpath.compile(text, variables=VARIABLES) for text in texts]


PROGRAMS = _compiled(EXPRESSIONS)
_PATTERNS = _compiled(PATTERNS)
_VALUES = _compiled(VALUES)

TARGETS: dict[str, Callable[[str], None]] = {
    "parse": parse,
    "evaluate": evaluate,
    "patterns": patterns,
    "values": values,
    "resources": resources,
}
"""Every target by its name on the command line."""
