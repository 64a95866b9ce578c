"""Code for common shapes of expression: the same answers in less time.

Most of a rule's time goes into looking for the one item whose `linkId` or `code` is a given text. Where a
criterion asks for nothing but texts, the JSON is compared as it stands, and nodes are made of what is found
alone. Wherever the JSON is not plainly what its type says, the ordinary code takes over, and says what is
wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import syntax
from .code import Branch, Code, One, Run, truth, valued
from .criteria import judgeable
from .errors import EvaluationError
from .nodes import Node, make
from .plain_parts import Strange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .frame import Frame
    from .model import Model
    from .plain_parts import Judge
    from .shapes import Shape
    from .syntax import Expression

Wanted = tuple[tuple[str, str], ...]


def filtered(
    node: syntax.Call,
    criteria: Code,
    source: Code,
    above: Run | None,
    judge_of: Callable[[Shape], Judge | None],
) -> Code | None:
    """The code of `where(...)` or `exists(...)` with a criterion that can be judged on JSON, else None.

    `source` is the code of what is filtered; `above`, that of what its last step starts at, if it is a step.
    """
    if not judgeable(node.arguments[0]):
        return None
    wanted = _texts(node.arguments[0])
    test = truth(criteria, f"the criterion of {node.name}()")
    if wanted is None:
        found = _weighed(source.run, judge_of, test, first=node.name == "exists")
    elif above is not None and isinstance(node.source, syntax.Member):
        found = _stepped(above, node.source.name, wanted, test)
    else:
        found = _sifted(source.run, wanted, test)
    if node.name == "where":
        return Code(found)
    return valued(lambda frame: bool(found(frame)), boolean=True)


def _weighed(source: Run, judge_of: Callable[[Shape], Judge | None], test: One, *, first: bool) -> Run:
    """The items, or the first of them, that the judge of their type finds for."""
    judges: dict[Shape, Judge | None] = {}

    def weigh(item: Any, frame: Frame) -> bool | None:
        if item.__class__ is Node and item.value is not None and item.sibling is None:
            shape = item.shape
            if shape not in judges:
                judges[shape] = judge_of(shape)
            judge = judges[shape]
            if judge is not None:
                kept = frame.steps
                try:
                    return judge(item.value, frame)
                except (Strange, AttributeError, EvaluationError):
                    frame.steps = kept
        frame.this = [item]
        found: bool | None = test(frame)
        return found

    def run(frame: Frame) -> list[Any]:
        items = source(frame)
        out: list[Any] = []
        this, index = frame.this, frame.index
        for frame.index, item in enumerate(items):
            if weigh(item, frame) is True:
                out.append(item)
                if first:
                    break
        frame.this, frame.index = this, index
        frame.spend(len(items))
        return out

    return run


def _judge(items: list[Any], test: One, frame: Frame, out: list[Any]) -> None:
    """Puts after the list the items for which the test is true."""
    this = frame.this
    for item in items:
        frame.this = [item]
        if test(frame) is True:
            out.append(item)
    frame.this = this


def _texts(criterion: Expression) -> Wanted | None:
    """The names and texts of `a = 'x' and b = 'y'`; None for any other criterion."""
    if not isinstance(criterion, syntax.Binary):
        return None
    if criterion.operator == "and":
        left, right = _texts(criterion.left), _texts(criterion.right)
        return None if left is None or right is None else left + right
    if criterion.operator != "=":
        return None
    name, text = criterion.left, criterion.right
    if isinstance(name, syntax.Literal):
        name, text = text, name
    if isinstance(name, syntax.Member) and name.source is None and isinstance(text, syntax.Literal):
        return ((name.name, text.text),) if text.kind == "String" else None
    return None


def _fields(shape: Shape, wanted: Wanted) -> Wanted | None:
    """The JSON properties and texts to look for in values of a type.

    None where one is not plain text; none at all where the type has no such element and nothing can match.
    """
    if shape.info is None:
        return None
    if any(name not in shape.info.elements for name, _ in wanted):
        return ()
    plain = shape.plain
    if all(name in plain for name, _ in wanted):
        return tuple((plain[name], text) for name, text in wanted)
    return None


def _stepped(above: Run, name: str, wanted: Wanted, test: One) -> Run:
    """The children of one name that have the texts, straight from the JSON of their parents."""
    plans: dict[Shape, tuple[str, Shape, Wanted] | None] = {}

    def plan(shape: Shape) -> tuple[str, Shape, Wanted] | None:
        link = shape.link(name)
        fields = None if link is None else _fields(link[1], wanted)
        made = plans[shape] = None if link is None or not fields else (*link, fields)
        return made

    def run(frame: Frame) -> list[Any]:
        out: list[Any] = []
        for parent in above(frame):
            if parent.__class__ is Node:
                shape = parent.shape
                made = plans[shape] if shape in plans else plan(shape)
                kept = len(out)
                visited = -1 if made is None else _pick(parent, *made, out)
                if visited < 0:
                    del out[kept:]
                    children: list[Any] = []
                    shape.getter(name)(parent, children)
                    _judge(children, test, frame, out)
                    visited = len(children)
                frame.steps -= visited
        if frame.steps < 0:
            frame.spend(0)
        return out

    return run


def _pick(parent: Node, field: str, child: Shape, fields: Sequence[tuple[str, str]], out: list[Any]) -> int:
    """Puts after the list the children that have the texts, and tells how many it looked at.

    -1 where the JSON is not plainly of its type.
    """
    values = parent.value.get(field)
    if values.__class__ is not list:
        return 0 if values is None else -1
    (key, text), *others = fields
    for index, value in enumerate(values):
        if value.__class__ is not dict:
            return -1
        found = value.get(key)
        if found == text:
            verdict = _has(value, others) if others else True
            if verdict:
                out.append(make(Node, (value, child, None, parent, field, index)))
            elif verdict is None:
                return -1
        elif found.__class__ is not str and found is not None:
            return -1
    return len(values)


def _sifted(source: Run, wanted: Wanted, test: One) -> Run:
    """The items that have the texts."""
    plans: dict[Shape, Wanted | None] = {}

    def run(frame: Frame) -> list[Any]:
        out: list[Any] = []
        items = source(frame)
        frame.spend(len(items))
        for item in items:
            if item.__class__ is not Node:
                continue
            shape = item.shape
            if shape not in plans:
                plans[shape] = _fields(shape, wanted)
            fields = plans[shape]
            if fields == ():
                continue
            verdict = None if fields is None else _has(item.value, fields)
            if verdict:
                out.append(item)
            elif verdict is None:
                _judge([item], test, frame, out)
        return out

    return run


def _has(value: Any, fields: Sequence[tuple[str, str]]) -> bool | None:
    """Whether a JSON object has the texts; None where it is no object, or something in it no text."""
    if value.__class__ is not dict:
        return None
    verdict = True
    for key, text in fields:
        found = value.get(key)
        if found != text:
            if found.__class__ is not str and found is not None:
                return None
            verdict = False
    return verdict


def text_asked(left: Expression, right: Expression, model: Model) -> tuple[str, str] | None:
    """The name and the text of `name = 'text'`; None for any other equality."""
    wanted = _texts(syntax.Binary("=", left, right))
    if wanted is None:
        return None
    name, _ = wanted[0]
    # A name that begins with a capital may be the name of the type, and no step.
    return None if name[:1].isupper() and model.type(name) is not None else wanted[0]


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
