"""Syntax tree to closures, once for each expression; evaluation then only calls them.

Code is made with places or without: with them, parts that can fail are wrapped so that an error carries the
place of the part in the text. Common shapes of expression have code of their own in `shortcuts`; it gives the
same answers in less time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import arithmetic, operators, shortcuts, syntax
from .code import Code, Run, constant, single, typed, valued, values_of
from .criteria import Judging
from .dependence import reads_values, rests_on
from .equality import ItemSet
from .errors import EvaluationError, ExpressionError
from .functions import FUNCTIONS
from .given import environment
from .nodes import Node, make
from .operands import literal_texts, literal_value
from .plain_parts import Op, Path, focus
from .printer import to_text
from .quantified import quantifier, unmet
from .shared import kept
from .sifting import sifter
from .specifiers import TypeMatch, resembling_type, resolve
from .values import part_of
from .wrapping import placed, scoped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .frame import Frame
    from .model import Model
    from .shapes import Shape
    from .syntax import Expression

# What these do cannot fail itself, only what their input or arguments do: their errors have a place already.
_UNFAILING = frozenset({"exists", "empty", "select", "count", "first", "last", "tail", "ofType"})


class Compiler:
    """Compiles one expression. `scoped` is set where it defines variables: they end with their chain.
    `placed` is set where errors are to tell their place; code that does not runs faster. `lasting` are the
    parts that rest on constants alone; `shared`, those that other programs have too."""

    def __init__(
        self,
        text: str,
        model: Model,
        *,
        scoped: bool,
        placed: bool = True,
        lasting: Iterable[Expression] = (),
        shared: Iterable[Expression] = (),
    ) -> None:
        self.text = text
        self.model = model
        self.scoped = scoped
        self.placed = placed
        self.lasting = {id(part): part for part in lasting}
        self.shared = {id(part): part for part in shared}
        self.judging = Judging(model, None if scoped else self.code)

    def code(self, node: Expression) -> Code:
        """The code of a part of the tree."""
        code = _COMPILERS[node.__class__](self, node)
        if id(node) in self.shared:
            return kept(code, node)
        return self.kept(code, node) if id(node) in self.lasting else code

    def kept(self, code: Code, node: Expression) -> Code:
        """The same code, which is run once for the constants it rests on."""
        run, part, names = code.run, to_text(node), tuple(sorted(rests_on(node)))

        def items(frame: Frame) -> list[Any]:
            constants = frame.constants
            return run(frame) if constants is None else constants.answer(part, names, run, frame)

        return _started(items)

    def located(self, code: Code, at: int) -> Code:
        """The same code, whose errors say where in the text they arose if that is wanted."""
        return placed(code, self.text, at) if self.placed else code

    def scope(self, code: Code) -> Code:
        """The same code, after which the variables are what they were before it."""
        return scoped(code) if self.scoped else code

    # -- one method for each kind of part -------------------------------------------------------------------

    def literal(self, node: syntax.Literal) -> Code:
        code = constant(literal_value(node))
        code.texts = literal_texts(node)
        return code

    def quantity(self, node: syntax.QuantityLiteral) -> Code:
        return constant(literal_value(node))

    def empty(self, _node: syntax.Empty) -> Code:
        return valued(lambda _frame: None, boolean=True)

    def special(self, node: syntax.Special) -> Code:
        match node.name:
            case "this":
                return _started(focus)
            case "total":
                return Code(lambda frame: frame.total)
        return valued(lambda frame: frame.index)

    def variable(self, node: syntax.Variable) -> Code:
        name = node.name
        if name == "context":
            return _started(lambda frame: frame.context)
        known = environment(name)
        if known is not None:
            value = known

            def address(frame: Frame) -> list[Any]:
                return frame.variables.get(name) or frame.outer.get(name) or [value]

            return _started(address)

        def find(frame: Frame) -> list[Any]:
            found = frame.variables.get(name)
            return frame.elsewhere(name) if found is None else found

        return _started(self.located(Code(find), node.at).run)

    def member(self, node: syntax.Member) -> Code:
        name = node.name
        if node.source is not None:
            return self.step(self.code(node.source), node)
        if _is_step(node, self.model):
            return self.step(_started(focus), node)
        return _started(lambda frame: [item for item in frame.this if _is_root(item, name)])

    def step(self, source: Code, node: syntax.Member) -> Code:
        """The code of a step to the children of one name, which is a plain path too."""
        path = source.path or Path(source.run, ())
        filtered = any(op.kind != "step" for op in path.ops)
        path = path.then(Op("step", node.name, lambda run: self.children(run, node)))
        code = Code(sifter(path) if filtered else self.children(source.run, node))
        code.path = path
        return code

    def children(self, run: Run, node: syntax.Member) -> Run:
        """The step over nodes."""
        text, at, name, located = self.text, node.at, node.name, self.placed

        def children(frame: Frame) -> list[Any]:
            out: list[Any] = []
            items = run(frame)
            known: Shape | None = None
            link: tuple[str, Shape] | None = None
            try:
                for item in items:
                    if item.__class__ is not Node:
                        out += part_of(item, name)
                        continue
                    shape = item.shape
                    if shape is not known:
                        known, link = shape, shape.link(name)
                        get = shape.getters.get(name) or shape.getter(name)
                    values = None if link is None else item.value.get(link[0])
                    # Arrays of objects of one type, the most common child, are gone through here; the getter
                    # does all else, and says what is wrong with JSON that is not of its type.
                    if link is None or (values is not None and values.__class__ is not list):
                        get(item, out)
                    elif values is not None:
                        child = link[1]
                        for place, value in enumerate(values):
                            if value.__class__ is not dict:
                                del out[len(out) - place :]
                                get(item, out)
                                break
                            out.append(make(Node, (value, child, None, item, name, place)))
                frame.steps -= len(out)
                if frame.steps < 0:
                    frame.spend(0)
            except EvaluationError as error:
                if located:
                    error.place(text, at)
                raise
            return out

        return children

    def call(self, node: syntax.Call) -> Code:
        function = FUNCTIONS.get(node.name)
        if function is None:
            raise ExpressionError("unknown function", text=self.text, offset=node.at, found=f"{node.name}()")
        source = _started(focus) if node.source is None else self.code(node.source)
        arguments = [self.argument(argument) for argument in node.arguments]
        if node.name in ("where", "exists", "all") and arguments:
            return self.filtered(node, source, arguments[0])
        if node.name in ("exists", "empty") and source.path is not None and source.path.ops:
            return valued(quantifier(source.path, wanted=node.name == "exists"), boolean=True)
        if node.name == "repeat" and _is_step(node.arguments[0], self.model):
            return self.repeated(node.arguments[0], source)
        if node.name == "select" and source.one is None and reads_values(node.arguments[0]):
            source = Code(values_of(source))
        code = function.build(source, *arguments)
        op = self.judging.filter_op(node) if source.path is not None else None
        if op is not None and source.path is not None:
            path = source.path.then(
                op._replace(ordinary=lambda run: function.build(Code(run), *arguments).run)
            )
            code = Code(sifter(path))
            code.path = path
        return code if node.name in _UNFAILING else self.located(code, node.at)

    def filtered(self, node: syntax.Call, source: Code, criteria: Code) -> Code:
        """The code of `where(...)`, `exists(...)` or `all(...)` with a criterion."""
        build = FUNCTIONS[node.name].build
        code = self.located(build(source, criteria), node.at)
        criterion = node.arguments[0]
        if not self.judging.judgeable(criterion):
            return code

        def ordinary(run: Run) -> Run:
            code = self.located(build(Code(run), criteria), node.at)
            one = code.one
            return code.run if one is None else lambda frame: [True] if one(frame) is some else []

        asked, some = self.judging.criterion(criterion), node.name != "all"
        path = source.path or Path(self.located(source, node.at).run, ())
        path = path.then(Op("where", asked if some else unmet(asked), ordinary))
        if node.name != "where":
            return valued(quantifier(path, wanted=some), boolean=True)
        code = Code(sifter(path))
        code.path = path
        return code

    def repeated(self, projection: Expression, source: Code) -> Code:
        assert isinstance(projection, syntax.Member)  # noqa: S101 - _is_step has said so
        step = projection

        def member(run: Run) -> Run:
            return self.children(run, step)

        return Code(shortcuts.repeated(source.run, member, ItemSet))

    def argument(self, node: Expression) -> Any:
        if isinstance(node, syntax.TypeName):
            return self.match(node)
        if isinstance(node, syntax.SortKey):
            return self.sort_key(node)
        return self.scope(self.code(node))

    def match(self, node: syntax.TypeName) -> TypeMatch:
        """The type a specifier names; ExpressionError for one that neither FHIR nor System has."""
        found = resolve(node, self.model)
        if found is None:
            raise ExpressionError(
                "unknown type",
                text=self.text,
                offset=node.at,
                found=str(node),
                expected="a System or FHIR type",
                hint=resembling_type(node.name, self.model),
            )
        return found

    def sort_key(self, node: syntax.SortKey) -> Code:
        key = self.code(node.key)
        code = Code(key.run, key.one, boolean=key.boolean)
        code.descending = node.descending
        return code

    def indexer(self, node: syntax.Indexer) -> Code:
        run = self.code(node.source).run
        place = typed(self.scope(self.code(node.index)), "Integer", "an index")

        def at(frame: Frame) -> list[Any]:
            items = run(frame)
            index = place(frame)
            return [] if index is None or index < 0 else items[index : index + 1]

        return self.located(Code(at), node.at)

    def unary(self, node: syntax.Unary) -> Code:
        value = single(self.code(node.operand), node.operator)
        operation = arithmetic.negate if node.operator == "-" else arithmetic.affirm

        def apply(frame: Frame) -> Any:
            found = value(frame)
            return None if found is None else operation(found)

        return self.located(valued(apply), node.at)

    def binary(self, node: syntax.Binary) -> Code:
        left, right = self.scope(self.code(node.left)), self.scope(self.code(node.right))
        if node.operator == "|":
            texts = literal_texts(node)
            if texts is not None:
                code = Code(operators.combination(left, right).run)
                code.texts = texts
                return code
        code = operators.operation(node.operator, left, right)
        if node.operator in operators.LOGIC and left.boolean and right.boolean:
            return _branched(node.operator, left, right, code)  # it cannot fail itself
        code = self.located(code, node.at)
        if node.operator == "=" and code.one is not None:
            wanted = shortcuts.text_asked(node.left, node.right, self.model)
            if wanted is not None:
                one = shortcuts.text_equality(*wanted, code.one)
                code = valued(one, boolean=True)
                code.branches = ((*wanted, one),)
        return code

    def type_test(self, node: syntax.TypeTest) -> Code:
        operand = self.scope(self.code(node.operand))
        return self.located(FUNCTIONS[node.operator].build(operand, self.match(node.named)), node.at)


def _branched(operator: str, left: Code, right: Code, code: Code) -> Code:
    """The code of logic; that of an `or` whose parts begin with texts of one name asks only those at hand."""
    if code.one is None:
        return code
    if operator == "and" and len(left.branches) == 1:
        name, text, _ = left.branches[0]
        code.branches = ((name, text, code.one),)
    together = left.branches + right.branches if left.branches and right.branches else ()
    if operator == "or" and together and together[0][0] == right.branches[0][0]:
        code = valued(shortcuts.branched(together, code.one), boolean=True)
        code.branches = together
    return code


def _started(run: Run) -> Code:
    """Code that paths start at."""
    code = Code(run)
    code.path = Path(run, ())
    return code


def _is_step(node: Expression, model: Model) -> bool:
    """Whether a part is a step from `$this` by name, not the name of the type it is of."""
    if not isinstance(node, syntax.Member) or node.source is not None:
        return False
    info = model.type(node.name) if node.name[:1].isupper() else None
    return info is None or info.kind == "backbone"


def _is_root(item: Any, name: str) -> bool:
    return item.__class__ is Node and name in item.shape.ancestry


_COMPILERS: dict[type, Callable[[Compiler, Any], Code]] = {
    syntax.Literal: Compiler.literal,
    syntax.QuantityLiteral: Compiler.quantity,
    syntax.Empty: Compiler.empty,
    syntax.Special: Compiler.special,
    syntax.Variable: Compiler.variable,
    syntax.Member: Compiler.member,
    syntax.Call: Compiler.call,
    syntax.Indexer: Compiler.indexer,
    syntax.Unary: Compiler.unary,
    syntax.Binary: Compiler.binary,
    syntax.TypeTest: Compiler.type_test,
    syntax.SortKey: Compiler.sort_key,
}
