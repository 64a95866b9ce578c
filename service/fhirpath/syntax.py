"""The syntax tree of an expression: what the parser makes and the printer, checker and compiler read.

Every node knows its offset in the text (`at`), which takes no part in comparing two trees.
"""

from __future__ import annotations

from typing import TypeAlias


class Part:
    """One node of the tree: equal to another of its class whose fields are equal, wherever either stood.

    Parts are never changed once made. They are plain classes because making thirteen dataclasses would take a
    third of the time that importing the engine may take.
    """

    __slots__ = ("at",)
    at: int

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((self.__class__, self._fields()))

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}{self._fields()!r}"

    def _fields(self) -> tuple[object, ...]:
        return tuple([getattr(self, name) for name in self.__slots__])


class Literal(Part):
    """A literal of one System type; `text` is its value: unescaped for String, without @ or @T for times."""

    __slots__ = ("kind", "text")

    def __init__(self, kind: str, text: str, at: int = 0) -> None:
        self.kind = kind
        self.text = text
        self.at = at


class QuantityLiteral(Part):
    """A number with a unit: a calendar word as written (`4 days`), or a quoted unit (`4 'mg'`)."""

    __slots__ = ("calendar", "number", "unit")

    def __init__(self, number: str, unit: str, calendar: bool, at: int = 0) -> None:
        self.number = number
        self.unit = unit
        self.calendar = calendar
        self.at = at


class Empty(Part):
    """The empty collection `{}`."""

    __slots__ = ()

    def __init__(self, at: int = 0) -> None:
        self.at = at


class Special(Part):
    """`$this`, `$index` or `$total`; the name stands without the dollar."""

    __slots__ = ("name",)

    def __init__(self, name: str, at: int = 0) -> None:
        self.name = name
        self.at = at


class Variable(Part):
    """An environment variable or one the caller gives: `%name`."""

    __slots__ = ("name",)

    def __init__(self, name: str, at: int = 0) -> None:
        self.name = name
        self.at = at


class Member(Part):
    """A step to a child element by name; without a source it starts at `$this` (or names its type)."""

    __slots__ = ("name", "source")

    def __init__(self, source: Expression | None, name: str, at: int = 0) -> None:
        self.source = source
        self.name = name
        self.at = at


class Call(Part):
    """A function over a source; without one, over `$this`."""

    __slots__ = ("arguments", "name", "source")

    def __init__(
        self, source: Expression | None, name: str, arguments: tuple[Expression, ...], at: int = 0
    ) -> None:
        self.source = source
        self.name = name
        self.arguments = arguments
        self.at = at


class Indexer(Part):
    """`source[index]`."""

    __slots__ = ("index", "source")

    def __init__(self, source: Expression, index: Expression, at: int = 0) -> None:
        self.source = source
        self.index = index
        self.at = at


class Unary(Part):
    """`+operand` or `-operand`."""

    __slots__ = ("operand", "operator")

    def __init__(self, operator: str, operand: Expression, at: int = 0) -> None:
        self.operator = operator
        self.operand = operand
        self.at = at


class Binary(Part):
    """Two operands and the operator between them."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: str, left: Expression, right: Expression, at: int = 0) -> None:
        self.operator = operator
        self.left = left
        self.right = right
        self.at = at


class TypeName(Part):
    """A type specifier, with its namespace (`System`, `FHIR`) where the text gives one."""

    __slots__ = ("name", "namespace")

    def __init__(self, namespace: str | None, name: str, at: int = 0) -> None:
        self.namespace = namespace
        self.name = name
        self.at = at


class TypeTest(Part):
    """`operand is Type` or `operand as Type`."""

    __slots__ = ("named", "operand", "operator")

    def __init__(self, operator: str, operand: Expression, named: TypeName, at: int = 0) -> None:
        self.operator = operator
        self.operand = operand
        self.named = named
        self.at = at


class SortKey(Part):
    """One argument of `sort()`: what to sort by, and whether from the greatest down."""

    __slots__ = ("descending", "key")

    def __init__(self, key: Expression, descending: bool, at: int = 0) -> None:
        self.key = key
        self.descending = descending
        self.at = at


Expression: TypeAlias = (
    Literal
    | QuantityLiteral
    | Empty
    | Special
    | Variable
    | Member
    | Call
    | Indexer
    | Unary
    | Binary
    | TypeTest
    | TypeName
    | SortKey
)

# Operators by how tightly they bind, loosest first (§6.8 Operator Precedence); is/as stand between | and +.
PRECEDENCE: dict[str, int] = {
    "implies": 1,
    "or": 2,
    "xor": 2,
    "and": 3,
    "in": 4,
    "contains": 4,
    "=": 5,
    "~": 5,
    "!=": 5,
    "!~": 5,
    "<=": 6,
    "<": 6,
    ">": 6,
    ">=": 6,
    "|": 7,
    "is": 8,
    "as": 8,
    "+": 9,
    "-": 9,
    "&": 9,
    "*": 10,
    "/": 10,
    "div": 10,
    "mod": 10,
}
UNARY = 11
POSTFIX = 12
