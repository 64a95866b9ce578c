"""Code for common shapes of expression: the same answers in less time.

Wherever the JSON is not plainly what its type says, the ordinary code takes over, and says what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import syntax
from .nodes import Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from .code import Branch, One, Run
    from .frame import Frame
    from .model import Model
    from .syntax import Expression


def text_asked(left: Expression, right: Expression, model: Model) -> tuple[str, str] | None:
    """The name and the text of `name = 'text'`; None for any other equality."""
    name, text = left, right
    if isinstance(name, syntax.Literal):
        name, text = text, name
    if not isinstance(name, syntax.Member) or name.source is not None or not isinstance(text, syntax.Literal):
        return None
    # A name that begins with a capital may be the name of the type, and no step.
    if text.kind != "String" or (name.name[:1].isupper() and model.type(name.name) is not None):
        return None
    return name.name, text.text


def text_equality(name: str, text: str, ordinary: One) -> One:
    """The code of `name = 'text'` on the one focus."""

    def one(frame: Frame) -> Any:
        this = frame.this
        if len(this) == 1 and this[0].__class__ is Node:
            node = this[0]
            key = node.shape.plain.get(name)
            if key is not None:
                found = node.value.get(key)
                if found.__class__ is str:
                    return found == text
        return ordinary(frame)

    return one


def branched(branches: tuple[Branch, ...], ordinary: One) -> One:
    """The code of `(name = 'a' and ...) or (name = 'b' and ...)`, whose parts begin with a text of one name:
    where the one focus has a plain text of that name, only the parts of that text are asked.

    Any other part is false whatever else it asks for, and nothing more of it would be evaluated.
    """
    name = branches[0][0]
    known: dict[str, tuple[One, ...]] = {}

    def ready(text: str) -> tuple[One, ...]:
        parts = tuple([part for _, wanted, part in branches if wanted == text])
        if parts:
            known[text] = parts
        return parts

    def one(frame: Frame) -> Any:
        this = frame.this
        if len(this) == 1 and this[0].__class__ is Node:
            node = this[0]
            key = node.shape.plain.get(name)
            found = None if key is None else node.value.get(key)
            if found.__class__ is str:
                verdict: bool | None = False
                for part in known.get(found) or ready(found):
                    said = part(frame)
                    if said is True:
                        return True
                    verdict = None if said is None else verdict
                return verdict
        return ordinary(frame)

    return one


def repeated(source: Run, member: Callable[[Run], Run], seen: Callable[[], Any]) -> Run:
    """The code of `repeat(name)`: wave after wave of the children of one name, without a focus of its own."""

    def run(frame: Frame) -> list[Any]:
        out: list[Any] = []
        met = seen()
        wave = source(frame)
        step = member(lambda _frame: wave)
        while wave:
            wave = [item for item in step(frame) if met.add(item)]
            frame.spend(met.comparisons + 1)
            met.comparisons = 0
            out += wave
        return out

    return run
