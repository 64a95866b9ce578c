"""Text to syntax tree. The grammar (FHIRPath 2.0, Appendix; what binds tightest stands first):

    expression  : term | expression '.' invocation | expression '[' expression ']' | ('+' | '-') expression |
    expression ('*' | '/' | 'div' | 'mod') expression | expression ('+' | '-' | '&') expression | expression
    ('is' | 'as') typeSpecifier | expression '|' expression | expression ('<=' | '<' | '>' | '>=') expression
    | expression ('=' | '~' | '!=' | '!~') expression | expression ('in' | 'contains') expression | expression
    'and' expression | expression ('or' | 'xor') expression | expression 'implies' expression term        :
    invocation | literal | '%' (identifier | STRING) | '(' expression ')' invocation  : identifier |
    identifier '(' (expression (',' expression)*)? ')' | '$this' | '$index' | '$total' literal     : '{' '}' |
    'true' | 'false' | STRING | NUMBER | DATE | DATETIME | TIME | NUMBER unit unit        : 'year' | 'month' |
    'week' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond' | plurals | STRING typeSpecifier :
    identifier ('.' identifier)? identifier  : IDENTIFIER | DELIMITED | 'as' | 'is' | 'in' | 'contains'

Beyond it, an argument of sort() may end in `asc` or `desc`, and begin with `-` for from the greatest down
(3.0). Binary operators associate to the left. The whole text is read, or none of it.
"""

from __future__ import annotations

from . import syntax
from .errors import ExpressionError
from .lexer import Token, tokenize
from .syntax import PRECEDENCE, Expression
from .temporal import parse_date, parse_datetime, parse_time

DEPTH = 100
"""How deep a syntax tree may be unless the caller says otherwise."""

CALENDAR_UNITS = frozenset(
    f"{unit}{plural}"
    for unit in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for plural in ("", "s")
)
_RESERVED = frozenset({"and", "or", "xor", "implies", "div", "mod", "true", "false"})
_TYPE_FUNCTIONS = frozenset({"is", "as", "ofType"})
_GREATEST_INTEGER = 2**31 - 1


def parse(text: str, *, depth: int = DEPTH) -> Expression:
    """The syntax tree of the whole text; ExpressionError with line, column, what was found and expected."""
    return _Parser(text, depth).whole()


