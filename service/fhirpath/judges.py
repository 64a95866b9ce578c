"""Judges of texts, and judges joined by three-valued logic (§6.5).

Of those that are joined one is asked only where those before it leave the answer open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .plain_parts import Strange

if TYPE_CHECKING:
    from collections.abc import Callable

    from .frame import Frame
    from .plain_parts import Judge

    Texts = tuple[str, str, frozenset[str]]


class Table(NamedTuple):
    """A criterion that a text decides: the JSON property of it, and by text the judge of what more is asked
    (None: nothing more). Any other text is not asked for. `otherwise` judges what has no plain text there."""

    field: str
    rests: dict[str, Judge | None]
    otherwise: Judge


def of_table(table: Table) -> Judge:
    """The judge of a criterion that a text decides."""
    field, rests, otherwise = table

    def judge(value: Any, frame: Frame) -> bool | None:
        text = value.get(field)
        if text.__class__ is not str:
            return otherwise(value, frame)
        if text not in rests:
            return False
        rest = rests[text]
        return True if rest is None else rest(value, frame)

    return judge


def of_texts(tests: tuple[Texts, ...]) -> Judge:
    """The judge of tests joined by `and`: a property, that beside it, and the texts it is to be one of."""
    if len(tests) == 1:
        return _of_text(*tests[0])

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


def _of_text(field: str, beside: str, texts: frozenset[str]) -> Judge:
    def judge(value: Any, _frame: Frame) -> bool | None:
        found = value.get(field)
        if found.__class__ is str:
            return found in texts
        if found is None and beside not in value:
            return None
        raise Strange

    return judge


def opposite(inner: Judge) -> Judge:
    """The judge that says the opposite of another: not() (§6.5.3)."""

    def judge(value: Any, frame: Frame) -> bool | None:
        found = inner(value, frame)
        return None if found is None else not found

    return judge


def all_of(judges: tuple[Judge, ...]) -> Judge:
    """The judge of `and`."""
    return _joined(judges, decisive=False)


def any_of(judges: tuple[Judge, ...]) -> Judge:
    """The judge of `or`."""
    return _joined(judges, decisive=True)


def _joined(judges: tuple[Judge, ...], *, decisive: bool) -> Judge:
    """The judge of several, of whose verdicts one decides at once; None leaves it open."""
    if len(judges) == 1:
        return judges[0]

    def judge(value: Any, frame: Frame) -> bool | None:
        verdict: bool | None = not decisive
        for one in judges:
            said = one(value, frame)
            if said is decisive:
                return decisive
            if said is None:
                verdict = None
        return verdict

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


LOGIC: dict[str, Callable[[Judge, Judge], Judge]] = {"xor": _xor, "implies": _implies}
