"""A compiled expression, and how callers run it.

program = compile("item.where(linkId = 'pain').answer.value > 6")
program(response)                      # [True]: plain values
program.nodes(response)                # results that also tell type and place
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .checker import check
from .code import outputs
from .compiler import Compiler
from .dependence import resting_on
from .errors import EvaluationError, LimitError
from .frame import Frame, Limits, Profiles, Resolver, Sink, Surroundings, Terminology
from .given import Result, collection
from .model import R4, Model
from .nodes import Node
from .parser import DEPTH, parse
from .shapes import shapes_of
from .shared import shared_parts
from .values import output

if TYPE_CHECKING:
    from datetime import datetime

    from .code import Code
    from .constants import Constants
    from .syntax import Expression

_LIMITS = Limits()
_NOTHING: dict[str, list[Any]] = {}


class Program:
    """A compiled expression: callable, immutable, safe from any number of threads.

    It runs without keeping track of where in its text it is. Where it fails, it is compiled once more so that
    it does, and run again from the same start: the error of that run tells the place.
    """

    __slots__ = (
        "_compile",
        "_given_out",
        "_placed",
        "_run",
        "_shapes",
        "_truth",
        "context_type",
        "model",
        "text",
        "tree",
        "types",
    )

    def __init__(
        self,
        text: str,
        tree: Expression,
        code_of: Callable[[bool], Code],
        model: Model,
        context_type: str | None,
        types: Mapping[str, str | None],
    ) -> None:
        """`code_of` compiles the tree, with places or without."""
        self.text = text
        self.tree = tree
        self.model = model
        self.context_type = context_type
        self.types = types
        self._compile = code_of
        # A sink is told once what trace() shows, however its name is written: that one is never run again.
        self._placed: Code | None = code_of(True) if "trace" in text or "`" in text else None
        code = code_of(False) if self._placed is None else self._placed
        self._run = code.run
        self._truth = code.one if code.boolean else None
        self._given_out = outputs(code)
        self._shapes = shapes_of(model)

    def __repr__(self) -> str:
        return f"Program({self.text!r})"

    def __call__(self, resource: Any, **surroundings: Any) -> list[Any]:
        """The answer as plain values: bool, int, Decimal, str (dates and times as FHIR strings without '@');
        dict for elements and quantities. Arguments and errors as for `nodes`."""
        return [output(item) for item in self._evaluate(True, resource, **surroundings)]

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
        return self._evaluate(False, resource, **surroundings)

    def _evaluate(
        self,
        plain: bool,
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
            context = collection(resource, shapes, self.context_type)
            given = _environment(context)
            for name, value in (variables or _NOTHING).items():
                given[name] = collection(value, shapes, self.types.get(name))
            surroundings = (
                Surroundings(resolver, terminology, profiles, trace)
                if resolver or terminology or profiles or trace
                else _ALONE
            )
            frame = Frame(context, shapes, given, now, limits, surroundings)
        except EvaluationError as error:
            error.place(self.text, 0)
            raise
        try:
            return (self._given_out if plain else self._run)(frame)
        except EvaluationError as error:
            again = Frame(context, shapes, given, frame.now, limits, surroundings)
            raise self._failure(error, again, plain=plain) from None
        except RecursionError:
            raise LimitError(_TOO_DEEP) from None

    def over(self, frame: Frame) -> list[Any]:
        """The answer, as engine's items, over a frame that the caller made.

        For callers that evaluate many expressions over one resource: its `this` may differ from its context,
        and its variables hold engine's items. EvaluationError as for `nodes`.
        """
        frame.told = {}
        start = frame.this, frame.index, frame.total, frame.variables, frame.steps, len(frame.indexes)
        try:
            return self._run(frame)
        except EvaluationError as error:
            if error.line is None:
                frame.this, frame.index, frame.total, frame.variables, frame.steps, known = start
                frame.forget(known)
            raise self._failure(error, frame, plain=False) from None
        except RecursionError:
            raise LimitError(_TOO_DEEP) from None

    def among(self, frame: Frame) -> list[Any]:
        """The answer as plain values, over a frame from `framed` that many programs share, one at a time.

        Of parts that they have in common (`common`) one program finds what another found.
        """
        frame.lenient = False
        frame.afresh(frame.outer)
        known = len(frame.indexes)
        try:
            if self._truth is not None:
                said = self._truth(frame)
                return [] if said is None else [said]
            found = self._given_out(frame)
        except EvaluationError as error:
            raise self._shared_failure(error, frame, frame.outer, known, plain=True) from None
        except RecursionError:
            raise LimitError(_TOO_DEEP) from None
        return [item if item.__class__ is str else output(item) for item in found]

    def anew(self, frame: Frame, variables: Mapping[str, list[Any]]) -> list[Any]:
        """The answer as engine's items, over a frame from `framed` whose resource may have grown since.

        `variables` hold engine's items by name, and are neither copied nor changed: a caller may give one
        mapping to many programs and add to it between them. A variable that they lack is one of the frame's
        (`resource`, `rootResource`, its constants), else empty. The resource may have grown by items at the
        end of arrays, and by elements that no criterion has yet asked for the text of: what an earlier
        program has looked up in an array is looked up again once the array is longer. EvaluationError as for
        `nodes`.
        """
        frame.lenient = True
        frame.shared = None
        frame.afresh(variables)
        known = len(frame.indexes)
        try:
            return self._run(frame)
        except EvaluationError as error:
            raise self._shared_failure(error, frame, variables, known, plain=False) from None
        except RecursionError:
            raise LimitError(_TOO_DEEP) from None

    def _shared_failure(
        self,
        error: EvaluationError,
        frame: Frame,
        variables: Mapping[str, list[Any]],
        known: int,
        *,
        plain: bool,
    ) -> EvaluationError:
        frame.afresh(variables)
        frame.forget(known)
        if frame.shared:
            frame.shared.clear()  # what they cost is not what they would cost without what is forgotten
        failure = self._failure(error, frame, plain=plain)
        frame.forget(known)
        return failure

    def _failure(self, error: EvaluationError, frame: Frame, *, plain: bool) -> EvaluationError:
        """The error with its place in the text, over a frame that is as it was before."""
        if error.line is None:
            code = self._placed
            if code is None:
                code = self._placed = self._compile(True)
            try:
                (outputs(code) if plain else code.run)(frame)
            except EvaluationError as placed:
                error = placed
            except RecursionError:
                error = LimitError(_TOO_DEEP)
        error.place(self.text, 0)
        return error


_TOO_DEEP = "the resource is nested too deeply"
_ALONE = Surroundings()


def framed(
    resource: Any,
    *,
    model: Model = R4,
    now: datetime | None = None,
    limits: Limits = _LIMITS,
    terminology: Terminology | None = None,
    constants: Constants | None = None,
) -> Frame:
    """A frame over a resource, for `Program.among`: what one program looks up in it, the next one finds.

    For one thread, and as long as the resource is not changed (`Program.anew` says how it may grow).
    `constants` are variables of published content, which programs that were compiled with their names look
    into once for all frames. EvaluationError for what is no FHIR JSON.
    """
    if now is not None and now.tzinfo is None:
        raise ValueError("now needs a time zone")
    shapes = shapes_of(model)
    context = collection(resource, shapes, None)
    around = _ALONE if terminology is None else Surroundings(terminology=terminology)
    outer = _environment(context)
    if constants is not None:
        outer = {**constants.variables, **outer}
    frame = Frame(context, shapes, outer, now, limits, around, constants)
    frame.shared = {}
    return frame


def items_of(value: Any, *, model: Model = R4) -> list[Any]:
    """A value as engine's items, as `Program.anew` takes them: JSON, a plain value, or a list of these.

    EvaluationError for what is neither JSON nor a System value.
    """
    return collection(value, shapes_of(model), None)


def _environment(context: list[Any]) -> dict[str, list[Any]]:
    """`%resource` and `%rootResource`: the resource around the context, and the one that contains that."""
    if len(context) != 1 or context[0].__class__ is not Node or context[0].parent is None:
        return {"resource": context, "rootResource": context}
    node = root = context[0]
    while node.parent is not None and (node.shape.info is None or node.shape.info.kind != "resource"):
        node = node.parent
    while root.parent is not None:
        root = root.parent
    return {"resource": [node], "rootResource": [root if node.name == "contained" else node]}


def compile(  # noqa: A001 - the word of the trade, used as fhirpath.compile
    text: str,
    *,
    model: Model = R4,
    context_type: str | None = None,
    variables: Iterable[str] | Mapping[str, str | None] = (),
    require_order: bool = False,
    depth: int = DEPTH,
    constants: Collection[str] = (),
    shared: Collection[str] = (),
) -> Program:
    """The program of an expression; ExpressionError where the text is wrong.

    `context_type` names the type the expression will be evaluated over; with it, a path that cannot exist is
    an error too. Without it, an expression that begins with a type's name is checked against that type.
    `variables` names the variables that callers will give, or leads from each name to its FHIR type (None:
    any); `constants`, those among them that a frame has from its `Constants`: parts that rest on nothing else
    are evaluated once for these. `shared` are parts from `common`, which programs that run over one frame
    evaluate once. `require_order` refuses functions that depend on order over collections that
    have none. `depth` bounds how deep the expression may be nested.
    """
    types = dict(variables) if isinstance(variables, Mapping) else dict.fromkeys(variables)
    tree = parse(text, depth=depth)
    checked = check(tree, text, model, context_type, types, require_order=require_order)
    lasting = tuple(resting_on(tree, frozenset(constants))) if constants else ()

    parts = tuple(shared_parts(tree, shared)) if shared else ()

    def code_of(placed: bool) -> Code:
        # What fails is run again to find its place: nothing in it is skipped then.
        compiler = Compiler(
            text,
            model,
            scoped=checked.defines_variables,
            placed=placed,
            lasting=lasting,
            shared=() if placed else parts,
        )
        return compiler.code(tree)

    return Program(text, tree, code_of, model, context_type, types)


@lru_cache(maxsize=4096)
def compiled(
    text: str,
    *,
    model: Model = R4,
    context_type: str | None = None,
    variables: frozenset[str] = frozenset(),
    constants: frozenset[str] = frozenset(),
    shared: frozenset[str] = frozenset(),
) -> Program:
    """The program of an expression, compiled when it is first asked for and kept; as `compile` otherwise."""
    return compile(
        text,
        model=model,
        context_type=context_type,
        variables=variables,
        constants=constants,
        shared=shared,
    )


def evaluate(resource: Any, text: str, *, model: Model = R4, **surroundings: Any) -> list[Any]:
    """The answer of an expression over a resource, compiled once. Keywords as for `Program.nodes`."""
    names = frozenset(surroundings.get("variables") or ())
    return compiled(text, model=model, variables=names)(resource, **surroundings)
