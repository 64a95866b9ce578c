"""A compiled expression, and how callers run it.

program = compile("item.where(linkId = 'pain').answer.value > 6")
program(response)                      # [True]: plain values
program.nodes(response)                # results that also tell type and place
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .checker import check
from .code import Code, Run, outputs
from .compiler import Compiler
from .errors import EvaluationError, LimitError
from .frame import Frame, Limits, Profiles, Resolver, Sink, Surroundings, Terminology
from .model import R4, Model
from .nodes import Node
from .parser import DEPTH, parse
from .records import record
from .shapes import Shapes, shapes_of
from .temporal import parse_date, parse_datetime, parse_time
from .values import output, type_name

if TYPE_CHECKING:
    from .syntax import Expression

_LIMITS = Limits()
_NOTHING: dict[str, list[Any]] = {}


@record
class Result:
    """One item of an answer: the plain value, its type (`FHIR.code`, `System.Integer`) and where it stands.

    `location` is the FHIRPath of an element from its root (`QuestionnaireResponse.item[2].answer[0]`), None
    for a computed value. A result can be handed to another program, as a variable or to be evaluated over;
    its type, and the resource around it, go with it.
    """

    value: Any
    type: str
    location: str | None
    item: Any

    @classmethod
    def of(cls, item: Any) -> Result:
        """The result of an item of a collection."""
        return cls(output(item), type_name(item), item.location if item.__class__ is Node else None, item)


class Program:
    """A compiled expression: callable, immutable, safe from any number of threads."""

    __slots__ = ("_given_out", "_run", "_shapes", "context_type", "model", "text", "tree", "types")

    def __init__(
        self,
        text: str,
        tree: Expression,
        code: Code,
        model: Model,
        context_type: str | None,
        types: Mapping[str, str | None],
    ) -> None:
        self.text = text
        self.tree = tree
        self.model = model
        self.context_type = context_type
        self.types = types
        self._run = code.run
        self._given_out = outputs(code)
        self._shapes = shapes_of(model)

    def __repr__(self) -> str:
        return f"Program({self.text!r})"

    def __call__(self, resource: Any, **surroundings: Any) -> list[Any]:
        """The answer as plain values: bool, int, Decimal, str (dates and times as FHIR strings without '@');
        dict for elements and quantities. Arguments and errors as for `nodes`."""
        return [output(item) for item in self._evaluate(self._given_out, resource, **surroundings)]

    def nodes(self, resource: Any, **surroundings: Any) -> list[Result]:
        """The answer with the type and place of each item.

        `resource` is parsed JSON: a resource, an element of the program's context type, a Result, or a list
        of these; None is the empty collection. Keywords, all optional: `variables`, values by name (plain
        values, JSON, results, or lists of them); `now`, an aware datetime, the clock of today() and now()
        (the real one if left out); `limits`; `resolver`, from a reference to a resource or None;
        `terminology`; `profiles`, from a resource and a profile's url to whether it conforms (None: unknown
        profile); `trace`, told a name and values.

        EvaluationError, with line and column, where the expression cannot be evaluated; LimitError where that
        would take more than `limits` allow.
        """
        return [Result.of(item) for item in self.items(resource, **surroundings)]

    def items(self, resource: Any, **surroundings: Any) -> list[Any]:
        """The answer as the engine's own items (nodes and System values)."""
        return self._evaluate(self._run, resource, **surroundings)

    def _evaluate(
        self,
        run: Run,
        resource: Any,
        *,
        variables: Mapping[str, Any] | None = None,
        now: datetime | None = None,
        limits: Limits = _LIMITS,
        resolver: Resolver | None = None,
        terminology: Terminology | None = None,
        profiles: Profiles | None = None,
        trace: Sink | None = None,
    ) -> list[Any]:
        if now is not None and now.tzinfo is None:
            raise ValueError("now needs a time zone")
        try:
            shapes = self._shapes
            context = _collection(resource, shapes, self.context_type)
            given = _environment(context)
            for name, value in (variables or _NOTHING).items():
                given[name] = _collection(value, shapes, self.types.get(name))
            surroundings = (
                Surroundings(resolver, terminology, profiles, trace)
                if resolver or terminology or profiles or trace
                else _ALONE
            )
            return run(Frame(context, shapes, given, now, limits, surroundings))
        except EvaluationError as error:
            error.place(self.text, 0)
            raise
        except RecursionError:
            raise LimitError("the resource is nested too deeply") from None

    def over(self, frame: Frame) -> list[Any]:
        """The answer, as engine's items, over a frame that the caller made.

        For callers that evaluate many expressions over one resource: its `this` may differ from its context,
        and its variables hold engine's items. EvaluationError as for `nodes`.
        """
        return self._run_over(self._run, frame)

    def among(self, frame: Frame) -> list[Any]:
        """The answer as plain values, over a frame from `framed` that many programs share, one at a time."""
        frame.afresh()
        return [output(item) for item in self._run_over(self._given_out, frame)]

    def anew(self, frame: Frame, variables: Mapping[str, list[Any]]) -> list[Any]:
        """The answer as engine's items, over a frame from `framed` whose resource may have grown since.

        `variables` hold engine's items. EvaluationError as for `nodes`.
        """
        frame.afresh()
        frame.indexes = {}
        frame.variables = {**frame.outer, **variables}
        return self._run_over(self._run, frame)

    def _run_over(self, run: Run, frame: Frame) -> list[Any]:
        try:
            return run(frame)
        except EvaluationError as error:
            error.place(self.text, 0)
            raise
        except RecursionError:
            raise LimitError("the resource is nested too deeply") from None


