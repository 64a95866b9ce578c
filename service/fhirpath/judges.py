"""Judges of texts, and judges joined by three-valued logic (§6.5).

Of two that are joined the right one is asked only where the left one leaves the answer open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .plain_parts import Strange

if TYPE_CHECKING:
    from collections.abc import Callable

    from .frame import Frame
    from .plain_parts import Judge

    Texts = tuple[str, str, frozenset[str]]


def of_texts(tests: tuple[Texts, ...]) -> Judge:
    """The judge of tests joined by `and`: a property, that beside it, and the texts it is to be one of."""

    def judge(value: Any, _frame: Frame) -> bool | None:
        verdict: bool | None = True
        for field, beside, texts in tests:
            found = value.get(field)
            if found.__class__ is str:
                if found not in texts:
                    return False
            elif found is None and beside not in value:
                verdict = None
            else:
                raise Strange
        return verdict

    return judge


def opposite(inner: Judge) -> Judge:
    """The judge that says the opposite of another: not() (§6.5.3)."""

    def judge(value: Any, frame: Frame) -> bool | None:
        found = inner(value, frame)
        return None if found is None else not found

    return judge


def _and(one: Judge, two: Judge) -> Judge:
    def judge(value: Any, frame: Frame) -> bool | None:
        a = one(value, frame)
        if a is False:
            return False
        b = two(value, frame)
        return False if b is False else True if a is True and b is True else None

    return judge


def _or(one: Judge, two: Judge) -> Judge:
    def judge(value: Any, frame: Frame) -> bool | None:
        a = one(value, frame)
        if a is True:
            return True
        b = two(value, frame)
        return True if b is True else False if a is False and b is False else None

    return judge


def _xor(one: Judge, two: Judge) -> Judge:
    def judge(value: Any, frame: Frame) -> bool | None:
        a, b = one(value, frame), two(value, frame)
        return None if a is None or b is None else a is not b

    return judge


def _implies(one: Judge, two: Judge) -> Judge:
    def judge(value: Any, frame: Frame) -> bool | None:
        a = one(value, frame)
        if a is False:
            return True
        b = two(value, frame)
        return True if b is True else None if a is None or b is None else False

    return judge


LOGIC: dict[str, Callable[[Judge, Judge], Judge]] = {
    "and": _and,
    "or": _or,
    "xor": _xor,
    "implies": _implies,
}
