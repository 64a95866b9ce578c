"""Text to tokens. The lexical grammar of FHIRPath 2.0 (Appendix: grammar):

DATETIME    '@' date 'T' (time zone?)?         STRING      "'" (escape | any)* "'"
DATE        '@' YYYY ('-' MM ('-' DD)?)?       DELIMITED   '`' (escape | any)* '`'
TIME        '@T' hh (':' mm (':' ss ('.' f+)?)?)?
NUMBER      [0-9]+ ('.' [0-9]+)?               IDENTIFIER  [A-Za-z_][A-Za-z0-9_]*
SPECIAL     '$this' | '$index' | '$total'      OPERATOR    <= >= != !~ < > = ~ + - * / & | . , ( ) [ ] { } %
escape      '\\' (["'`\\/fnrt] | 'u' hex hex hex hex)
blanks and comments ('//' to the end of the line, '/*' to '*/') separate tokens.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import ExpressionError
from .lazy import pattern


class Token(NamedTuple):
    """One token: its kind, its text (unescaped for strings and delimited identifiers) and where it starts."""

    kind: str  # datetime date time number string delimited identifier special operator end
    text: str
    at: int

    def describe(self) -> str:
        """How an error message names the token."""
        if self.kind == "end":
            return "the end of the text"
        if self.kind == "string":
            return f"the string '{self.text}'"
        return f"'{self.text}'"


_DATE = r"\d{4}(?:-\d{2}(?:-\d{2})?)?"
_TIME = r"\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_TOKEN = pattern(
    rf"""
      (?P<blank>[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)
    | (?P<datetime>@{_DATE}T(?:{_TIME}(?:Z|[+-]\d{{2}}:\d{{2}})?)?)
    | (?P<date>@{_DATE})
    | (?P<time>@T{_TIME})
    | (?P<number>[0-9]+(?:\.[0-9]+)?)
    | (?P<string>'(?:\\.|[^'\\])*')
    | (?P<delimited>`(?:\\.|[^`\\])*`)
    | (?P<identifier>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<special>\$(?:this|index|total)(?![A-Za-z0-9_]))
    | (?P<operator><=|>=|!=|!~|(?!/\*)[<>=~+\-*/&|.,()\[\]{{}}%])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = pattern(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPED = {"'": "'", '"': '"', "`": "`", "\\": "\\", "/": "/", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LONGEST_TEXT = 100_000


def tokenize(text: str) -> list[Token]:
    """The tokens of a text, the last of kind `end`. ExpressionError where no token can start."""
    if len(text) > _LONGEST_TEXT:
        raise ExpressionError(
            f"the expression is longer than {_LONGEST_TEXT} characters",
            text=text[:200],
            expected="a shorter text",
        )
    tokens: list[Token] = []
    position, end = 0, len(text)
    match = _TOKEN().match
    while position < end:
        found = match(text, position)
        if found is None:
            raise _unreadable(text, position)
        kind = found.lastgroup or ""
        if kind != "blank":
            raw = found.group()
            if kind in ("string", "delimited"):
                raw = _unescape(text, raw, position)
            tokens.append(Token(kind, raw, position))
        position = found.end()
    tokens.append(Token("end", "", end))
    return tokens


def _unescape(text: str, raw: str, start: int) -> str:
    body = raw[1:-1]
    if "\\" in body:

        def replace(found: re.Match[str]) -> str:
            escaped = found.group(1)
            if len(escaped) == 5:
                return chr(int(escaped[1:], 16))
            if escaped not in _ESCAPED:
                raise ExpressionError(
                    "unknown escape",
                    text=text,
                    offset=start + 1 + found.start(),
                    found=found.group(),
                    expected="one of \\' \\\" \\` \\\\ \\/ \\f \\n \\r \\t \\uXXXX",
                )
            return _ESCAPED[escaped]

        body = _ESCAPE().sub(replace, body)
    if not body.isascii():
        try:
            # \uD83D\uDD25 is one character written in two halves; half a character is none.
            body = body.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise ExpressionError(
                "half of a surrogate pair is not a character",
                text=text,
                offset=start,
                found=raw.encode("ascii", "backslashreplace").decode(),
            ) from None
    return body


def _unreadable(text: str, position: int) -> ExpressionError:
    """What is wrong where no token starts."""
    rest = text[position]
    if text.startswith("/*", position):
        return ExpressionError("unfinished comment", text=text, offset=position, found="/*", expected="*/")
    if rest in "'`":
        what = "string" if rest == "'" else "delimited identifier"
        return ExpressionError(
            f"unfinished {what}", text=text, offset=position, found=rest, expected=f"a closing {rest}"
        )
    if rest == "@":
        return ExpressionError(
            "malformed date or time",
            text=text,
            offset=position,
            found=text[position : position + 12],
            expected="@YYYY-MM-DD, @YYYY-MM-DDThh:mm:ss or @Thh:mm:ss",
        )
    if rest == "$":
        return ExpressionError(
            "unknown special",
            text=text,
            offset=position,
            found=text[position : position + 8],
            expected="$this, $index or $total",
        )
    hint = {'"': "strings stand in single quotes", "!": "write != or !~, or .not()"}.get(rest, "")
    found = rest if rest.isprintable() else f"U+{ord(rest):04X}"
    return ExpressionError("unexpected character", text=text, offset=position, found=found, hint=hint)
