"""What an invariant comes to, judged only by which elements are present and by a few codes.

Most of HL7's invariants ask whether elements stand together (``summary.exists() or assessment.exists()``),
or which may stand beside a code (``type != 'group' or answerOption.empty()``). For these the answer is the
same for every object of the same shape and need not be worked out each time. The judgement is sound, not
complete: it says True only where evaluation says true (FHIRPath §4.5, §5.1, §6.5: empty collections,
existence, three-valued logic); what it does not follow is unknown. A test holds it to the engine.
"""

from __future__ import annotations

import operator as operators
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from service.fhirpath import syntax

if TYPE_CHECKING:
    from collections.abc import Mapping


class Verdict(Enum):
    """What is known of a collection."""

    TRUE = "true"
    FALSE = "false"
    EMPTY = "empty"
    SOME = "at least one item"
    FOCUS = "the object itself"
    UNKNOWN = "unknown"


Judged: TypeAlias = "Verdict | frozenset[str] | int"
"""A verdict, or the strings that the collection is known to hold, or the one whole number."""

_TRUE: Final = Verdict.TRUE
_FALSE: Final = Verdict.FALSE
_EMPTY: Final = Verdict.EMPTY
_UNKNOWN: Final = Verdict.UNKNOWN

# Functions whose answer over nothing is nothing (FHIRPath §5.2, §5.3, §5.5, §5.6, §5.8).
_PASS_EMPTY = frozenset(
    {
        "where",
        "select",
        "first",
        "last",
        "tail",
        "ofType",
        "as",
        "resolve",
        "startsWith",
        "endsWith",
        "contains",
    }
    | {
        "matches",
        "substring",
        "toInteger",
        "length",
        "single",
        "repeat",
        "children",
        "descendants",
        "distinct",
    }
)
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_ORDERS = {
    "=": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}


class Judge:
    """Judges expressions over one shape: the elements that are present, codes and lengths that are known."""

    __slots__ = ("_codes", "_focus", "_lengths", "_present")

    def __init__(
        self,
        type_name: str,
        present: frozenset[str],
        codes: Mapping[str, str],
        lengths: Mapping[str, int] | None = None,
    ) -> None:
        """``present`` has FHIRPath's element names (``value`` for ``valueCoding``)."""
        self._focus = type_name
        self._present = present
        self._codes = codes
        self._lengths = lengths or {}

    def of(self, tree: syntax.Expression) -> Judged:
        """What the expression comes to."""
        match tree:
            case syntax.Literal(kind="Boolean", text=text):
                return _TRUE if text == "true" else _FALSE
            case syntax.Literal(kind="String", text=text):
                return frozenset((text,))
            case syntax.Literal(kind="Integer", text=text):
                return int(text)
            case syntax.Literal() | syntax.QuantityLiteral():
                return Verdict.SOME
            case syntax.Empty():
                return _EMPTY
            case syntax.Special(name="this"):
                return Verdict.FOCUS
            case syntax.Member(source=source, name=name):
                return self._member(source, name)
            case syntax.Call():
                return self._call(tree)
            case syntax.Binary():
                return self._binary(tree)
            case syntax.Indexer(source=source) | syntax.TypeTest(operand=source):
                return _EMPTY if self.of(source) is _EMPTY else _UNKNOWN
            case _:
                return _UNKNOWN

    def _member(self, source: syntax.Expression | None, name: str) -> Judged:
        if source is None:
            if name == self._focus:
                return Verdict.FOCUS
        else:
            found = self.of(source)
            if found is not Verdict.FOCUS:
                return _EMPTY if found is _EMPTY else _UNKNOWN
        if name not in self._present:
            return _EMPTY
        code = self._codes.get(name)
        return Verdict.SOME if code is None else frozenset((code,))

    def _call(self, call: syntax.Call) -> Judged:
        source: Judged = Verdict.FOCUS if call.source is None else self.of(call.source)
        name, some = call.name, source not in (_EMPTY, _UNKNOWN)
        if name == "trace":
            return source
        if name == "extension":
            return _EMPTY if source is Verdict.FOCUS and "extension" not in self._present else _UNKNOWN
        if name == "count" and isinstance(call.source, syntax.Member) and call.source.source is None:
            known = 0 if source is _EMPTY else self._lengths.get(call.source.name)
            return _UNKNOWN if known is None else known
        if source is _EMPTY:
            return _over_nothing(name)
        if call.arguments or not some:
            return _UNKNOWN
        if name == "exists":
            return _TRUE
        if name == "empty":
            return _FALSE
        if name == "not":
            return _FALSE if source is _TRUE else _TRUE if source is _FALSE else _UNKNOWN
        return _UNKNOWN

    def _binary(self, tree: syntax.Binary) -> Judged:
        left, right, operator = self.of(tree.left), self.of(tree.right), tree.operator
        if operator in ("and", "or", "xor", "implies"):
            return _logic(operator, left, right)
        if operator == "|":
            return _union(left, right)
        if operator == "in":
            if left is _EMPTY:
                return _EMPTY
            if isinstance(left, frozenset) and isinstance(right, frozenset) and len(left) == 1:
                return _TRUE if left <= right else _FALSE
            return _UNKNOWN
        if operator in _COMPARISONS and _EMPTY in (left, right):
            return _EMPTY
        if operator in _ORDERS and type(left) is int and type(right) is int:
            return _TRUE if _ORDERS[operator](left, right) else _FALSE
        if operator in ("=", "!=") and (same := _same(left, right)) is not None:
            return _TRUE if same is (operator == "=") else _FALSE
        return _UNKNOWN


def _over_nothing(name: str) -> Judged:
    if name in ("empty", "all", "isDistinct"):
        return _TRUE
    if name in ("exists", "hasValue"):
        return _FALSE
    return _EMPTY if name in _PASS_EMPTY or name == "not" else _UNKNOWN


def _same(left: Judged, right: Judged) -> bool | None:
    if isinstance(left, frozenset) and isinstance(right, frozenset) and len(left) == len(right) == 1:
        return left == right
    if left in (_TRUE, _FALSE) and right in (_TRUE, _FALSE):
        return left is right
    return None


def _union(left: Judged, right: Judged) -> Judged:
    if left is _EMPTY:
        return right
    if right is _EMPTY:
        return left
    if isinstance(left, frozenset) and isinstance(right, frozenset):
        return left | right
    return _UNKNOWN


def _logic(operator: str, left: Judged, right: Judged) -> Judged:
    """Kleene's three-valued logic (§6.5); what is no known truth value stays unknown."""
    if operator == "implies":
        if left is _FALSE or right is _TRUE:
            return _TRUE
        return right if left is _TRUE and right in (_FALSE, _EMPTY) else _UNKNOWN
    if operator == "or":
        if _TRUE in (left, right):
            return _TRUE
        return _FALSE if left is _FALSE and right is _FALSE else _UNKNOWN
    if operator == "and":
        if _FALSE in (left, right):
            return _FALSE
        return _TRUE if left is _TRUE and right is _TRUE else _UNKNOWN
    same = _same(left, right)
    return _UNKNOWN if same is None else (_FALSE if same else _TRUE)
