"""exists(), empty() and all() over a path: whether any of what it starts at has anything at its end.

Each start is judged on its JSON, without a list for each step. Where there is no judge, or it gives up, the
path is walked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import EvaluationError
from .nodes import Node
from .plain import given, walker
from .plain_parts import Criterion, Path, Strange, checked
from .presence import present

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .frame import Frame
    from .plain_parts import Judge
    from .shapes import Shape


def quantifier(path: Path, *, wanted: bool) -> Callable[[Frame], bool]:
    """The code of whether a path leads to anything, or (where nothing is wanted) to nothing."""
    start, ops = path.start, path.ops
    if not ops or any(op.kind == "where" and op.what.name for op in ops[1:]):
        # What a text is looked for among many is found out of an index, which walks use.
        items_of = walker(path, checked) if ops else start
        return lambda frame: bool(items_of(frame)) is wanted
    walk = walker(Path(given, ops), checked)
    judges: dict[Shape, Judge | None] = {}

    def judge_of(shape: Shape) -> Judge | None:
        # A node of a complex type always has an object to judge.
        alone = len(ops) == 1 and ops[0].kind == "where" and not shape.primitive
        made = judges[shape] = ops[0].what.judge_of(shape) if alone else present(ops, 0, shape)
        return made

    def one(frame: Frame) -> bool:
        items = start(frame)
        kept = frame.steps
        frame.steps -= len(items)
        met = False
        try:
            for item in items:
                if item.__class__ is not Node or item.value is None or item.sibling is not None:
                    break
                shape = item.shape
                judge = judges[shape] if shape in judges else judge_of(shape)
                if judge is None:
                    break
                if judge(item.value, frame) is True:
                    met = True
            else:
                if frame.steps >= 0:
                    return met is wanted
        except (Strange, AttributeError, EvaluationError):
            pass
        frame.steps = kept
        frame.given = items
        return bool(walk(frame)) is wanted

    return one


def unmet(criterion: Criterion) -> Criterion:
    """The criterion of what another is not true of: all() is that there is no such item (§5.1.3)."""

    def judge_of(shape: Shape) -> Judge | None:
        judge = criterion.judge_of(shape)
        if judge is None:
            return None
        asked = judge

        def fails(value: Any, frame: Frame) -> bool:
            return asked(value, frame) is not True

        return fails

    return Criterion(judge_of, lambda _shape: None)
