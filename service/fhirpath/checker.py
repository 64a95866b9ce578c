"""What can be known to be wrong before evaluation: names of functions, variables, types and elements.

The check follows the tree as evaluation would, with the types the items can have in place of the items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import syntax
from .errors import ExpressionError, resembling
from .functions import FUNCTIONS, Function
from .given import environment
from .specifiers import SYSTEM_TYPES, resembling_type, resolve
from .static_types import (
    ANYTHING,
    NOTHING,
    Static,
    accepts,
    all_children,
    children,
    described,
    either,
    of_system,
    suggestion,
    system_type,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .model import Model
    from .syntax import Expression

_NAMES = frozenset(FUNCTIONS)
_STANDARD = ("context", "resource", "rootResource", "sct", "loinc", "ucum")
_BOOLEAN_OPERATORS = frozenset(
    {"and", "or", "xor", "implies", "=", "!=", "~", "!~", "<", "<=", ">", ">=", "in", "contains"}
)


class Checked(NamedTuple):
    """What the check found out."""

    static: Static
    defines_variables: bool


def check(
    tree: Expression,
    text: str,
    model: Model,
    context_type: str | None,
    variables: Mapping[str, str | None],
    *,
    require_order: bool = False,
) -> Checked:
    """What the expression gives; ExpressionError for the first thing that cannot be right."""
    for name in (context_type, *variables.values()):
        if name is not None and model.type(name) is None:
            raise ExpressionError("unknown type", text=text, found=name, hint=resembling_type(name, model))
    context = ANYTHING if context_type is None else Static(frozenset({context_type}))
    checker = _Checker(text, model, context, variables, require_order)
    return Checked(checker.part(tree, context), checker.defines_variables)


class _Checker:
    """One check. `known` are the variables in scope; None once a name is only known at evaluation."""

    def __init__(
        self,
        text: str,
        model: Model,
        context: Static,
        variables: Mapping[str, str | None],
        require_order: bool,
    ) -> None:
        self.text = text
        self.model = model
        self.context = context
        self.known: dict[str, Static] | None = {
            name: ANYTHING if type_ is None else Static(frozenset({type_}))
            for name, type_ in variables.items()
        }
        self.require_order = require_order
        self.defines_variables = False

    def part(self, node: Expression, this: Static) -> Static:
        """What a part gives where `$this` is of the given types."""
        match node:
            case syntax.Literal():
                return of_system(node.kind)
            case syntax.QuantityLiteral():
                return of_system("Quantity")
            case syntax.Empty():
                return NOTHING
            case syntax.Special():
                return (
                    this
                    if node.name == "this"
                    else of_system("Integer")
                    if node.name == "index"
                    else ANYTHING
                )
            case syntax.Variable():
                return self.variable(node)
            case syntax.Member():
                return self.member(node, this)
            case syntax.Call():
                return self.call(node, this)
            case syntax.Indexer():
                source = self.part(node.source, this)
                self.expect(self.apart(node.index, this), "Integer", "an index", node.index)
                self.order("an index", source, node.at)
                return source
            case syntax.SortKey():
                return self.part(node.key, this)
            case syntax.TypeName():
                return self.type_name(node)
            case syntax.TypeTest():
                self.apart(node.operand, this)
                named = self.type_name(node.named)
                return of_system("Boolean") if node.operator == "is" else named
            case syntax.Unary():
                return self.expect(self.part(node.operand, this), "Measured", node.operator, node)
            case syntax.Binary():
                return self.binary(node, this)

    def apart(self, node: Expression, this: Static) -> Static:
        """A part whose own variables end with it."""
        known = self.known
        found = self.part(node, this)
        self.known = known
        return found

    def variable(self, node: syntax.Variable) -> Static:
        name = node.name
        if self.known is not None and name in self.known:
            return self.known[name]
        if name == "context":
            return self.context
        if name in ("resource", "rootResource"):
            types = self.context.types
            whole = types is not None and all(self._is_resource(type_) for type_ in types)
            return self.context if whole and name == "resource" else ANYTHING
        if environment(name) is not None:
            return of_system("String")
        if self.known is None:
            return ANYTHING
        raise ExpressionError(
            "unknown variable",
            text=self.text,
            offset=node.at,
            found=f"%{name}",
            expected="a variable the caller names when compiling" if not self.known else "",
            hint=resembling(name, [*self.known, *_STANDARD], "%{}"),
        )

    def _is_resource(self, name: str) -> bool:
        info = self.model.type(name)
        return info is not None and info.kind == "resource"

    def member(self, node: syntax.Member, this: Static) -> Static:
        if node.source is not None:
            return self.step(self.part(node.source, this), node)
        info = self.model.type(node.name)
        if info is not None and info.kind != "backbone" and node.name[:1].isupper():
            return self.root(node, this)
        return self.step(this, node)

    def root(self, node: syntax.Member, this: Static) -> Static:
        """A type's name at the start of a path: the context must be able to be of that type."""
        if this.types is None:
            return Static(frozenset({node.name}), this.ordered)
        is_a = self.model.is_a
        kept = frozenset(
            type_ if is_a(type_, node.name) else node.name
            for type_ in this.types
            if is_a(type_, node.name) or is_a(node.name, type_)
        )
        if this.types and not kept:
            raise ExpressionError(
                "the path starts at another type",
                text=self.text,
                offset=node.at,
                found=node.name,
                expected=described(this),
            )
        return Static(kept, this.ordered)

    def step(self, source: Static, node: syntax.Member) -> Static:
        found = children(source, node.name, self.model)
        if found is None:
            raise ExpressionError(
                f"{described(source)} has no element of that name",
                text=self.text,
                offset=node.at,
                found=node.name,
                hint=suggestion(source, node.name, self.model, _NAMES),
            )
        return found

    def type_name(self, node: syntax.TypeName) -> Static:
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
        names = [found.fhir] if found.fhir else []
        if found.system and found.system != "Any":
            names.append(f"System.{found.system}")
        return ANYTHING if found.system == "Any" else Static(frozenset(names))

    # -- functions ------------------------------------------------------------------------------------------

    def call(self, node: syntax.Call, this: Static) -> Static:
        function = FUNCTIONS.get(node.name)
        if function is None:
            raise self.unknown_function(node)
        source = this if node.source is None else self.part(node.source, this)
        given = len(node.arguments)
        if given < function.least or (function.most is not None and given > function.most):
            raise ExpressionError(
                f"{node.name}() has {given} argument{'' if given == 1 else 's'}",
                text=self.text,
                offset=node.at,
                found=node.name,
                expected=_signature(function),
            )
        self.expect(source, function.takes, f"{node.name}()", node)
        if function.ordered:
            self.order(f"{node.name}()", source, node.at)
        arguments = self.arguments(function, node, source, this)
        return self.given_by(function, source, arguments)

    def unknown_function(self, node: syntax.Call) -> ExpressionError:
        return ExpressionError(
            "unknown function",
            text=self.text,
            offset=node.at,
            found=f"{node.name}()",
            hint=resembling(node.name, _NAMES, "{}()"),
        )

    def arguments(self, function: Function, node: syntax.Call, source: Static, this: Static) -> list[Static]:
        found: list[Static] = []
        for index, argument in enumerate(node.arguments):
            parameter = function.parameters[min(index, len(function.parameters) - 1)]
            inner = source if parameter.kind == "Expression" else this
            static = self.apart(argument, inner)
            if function.name in ("toQuantity", "convertsToQuantity") or parameter.kind not in (
                "Expression",
                "Type",
            ):
                what = f"{function.name}() for its {parameter.name}"
                self.expect(static, parameter.kind, what, argument)
            found.append(static)
        if function.name == "defineVariable":
            self.define(node, found[1] if len(found) > 1 else source)
        return found

    def define(self, node: syntax.Call, value: Static) -> None:
        self.defines_variables = True
        name = node.arguments[0]
        if not isinstance(name, syntax.Literal):
            self.known = None
            return
        if name.text in _STANDARD or (self.known is not None and name.text in self.known):
            raise ExpressionError(
                "the variable is already defined", text=self.text, offset=name.at, found=f"%{name.text}"
            )
        if self.known is not None:
            self.known = {**self.known, name.text: value}

    def given_by(self, function: Function, source: Static, arguments: list[Static]) -> Static:
        if function.name == "children":
            return all_children(source, self.model)
        if function.name == "descendants":
            return Static(None, ordered=False)
        if function.name == "sort":
            return Static(source.types)
        if function.name == "extension":
            return Static(frozenset({"Extension"}), source.ordered)
        if function.name in ("union", "combine"):
            return either(source, *arguments)
        if function.name == "iif":
            return either(*arguments[1:])
        match function.gives:
            case "input":
                return source
            case "argument":
                return Static(arguments[-1].types, source.ordered and arguments[-1].ordered)
            case "type":
                return Static(arguments[0].types, source.ordered)
            case "any" | "value":
                return ANYTHING
        return of_system(function.gives)

    # -- operators ------------------------------------------------------------------------------------------

    def binary(self, node: syntax.Binary, this: Static) -> Static:
        left, right = self.apart(node.left, this), self.apart(node.right, this)
        if node.operator in _BOOLEAN_OPERATORS:
            return of_system("Boolean")
        if node.operator == "|":
            return either(left, right)
        if node.operator == "&":
            self.expect(left, "String", "&", node.left)
            self.expect(right, "String", "&", node.right)
            return of_system("String")
        if node.operator in ("div", "mod"):
            self.expect(left, "Number", node.operator, node.left)
            self.expect(right, "Number", node.operator, node.right)
        return self.arithmetic(left)

    def arithmetic(self, left: Static) -> Static:
        """A text added to gives a text, a date a date; what numbers and quantities give depends on both."""
        names = {system_type(name, self.model) for name in left.types or ()}
        kept = names & {"String", "Date", "DateTime", "Time"}
        return of_system(kept.pop() or "") if len(names) == 1 and kept else ANYTHING

    def expect(self, static: Static, kind: str, what: str, node: Expression) -> Static:
        if not accepts(kind, static, self.model):
            wanted = kind if kind in SYSTEM_TYPES else "a value it can measure"
            raise ExpressionError(
                f"{what} cannot take this",
                text=self.text,
                offset=node.at,
                found=described(static),
                expected=wanted,
            )
        return static

    def order(self, what: str, source: Static, at: int) -> None:
        if self.require_order and not source.ordered:
            raise ExpressionError(
                f"{what} depends on order",
                text=self.text,
                offset=at,
                found="a collection without one",
                expected="sort() before it",
            )


def _signature(function: Function) -> str:
    """The function as an error message writes it: `substring(start [, length])`."""
    parts = ""
    for parameter in function.parameters:
        comma = ", " if parts else ""
        parts += f" [{comma}{parameter.name}]" if parameter.optional else f"{comma}{parameter.name}"
    return f"{function.name}({parts.strip()})"
