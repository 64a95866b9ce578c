"""The operators (§6): the code of each, from the codes of its sides."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .arithmetic import ARITHMETIC, concatenate
from .code import Code, One, Run, single, truth, valued, values_of
from .comparison import ORDERS, in_order
from .equality import ItemSet, Work, equal, equal_collections, equivalent_collections
from .errors import EvaluationError
from .nodes import Node
from .texts import pay
from .values import system, type_name

if TYPE_CHECKING:
    from .frame import Frame

_PLAIN: frozenset[Any] = frozenset({str, bool, int, Decimal})


def arithmetic(operator: str, left: Code, right: Code) -> Code:
    """Code for an arithmetic operator: empty where either side is."""
    operation = ARITHMETIC[operator]
    one, two = single(left, operator), single(right, operator)

    def apply(frame: Frame) -> Any:
        a, b = one(frame), two(frame)
        if a is None or b is None:
            return None
        found = operation(a, b)
        if found.__class__ is str:
            pay(found, frame)
        return found

    return valued(apply)


def concatenation(left: Code, right: Code) -> Code:
    """Code for `&` (§6.6.7): an empty side counts as the empty text."""
    one, two = single(left, "&"), single(right, "&")

    def apply(frame: Frame) -> str:
        a, b = one(frame), two(frame)
        texts: list[str] = []
        for value in (a, b):
            if value is None:
                value = ""
            if value.__class__ is not str:
                raise EvaluationError(f"& takes Strings, found {type_name(value)}")
            texts.append(value)
        found = concatenate(*texts)
        pay(found, frame)
        return found

    return valued(apply)


def comparison(operator: str, left: Code, right: Code) -> Code:
    """Code for `<`, `<=`, `>` and `>=`: empty where either side is, or where the order is open."""
    one, two = single(left, operator), single(right, operator)
    holds = ORDERS[operator]
    return valued(lambda frame: in_order(holds, one(frame), two(frame)), boolean=True)


def equality(operator: str, left: Code, right: Code) -> Code:
    """Code for `=` and `!=` (§6.1.1, §6.1.2): empty where either side is."""
    negated = operator == "!="
    same: One
    if left.one is not None and right.one is not None:
        one, two = left.one, right.one

        def same(frame: Frame) -> bool | None:
            a, b = one(frame), two(frame)
            if a.__class__ is b.__class__ and a.__class__ in _PLAIN:
                return bool(a == b)
            return None if a is None or b is None else equal(a, b)

    elif right.value.__class__ in _PLAIN:
        same = _same_as(values_of(left), right.value)

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


def _same_as(many: Run, wanted: Any) -> One:
    """Whether the one item is a literal's value."""
    kind = wanted.__class__

    def same(frame: Frame) -> bool | None:
        items = many(frame)
        if len(items) != 1:
            return False if items else None
        item = items[0]
        if item.__class__ is Node:
            read = item.shape.read
            value = item if read is None else read(item)
        else:
            value = item
        return bool(value == wanted) if value.__class__ is kind else equal(item, wanted)

    return same


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
    run, items, texts = values_of(sought), values_of(among), among.texts or frozenset()

    def test(frame: Frame) -> bool | None:
        wanted = run(frame)
        if not wanted:
            return None
        if len(wanted) > 1:
            raise EvaluationError(f"{operator} looks for one item, found {len(wanted)}")
        value = system(wanted[0])
        if value is None:
            return None
        if texts and value.__class__ is str:
            return value in texts
        return _is_among(wanted[0], items(frame), frame)

    if sought.value.__class__ is str:
        return valued(_text_among(sought.value, items), boolean=True)
    return valued(test, boolean=True)


def _text_among(text: str, items: Run) -> One:
    """Whether a literal's text is among the items."""

    def test(frame: Frame) -> bool:
        found = items(frame)
        for item in found:
            if item.__class__ is not str:
                return _is_among(text, found, frame)
        frame.steps -= len(found)
        if frame.steps < 0:
            frame.spend(0)
        return text in found

    return test


def _is_among(wanted: Any, found: list[Any], frame: Frame) -> bool:
    frame.spend(len(found))
    work = Work()
    known = False
    for item in found:
        if equal(wanted, item, work) is True:
            known = True
            break
    frame.spend(work.comparisons)
    return known


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
    if operator in ORDERS:
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
