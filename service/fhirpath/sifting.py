"""Paths with a where() or ofType(), whose items are wanted as nodes: nodes are made of what is kept alone.

Wherever the JSON is not plainly what its type says, the ordinary code answers or says what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import EvaluationError
from .nodes import Node
from .plain import chained, given, taking_over
from .plain_parts import Path, Strange
from .sieves import Level, onwards_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .frame import Frame
    from .plain_parts import Op, Run


def sifter(path: Path) -> Run:
    """The code of a path with parts that keep some of what is before them."""
    start, levels, chain = path.start, _levels(path.ops), _ordinary(path.ops)
    sieve = onwards_of(levels, 0)

    def run(frame: Frame) -> list[Any]:
        items = start(frame)
        if not items:
            return items
        kept = frame.steps
        try:
            for item in items:
                if item.__class__ is not Node or item.value is None or item.sibling is not None:
                    break
            else:
                found = sieve(items, frame)
                if frame.steps >= 0:
                    return found
        except (Strange, AttributeError, EvaluationError):
            pass
        frame.steps = kept
        return chain(items, frame)

    return run


def _ordinary(ops: tuple[Op, ...]) -> Callable[[list[Any], Frame], list[Any]]:
    """The ordinary code of the last parts of a path, over the items that the path starts at. What the last
    where() before them keeps is sifted out all the same. Made when first asked for."""

    def made() -> Run:
        before = max([at for at, op in enumerate(ops[:-1]) if op.kind == "where"], default=-1) + 1
        code: Run = sifter(Path(given, ops[:before])) if before else given
        return chained(code, ops[before:])

    return taking_over(made)


def _levels(ops: tuple[Op, ...]) -> tuple[Level, ...]:
    out: list[Level] = []
    for op in ops:
        if op.kind == "step":
            out.append(Level(op.what, ()))
        elif out:
            out[-1] = Level(out[-1].name, (*out[-1].filters, op))
        else:
            out.append(Level("", (op,)))
    return tuple(out)