class _Parser:
    """A precedence climber over the tokens. Each method leaves the cursor after what it read."""

    __slots__ = ("cursor", "depth", "heights", "level", "text", "tokens")

    def __init__(self, text: str, depth: int) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.cursor = 0
        self.depth = depth
        self.level = 0
        self.heights: dict[int, int] = {}

    def whole(self) -> Expression:
        tree = self.expression()
        token = self.tokens[self.cursor]
        if token.kind != "end":
            raise self.unexpected(token, "an operator or the end of the text")
        return tree

    # -- operators ------------------------------------------------------------------------------------------

    def expression(self, lowest: int = 1) -> Expression:
        """An expression of operators that bind at least as tightly as `lowest`."""
        self.level += 1
        if self.level > self.depth:
            raise self.too_deep(self.tokens[self.cursor].at)
        left = self.unary()
        while True:
            token = self.tokens[self.cursor]
            if token.kind not in ("operator", "identifier"):
                break
            binding = PRECEDENCE.get(token.text, 0)
            if binding < lowest:
                break
            self.cursor += 1
            if token.text in ("is", "as"):
                left = self.grown(syntax.TypeTest(token.text, left, self.type_name(), token.at), left)
            else:
                right = self.expression(binding + 1)
                left = self.grown(syntax.Binary(token.text, left, right, token.at), left, right)
        self.level -= 1
        return left

    def unary(self) -> Expression:
        token = self.tokens[self.cursor]
        if token.kind != "operator" or token.text not in "+-":
            return self.postfix()
        self.level += 1
        if self.level > self.depth:
            raise self.too_deep(token.at)
        self.cursor += 1
        operand = self.unary()
        self.level -= 1
        return self.grown(syntax.Unary(token.text, operand, token.at), operand)

    def postfix(self) -> Expression:
        left = self.term()
        while True:
            token = self.tokens[self.cursor]
            if token.kind != "operator":
                return left
            if token.text == ".":
                self.cursor += 1
                left = self.invocation(left)
            elif token.text == "[":
                self.cursor += 1
                index = self.expression()
                self.take("]")
                left = self.grown(syntax.Indexer(left, index, token.at), left, index)
            else:
                return left

    # -- terms ----------------------------------------------------------------------------------------------

    def term(self) -> Expression:
        token = self.tokens[self.cursor]
        if token.kind == "operator":
            return self.bracketed(token)
        if token.kind == "identifier" and token.text in ("true", "false"):
            self.cursor += 1
            return syntax.Literal("Boolean", token.text, token.at)
        if token.kind in ("identifier", "delimited", "special"):
            return self.invocation(None)
        if token.kind == "end":
            raise self.unexpected(token, "an expression")
        self.cursor += 1
        if token.kind == "string":
            return syntax.Literal("String", token.text, token.at)
        if token.kind == "number":
            return self.number(token)
        return self.moment(token)

    def bracketed(self, token: Token) -> Expression:
        if token.text == "(":
            self.cursor += 1
            inner = self.expression()
            self.take(")")
            return inner
        if token.text == "{":
            self.cursor += 1
            self.take("}")
            return syntax.Empty(token.at)
        if token.text == "%":
            self.cursor += 1
            name = self.tokens[self.cursor]
            if name.kind not in ("identifier", "delimited", "string"):
                raise self.unexpected(name, "the name of a variable")
            self.cursor += 1
            return syntax.Variable(name.text, token.at)
        raise self.unexpected(token, "an expression")

    def number(self, token: Token) -> Expression:
        unit = self.tokens[self.cursor]
        if unit.kind == "string" or (unit.kind == "identifier" and unit.text in CALENDAR_UNITS):
            self.cursor += 1
            return syntax.QuantityLiteral(token.text, unit.text, unit.kind == "identifier", token.at)
        if "." in token.text:
            return syntax.Literal("Decimal", token.text, token.at)
        digits = token.text.lstrip("0") or "0"
        if len(digits) > 10 or int(digits) > _GREATEST_INTEGER + self.negated():
            raise ExpressionError(
                "an Integer has 32 bits",
                text=self.text,
                offset=token.at,
                found=token.text[:40],
                expected=f"at most {_GREATEST_INTEGER}",
                hint="write it as a Decimal",
            )
        return syntax.Literal("Integer", digits, token.at)

    def negated(self) -> bool:
        """Whether a minus stands before the number just read: the least Integer has no positive
        counterpart.
        """
        before = self.tokens[self.cursor - 2] if self.cursor > 1 else None
        return before is not None and before.kind == "operator" and before.text == "-"

    def moment(self, token: Token) -> Expression:
        kind, body = {"date": ("Date", 1), "datetime": ("DateTime", 1), "time": ("Time", 2)}[token.kind]
        text = token.text[body:]
        value = {"Date": parse_date, "DateTime": parse_datetime, "Time": parse_time}[kind](text)
        if value is None:
            raise ExpressionError(
                f"no such {kind}",
                text=self.text,
                offset=token.at,
                found=token.text,
                expected="one of the calendar",
            )
        return syntax.Literal(kind, text, token.at)

    def invocation(self, source: Expression | None) -> Expression:
        token = self.tokens[self.cursor]
        if token.kind == "special":
            # `a.$this` is in the grammar; it means no more than `$this` does.
            if source is not None:
                raise self.unexpected(token, "the name of an element or function")
            self.cursor += 1
            return syntax.Special(token.text[1:], token.at)
        name = self.identifier("the name of an element or function")
        following = self.tokens[self.cursor]
        parts = [] if source is None else [source]
        if following.kind == "operator" and following.text == "(":
            self.cursor += 1
            arguments = self.arguments(name)
            return self.grown(syntax.Call(source, name, arguments, token.at), *parts, *arguments)
        return self.grown(syntax.Member(source, name, token.at), *parts)

    def arguments(self, function: str) -> tuple[Expression, ...]:
        token = self.tokens[self.cursor]
        if token.kind == "operator" and token.text == ")":
            self.cursor += 1
            return ()
        arguments: list[Expression] = []
        while True:
            arguments.append(self.argument(function))
            token = self.tokens[self.cursor]
            if token.kind == "operator" and token.text == ",":
                self.cursor += 1
                continue
            self.take(")", "',' or ')'")
            return tuple(arguments)

    def argument(self, function: str) -> Expression:
        if function in _TYPE_FUNCTIONS:
            return self.type_name()
        first = self.tokens[self.cursor]
        value = self.expression()
        if function != "sort":
            return value
        descending = False
        if isinstance(value, syntax.Unary) and value.operator == "-" and first.text == "-":
            value, descending = value.operand, True
        token = self.tokens[self.cursor]
        if token.kind == "identifier" and token.text in ("asc", "desc"):
            self.cursor += 1
            descending = descending != (token.text == "desc")
        return self.grown(syntax.SortKey(value, descending, first.at), value)

    def type_name(self) -> syntax.TypeName:
        at = self.tokens[self.cursor].at
        name = self.identifier("the name of a type")
        token = self.tokens[self.cursor]
        if token.kind == "operator" and token.text == "." and name in ("System", "FHIR"):
            self.cursor += 1
            return syntax.TypeName(name, self.identifier("the name of a type"), at)
        return syntax.TypeName(None, name, at)

    # -- tokens ---------------------------------------------------------------------------------------------

    def identifier(self, expected: str) -> str:
        token = self.tokens[self.cursor]
        if token.kind == "delimited" or (token.kind == "identifier" and token.text not in _RESERVED):
            self.cursor += 1
            return token.text
        hint = f"write `{token.text}` in backquotes" if token.kind == "identifier" else ""
        raise self.unexpected(token, expected, hint)

    def take(self, operator: str, expected: str = "") -> None:
        token = self.tokens[self.cursor]
        if token.kind != "operator" or token.text != operator:
            raise self.unexpected(token, expected or f"'{operator}'")
        self.cursor += 1

    # -- depth and errors -----------------------------------------------------------------------------------

    def grown(self, node: Expression, *parts: Expression) -> Expression:
        """The node, after its height is known to be within the limit: chains grow a tree as brackets do."""
        heights = self.heights
        height = 1 + max((heights.get(id(part), 0) for part in parts), default=0)
        if height > self.depth:
            raise self.too_deep(node.at)
        heights[id(node)] = height
        return node

    def too_deep(self, offset: int) -> ExpressionError:
        return ExpressionError(
            f"the expression is more than {self.depth} levels deep",
            text=self.text,
            offset=offset,
            expected="a shallower expression",
        )

    def unexpected(self, token: Token, expected: str, hint: str = "") -> ExpressionError:
        if token.kind == "operator" and token.text == "=" and self.tokens[self.cursor - 1].text == "=":
            hint = "equality is written with one ="
        return ExpressionError(
            "not an expression",
            text=self.text,
            offset=token.at,
            found=token.describe(),
            expected=expected,
            hint=hint,
        )
