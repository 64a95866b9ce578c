"""The syntax tree of an expression: what the parser makes and the printer, checker and compiler read.

Every node knows its offset in the text (`at`), which takes no part in comparing two trees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal of one System type; `text` is its value: unescaped for String, without @ or @T for times."""

    kind: str  # Boolean, String, Integer, Decimal, Date, DateTime, Time
    text: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class QuantityLiteral:
    """A number with a unit: a calendar word as written (`4 days`), or a quoted unit (`4 'mg'`)."""

    number: str
    unit: str
    calendar: bool
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Empty:
    """The empty collection `{}`."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Special:
    """`$this`, `$index` or `$total`; the name stands without the dollar."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable or one the caller gives: `%name`."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """A step to a child element by name; without a source it starts at `$this` (or names its type)."""

    source: Expression | None
    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function over a source; without one, over `$this`."""

    source: Expression | None
    name: str
    arguments: tuple[Expression, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Indexer:
    """`source[index]`."""

    source: Expression
    index: Expression
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`+operand` or `-operand`."""

    operator: str
    operand: Expression
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and the operator between them."""

    operator: str
    left: Expression
    right: Expression
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type specifier, with its namespace (`System`, `FHIR`) where the text gives one."""

    namespace: str | None
    name: str
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return self.name if self.namespace is None else f"{self.namespace}.{self.name}"


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`operand is Type` or `operand as Type`."""

    operator: str
    operand: Expression
    type: TypeName
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class SortKey:
    """One argument of `sort()`: what to sort by, and whether from the greatest down."""

    key: Expression
    descending: bool
    at: int = field(default=0, compare=False)


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
