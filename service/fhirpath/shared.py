"""Parts that several expressions over one resource have in common: each is evaluated once for all of them.

The rules of a plan ask the same again and again: whether the form is this one, how long ago the date in it
was. `common` finds such parts among the texts of all rules; programs that are compiled with them, and run one
after the other over one frame (`Program.among`), find there what the first of them found. What is found ends
with the frame, as the patient's data that it is made of do.
"""

from __future__ import annotations

from collections import Counter
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from . import syntax
from .checker import check
from .code import Code, valued
from .dependence import THIS, parameters_of, parts_of, resting, rests_on
from .errors import ExpressionError
from .model import R4
from .parser import parse
from .printer import to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from .frame import Frame
    from .model import Model
    from .syntax import Expression

_RESOURCE: Final = "resource"
_RESTS: Final = frozenset({THIS, _RESOURCE})
_LEAST: Final = 8
"""How many calls a part has at least: what has fewer is as soon evaluated as found."""


def common(texts: Iterable[str], *, model: Model = R4, context_type: str | None = None) -> frozenset[str]:
    """The parts, as text, that stand more than once in expressions over one resource and rest on it alone.

    What is no expression has none. Small parts are left out, and those that stand nowhere but in one of them.
    """
    surveyed = []
    for text in dict.fromkeys(texts):
        try:
            tree = parse(text)
            check(tree, text, model, context_type, {})
        except ExpressionError:
            continue
        surveyed.append([(to_text(part), first) for part, first in _fit(tree)])
    often = _often(part for parts in surveyed for part, _ in parts)
    return _often(parts[at][0] for parts in surveyed for at in _widest(parts, often))


def _often(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(text for text, times in Counter(texts).items() if times > 1)


def shared_parts(tree: Expression, texts: Collection[str]) -> Iterator[Expression]:
    """The widest parts of an expression over a resource that are among the texts."""
    fit = _fit(tree)
    for at in _widest([(to_text(part), first) for part, first in fit], texts):
        yield fit[at][0]


def _widest(parts: Sequence[tuple[str, int]], texts: Collection[str]) -> Iterator[int]:
    """The places of the parts that are among the texts, without those within another."""
    at = len(parts)
    while at:
        at -= 1
        part, first = parts[at]
        if part in texts:
            yield at
            at = first


def kept(code: Code, node: Expression) -> Code:
    """The code of a part that other programs over the frame have too: run by the first that asks for it."""
    part, run, one = intern(to_text(node)), code.run, code.one
    focused = THIS in rests_on(node)
    if one is None:
        return Code(_kept(run, part, focused=focused))
    return valued(_kept(one, part, focused=focused), boolean=code.boolean)


def _kept(run: Callable[[Frame], Any], part: str, *, focused: bool) -> Callable[[Frame], Any]:
    def answer(frame: Frame) -> Any:
        known = frame.shared
        if known is None or (focused and not (len(frame.this) == 1 and frame.this[0] is frame.context[0])):
            return run(frame)
        found = known.get(part)
        if found is None:
            steps, indexes = frame.steps, len(frame.indexes)
            value = run(frame)
            # It costs others what it would cost them: what has been looked up is looked up for all.
            spared = sum([size for _, size, _ in list(frame.indexes.values())[indexes:]])
            known[part] = value, steps - frame.steps - spared
            return value
        if found[1] > frame.steps:
            return run(frame)
        frame.steps -= found[1]
        return found[0]

    return answer


def _fit(tree: Expression) -> list[tuple[Expression, int]]:
    """The parts worth keeping that rest on the resource alone, each after those within it, and with the place
    of the first of these."""
    found: list[tuple[Expression, int]] = []
    known: dict[int, frozenset[str]] = {}

    def survey(node: Expression, *, whole: bool) -> int:
        """The calls in a part. `whole`: the focus around it is the resource itself."""
        calls, first = 0, len(found)
        if isinstance(node, syntax.Call):
            calls, source, inner = 1, node.source, whole
            if source is not None:
                calls += survey(source, whole=whole)
                inner = isinstance(source, syntax.Variable) and source.name == _RESOURCE
            for argument, parameter in zip(node.arguments, parameters_of(node), strict=True):
                calls += survey(argument, whole=inner if parameter.kind == "Expression" else whole)
        else:
            for part in parts_of(node):
                calls += survey(part, whole=whole)
        names = known[id(node)] = resting(node, lambda part: known[id(part)])
        fit = names <= _RESTS and (whole or THIS not in names)
        if fit and calls >= _LEAST and isinstance(node, syntax.Binary | syntax.Call):
            found.append((node, first))
        return calls

    survey(tree, whole=True)
    return found