_ALONE = Surroundings()


def framed(
    resource: Any,
    *,
    model: Model = R4,
    now: datetime | None = None,
    limits: Limits = _LIMITS,
    terminology: Terminology | None = None,
) -> Frame:
    """A frame over a resource, for `Program.among`: what one program looks up in it, the next one finds.

    For one thread, and as long as the resource is not changed. EvaluationError for what is no FHIR JSON.
    """
    if now is not None and now.tzinfo is None:
        raise ValueError("now needs a time zone")
    shapes = shapes_of(model)
    context = _collection(resource, shapes, None)
    around = _ALONE if terminology is None else Surroundings(terminology=terminology)
    return Frame(context, shapes, _environment(context), now, limits, around)


def _environment(context: list[Any]) -> dict[str, list[Any]]:
    """`%resource` and `%rootResource`: the resource around the context, and the one that contains that."""
    if len(context) != 1 or context[0].__class__ is not Node:
        return {"resource": context, "rootResource": context}
    node = root = context[0]
    while node.parent is not None and (node.shape.info is None or node.shape.info.kind != "resource"):
        node = node.parent
    while root.parent is not None:
        root = root.parent
    return {"resource": [node], "rootResource": [root if node.name == "contained" else node]}


def _collection(value: Any, shapes: Shapes, type_: str | None) -> list[Any]:
    """A caller's value as a collection."""
    if value.__class__ is dict:
        return [shapes.root(value, type_)]
    if value.__class__ is Node:
        return [value]
    if isinstance(value, list | tuple):
        out: list[Any] = []
        for one in value:
            if one.__class__ is Node:
                out.append(one)
            else:
                out += _collection(one, shapes, type_)
        return out
    return [] if value is None else [_item(value, shapes, type_)]


def _item(value: Any, shapes: Shapes, type_: str | None) -> Any:
    if isinstance(value, Result):
        return value.item
    if isinstance(value, dict):
        return shapes.root(dict(value), type_)
    if type_ is not None and isinstance(value, str | bool | int | Decimal):
        return Node(value, shapes.shape(type_), None, None, type_, None)
    if isinstance(value, Decimal) and not value.is_finite():
        raise EvaluationError("a number that is not finite; FHIR has none")
    if isinstance(value, bool | str | Decimal | Node):
        return value
    if isinstance(value, int):
        return value if -(2**31) <= value < 2**31 else Decimal(value)
    if isinstance(value, float):
        return _item(Decimal(repr(value)), shapes, type_)
    found: Any = None
    if isinstance(value, datetime):
        found = parse_datetime(value.isoformat())
    elif isinstance(value, date):
        found = parse_date(value.isoformat())
    elif isinstance(value, time):
        found = parse_time(value.replace(tzinfo=None).isoformat())
    if found is None:
        if type(value).__module__.startswith(__package__ or ""):
            return value
        raise EvaluationError(f"a value of type {type(value).__name__} is neither JSON nor a System value")
    return found


def compile(  # noqa: A001 - the word of the trade, used as fhirpath.compile
    text: str,
    *,
    model: Model = R4,
    context_type: str | None = None,
    variables: Iterable[str] | Mapping[str, str | None] = (),
    require_order: bool = False,
    depth: int = DEPTH,
) -> Program:
    """The program of an expression; ExpressionError where the text is wrong.

    `context_type` names the type the expression will be evaluated over; with it, a path that cannot exist is
    an error too. Without it, an expression that begins with a type's name is checked against that type.
    `variables` names the variables that callers will give, or leads from each name to its FHIR type (None:
    any). `require_order` refuses functions that depend on order over collections that have none. `depth`
    bounds how deep the expression may be nested.
    """
    types = dict(variables) if isinstance(variables, Mapping) else dict.fromkeys(variables)
    tree = parse(text, depth=depth)
    checked = check(tree, text, model, context_type, types, require_order=require_order)
    code = Compiler(text, model, scoped=checked.defines_variables).code(tree)
    return Program(text, tree, code, model, context_type, types)


@lru_cache(maxsize=4096)
def compiled(
    text: str,
    *,
    model: Model = R4,
    context_type: str | None = None,
    variables: frozenset[str] = frozenset(),
) -> Program:
    """The program of an expression, compiled when it is first asked for and kept; as `compile` otherwise."""
    return compile(text, model=model, context_type=context_type, variables=variables)


def evaluate(resource: Any, text: str, *, model: Model = R4, **surroundings: Any) -> list[Any]:
    """The answer of an expression over a resource, compiled once. Keywords as for `Program.nodes`."""
    names = frozenset(surroundings.get("variables") or ())
    return compiled(text, model=model, variables=names)(resource, **surroundings)
