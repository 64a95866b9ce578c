"""Syntax tree to text: what it writes parses to the same tree again."""

from __future__ import annotations

from . import syntax
from .syntax import POSTFIX, PRECEDENCE, UNARY, Expression

_ESCAPES = str.maketrans({"'": "\\'", "\\": "\\\\", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")
_KEYWORDS = frozenset(
    {"and", "or", "xor", "implies", "div", "mod", "true", "false", "is", "as", "in", "contains"}
)


def to_text(node: Expression) -> str:
    """The text of a tree, with no more brackets than it needs."""
    match node:
        case syntax.Literal():
            return _literal(node)
        case syntax.QuantityLiteral():
            return f"{node.number} {node.unit if node.calendar else _string(node.unit)}"
        case syntax.Empty():
            return "{}"
        case syntax.Special():
            return f"${node.name}"
        case syntax.Variable():
            return f"%{_identifier(node.name)}"
        case syntax.Member():
            return _after(node.source) + _identifier(node.name)
        case syntax.Call():
            arguments = ", ".join(to_text(argument) for argument in node.arguments)
            return f"{_after(node.source)}{_identifier(node.name)}({arguments})"
        case syntax.Indexer():
            return f"{_bracketed(node.source, POSTFIX)}[{to_text(node.index)}]"
        case syntax.Unary():
            return node.operator + _bracketed(node.operand, UNARY)
        case syntax.Binary():
            level = PRECEDENCE[node.operator]
            return f"{_bracketed(node.left, level)} {node.operator} {_bracketed(node.right, level + 1)}"
        case syntax.TypeTest():
            return f"{_bracketed(node.operand, PRECEDENCE['is'])} {node.operator} {to_text(node.named)}"
        case syntax.TypeName():
            name = _identifier(node.name)
            return name if node.namespace is None else f"{node.namespace}.{name}"
        case syntax.SortKey():
            # A key that itself begins with a minus keeps it inside brackets: a bare one means "descending".
            key = to_text(node.key)
            bare = isinstance(node.key, syntax.Unary) and node.key.operator == "-"
            return (f"({key})" if bare else key) + (" desc" if node.descending else "")


def _literal(node: syntax.Literal) -> str:
    match node.kind:
        case "String":
            return _string(node.text)
        case "Date" | "DateTime":
            return f"@{node.text}"
        case "Time":
            return f"@T{node.text}"
    return node.text


def _string(text: str) -> str:
    return f"'{text.translate(_ESCAPES)}'"


def _identifier(name: str) -> str:
    if name and not name[0].isdigit() and _PLAIN.issuperset(name) and name not in _KEYWORDS:
        return name
    escaped = name.translate(_ESCAPES).replace("\\'", "'").replace("`", "\\`")
    return f"`{escaped}`"


def _after(source: Expression | None) -> str:
    return "" if source is None else f"{_bracketed(source, POSTFIX)}."


def _bracketed(node: Expression, level: int) -> str:
    text = to_text(node)
    return text if _binding(node) >= level else f"({text})"


def _binding(node: Expression) -> int:
    """How tightly the outermost operator of a node binds."""
    match node:
        case syntax.Binary():
            return PRECEDENCE[node.operator]
        case syntax.TypeTest():
            return PRECEDENCE["is"]
        case syntax.Unary():
            return UNARY
    return POSTFIX
