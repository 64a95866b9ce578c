"""The operators (§6): what each makes of two values. The compiler takes the values and handles emptiness."""

from __future__ import annotations

from decimal import Decimal
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

from . import decimals, quantity, temporal
from .code import Code, One, single, truth, valued, values_of
from .comparison import compare
from .equality import ItemSet, Work, as_quantity, equal, equal_collections, equivalent_collections
from .errors import EvaluationError, LimitError
from .nodes import Node
from .quantity import Quantity
from .temporal import Date, DateTime, Time
from .texts import paid
from .values import system, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from .frame import Frame

_NUMBERS: frozenset[Any] = frozenset({int, Decimal})
_MOMENTS: frozenset[Any] = frozenset({Date, DateTime, Time})
_LONGEST = 1_000_000


def _integer(value: int) -> int | None:
    """An Integer has 32 bits; overflow is empty (§6.6)."""
    return value if -(2**31) <= value < 2**31 else None


def add(a: Any, b: Any) -> Any:
    """a + b (§6.6.3): numbers, texts, quantities, a date or time and a time-valued quantity (§6.7)."""
    kind, other = a.__class__, b.__class__
    if kind is int and other is int:
        return _integer(a + b)
    if kind in _NUMBERS and other in _NUMBERS:
        return decimals.add(Decimal(a), Decimal(b))
    if kind is str and other is str:
        return concatenate(a, b)
    if kind in _MOMENTS and other is Quantity:
        return _moved(a, b, 1)
    if kind is Quantity or other is Quantity:
        return _measured(a, b, "+", quantity.add)
    raise _mismatch(a, "+", b)


def subtract(a: Any, b: Any) -> Any:
    """a - b (§6.6.4)."""
    kind, other = a.__class__, b.__class__
    if kind is int and other is int:
        return _integer(a - b)
    if kind in _NUMBERS and other in _NUMBERS:
        return decimals.subtract(Decimal(a), Decimal(b))
    if kind in _MOMENTS and other is Quantity:
        return _moved(a, b, -1)
    if kind is Quantity or other is Quantity:
        return _measured(a, b, "-", quantity.subtract)
    raise _mismatch(a, "-", b)


def multiply(a: Any, b: Any) -> Any:
    """a * b (§6.6.1)."""
    kind, other = a.__class__, b.__class__
    if kind is int and other is int:
        return _integer(a * b)
    if kind in _NUMBERS and other in _NUMBERS:
        return decimals.multiply(Decimal(a), Decimal(b))
    return _measured(a, b, "*", quantity.multiply)


def divide(a: Any, b: Any) -> Any:
    """a / b (§6.6.2): always a Decimal; empty by zero."""
    if a.__class__ in _NUMBERS and b.__class__ in _NUMBERS:
        return decimals.divide(Decimal(a), Decimal(b))
    return _measured(a, b, "/", quantity.divide)


def whole(a: Any, b: Any) -> Any:
    """a div b (§6.6.5): the division without its remainder; empty by zero."""
    if a.__class__ is int and b.__class__ is int:
        return _integer(_quotient(a, b)) if b else None
    if a.__class__ in _NUMBERS and b.__class__ in _NUMBERS:
        found = decimals.truncated_divide(Decimal(a), Decimal(b))
        return None if found is None else _integer(found)
    raise _mismatch(a, "div", b)


def remainder(a: Any, b: Any) -> Any:
    """a mod b (§6.6.6): the remainder of that division; empty by zero."""
    if a.__class__ is int and b.__class__ is int:
        return a - b * _quotient(a, b) if b else None
    if a.__class__ in _NUMBERS and b.__class__ in _NUMBERS:
        return decimals.modulo(Decimal(a), Decimal(b))
    raise _mismatch(a, "mod", b)


def _quotient(a: int, b: int) -> int:
    """The quotient with its fraction dropped: towards zero, where Python's own goes down."""
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def concatenate(a: str, b: str) -> str:
    """The two texts as one, no longer than a text may be."""
    if len(a) + len(b) > _LONGEST:
        raise LimitError(f"a text longer than {_LONGEST} characters")
    return a + b


def negate(value: Any) -> Any:
    """-value (§6.6): of a number or quantity."""
    if value.__class__ is int:
        return _integer(-value)
    if value.__class__ is Decimal:
        return value.copy_negate() if value else value
    if value.__class__ is Quantity:
        return quantity.negate(value)
    raise EvaluationError(f"- takes a number or a Quantity, found {type_name(value)}")


def affirm(value: Any) -> Any:
    """+value: the number or quantity as it is."""
    if value.__class__ in _NUMBERS or value.__class__ is Quantity:
        return value
    raise EvaluationError(f"+ takes a number or a Quantity, found {type_name(value)}")


def _moved(moment: Any, by: Quantity, sign: int) -> Any:
    try:
        amount = by.value if sign > 0 else by.value.copy_negate()
        return temporal.add(moment, amount, by.unit)
    except ValueError as error:
        raise EvaluationError(str(error)) from None


def _measured(a: Any, b: Any, operator: str, operation: Any) -> Any:
    left, right = as_quantity(a), as_quantity(b)
    if left is None or right is None:
        raise _mismatch(a, operator, b)
    return operation(left, right)


def _mismatch(a: Any, operator: str, b: Any) -> EvaluationError:
    return EvaluationError(f"{operator} cannot take {type_name(a)} and {type_name(b)}")


ARITHMETIC = {"+": add, "-": subtract, "*": multiply, "/": divide, "div": whole, "mod": remainder}


def arithmetic(operator: str, left: Code, right: Code) -> Code:
    """Code for an arithmetic operator: empty where either side is."""
    operation = ARITHMETIC[operator]
    one, two = single(left, operator), single(right, operator)

    def apply(frame: Frame) -> Any:
        a, b = one(frame), two(frame)
        return None if a is None or b is None else operation(a, b)

    return valued(paid(apply) if operator == "+" else apply)


def concatenation(left: Code, right: Code) -> Code:
    """Code for `&` (§6.6.7): an empty side counts as the empty text."""
    one, two = single(left, "&"), single(right, "&")

    def apply(frame: Frame) -> str:
        a, b = one(frame), two(frame)
        if a.__class__ is str and b.__class__ is str:
            return concatenate(a, b)
        texts = []
        for value in (a, b):
            if value is None:
                value = ""
            if value.__class__ is not str:
                raise EvaluationError(f"& takes Strings, found {type_name(value)}")
            texts.append(value)
        return concatenate(*texts)

    return valued(paid(apply))


_HOLDS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def comparison(operator: str, left: Code, right: Code) -> Code:
    """Code for `<`, `<=`, `>` and `>=`: empty where either side is, or where the order is open."""
    one, two = single(left, operator), single(right, operator)
    holds = _HOLDS[operator]

    def test(frame: Frame) -> bool | None:
        a = one(frame)
        b = two(frame)
        kind, other = a.__class__, b.__class__
        if (kind is int or kind is Decimal) and (other is int or other is Decimal):
            return holds(a, b)
        if a is None or b is None:
            return None
        order = compare(a, b)
        return None if order is None else holds(order, 0)

    return valued(test, boolean=True)


def equality(operator: str, left: Code, right: Code) -> Code:
    """Code for `=` and `!=` (§6.1.1, §6.1.2): empty where either side is."""
    negated = operator == "!="
    if left.one is not None and right.one is not None:
        one, two = left.one, right.one

        def same(frame: Frame) -> bool | None:
            a, b = one(frame), two(frame)
            return None if a is None or b is None else equal(a, b)

    elif right.one is not None:
        many, constant = values_of(left), right.one

        def same(frame: Frame) -> bool | None:
            items, b = many(frame), constant(frame)
            if not items or b is None:
                return None
            return equal(items[0], b) if len(items) == 1 else False

    else:
        run, other = values_of(left), values_of(right)

        def same(frame: Frame) -> bool | None:
            a, b = run(frame), other(frame)
            if not a or a[0].__class__ is not Node:
                return equal_collections(a, b)
            work = Work()
            found = equal_collections(a, b, work)
            frame.spend(work.comparisons)
            return found

    if not negated:
        return valued(same, boolean=True)

    def different(frame: Frame) -> bool | None:
        found = same(frame)
        return None if found is None else not found

    return valued(different, boolean=True)


def equivalence(operator: str, left: Code, right: Code) -> Code:
    """Code for `~` and `!~` (§6.1.3, §6.1.4): never empty."""
    run, other, negated = values_of(left), values_of(right), operator == "!~"

    def same(frame: Frame) -> bool:
        a, b = run(frame), other(frame)
        frame.spend(len(a) * len(b) if len(a) == len(b) else 1)
        work = Work()
        found = equivalent_collections(a, b, work)
        frame.spend(work.comparisons)
        return found is not negated

    return valued(same, boolean=True)


def membership(operator: str, left: Code, right: Code) -> Code:
    """Code for `in` and `contains` (§6.4): empty where there is no item to look for."""
    sought, among = (left, right) if operator == "in" else (right, left)
    run, items, texts = values_of(sought), values_of(among), among.texts

    def test(frame: Frame) -> bool | None:
        wanted = run(frame)
        if not wanted:
            return None
        if len(wanted) > 1:
            raise EvaluationError(f"{operator} looks for one item, found {len(wanted)}")
        if texts is not None and wanted[0].__class__ is str:
            return wanted[0] in texts
        if system(wanted[0]) is None:
            return None
        found = items(frame)
        frame.spend(len(found))
        work = Work()
        known = any(equal(wanted[0], item, work) is True for item in found)
        frame.spend(work.comparisons)
        return known

    return valued(test, boolean=True)


def combination(left: Code, right: Code) -> Code:
    """Code for `|` (§6.4.1): the items of both, without duplicates."""
    run, other = left.run, right.run

    def union(frame: Frame) -> list[Any]:
        items = [*run(frame), *other(frame)]
        frame.spend(len(items))
        if len(items) < 2:
            return items
        seen = ItemSet()
        return [item for item in items if seen.add(item)]

    return Code(union)


def _conjunction(one: One, two: One) -> One:
    def test(frame: Frame) -> bool | None:
        a = one(frame)
        if a is False:
            return False
        b = two(frame)
        return False if b is False else True if a is True and b is True else None

    return test


def _disjunction(one: One, two: One) -> One:
    def test(frame: Frame) -> bool | None:
        a = one(frame)
        if a is True:
            return True
        b = two(frame)
        return True if b is True else False if a is False and b is False else None

    return test


def _exclusion(one: One, two: One) -> One:
    def test(frame: Frame) -> bool | None:
        a, b = one(frame), two(frame)
        return None if a is None or b is None else a is not b

    return test


def _implication(one: One, two: One) -> One:
    def test(frame: Frame) -> bool | None:
        a = one(frame)
        if a is False:
            return True
        b = two(frame)
        return True if b is True else None if a is None or b is None else False

    return test


LOGIC = {"and": _conjunction, "or": _disjunction, "xor": _exclusion, "implies": _implication}


def logic(operator: str, left: Code, right: Code) -> Code:
    """Code for `and`, `or`, `xor` and `implies` (§6.5), in three-valued logic. The right side is evaluated
    only where the left one leaves the answer open."""
    return valued(LOGIC[operator](truth(left, operator), truth(right, operator)), boolean=True)


def operation(operator: str, left: Code, right: Code) -> Code:
    """Code for any binary operator."""
    if operator in LOGIC:
        return logic(operator, left, right)
    if operator in ("=", "!="):
        return equality(operator, left, right)
    if operator in _HOLDS:
        return comparison(operator, left, right)
    if operator in ARITHMETIC:
        return arithmetic(operator, left, right)
    match operator:
        case "&":
            return concatenation(left, right)
        case "|":
            return combination(left, right)
        case "~" | "!~":
            return equivalence(operator, left, right)
    return membership(operator, left, right)
