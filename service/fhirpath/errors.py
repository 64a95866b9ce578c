"""The two ways FHIRPath can fail: the text is wrong, or its evaluation is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def locate(text: str, offset: int) -> tuple[int, int]:
    """The line and column (both from 1) of an offset in a text."""
    before = text[:offset]
    line = before.count("\n") + 1
    return line, offset - (before.rfind("\n") + 1) + 1


def resembling(name: str, known: Iterable[str], shape: str = "{}") -> str:
    """A suggestion of the known name most like the one given, or nothing. `shape` is how it is written."""
    # Loaded only to word an error.
    from difflib import get_close_matches

    close = get_close_matches(name, sorted(known), 1, 0.5)
    return f"did you mean {shape.format(close[0])}?" if close else ""


class ExpressionError(ValueError):
    """Text that is no expression, or one that names what cannot exist.

    `line` and `column` count from 1; `found` and `expected` say what stood there and what could have;
    `hint` is a suggestion ("did you mean ..."), empty when there is none.
    """

    def __init__(
        self,
        message: str,
        *,
        text: str = "",
        offset: int = 0,
        found: str = "",
        expected: str = "",
        hint: str = "",
    ) -> None:
        self.reason = message
        self.text = text
        self.offset = offset
        self.line, self.column = locate(text, offset)
        self.found = found
        self.expected = expected
        self.hint = hint
        parts = [f"line {self.line}, column {self.column}: {message}"]
        if found:
            parts.append(f"found {found}")
        if expected:
            parts.append(f"expected {expected}")
        if hint:
            parts.append(hint)
        super().__init__("; ".join(parts))


class EvaluationError(Exception):
    """An expression that cannot be evaluated over what it was given.

    `line` and `column` (from 1) tell which part of the expression failed; they are None until the failing
    part is known. The message carries no values of the resource, only types and places.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.reason = message
        self.offset: int | None = None
        self.line: int | None = None
        self.column: int | None = None

    def place(self, text: str, offset: int) -> None:
        """Record where in the expression the evaluation failed; the innermost place stands."""
        if self.offset is None:
            self.offset = offset
            self.line, self.column = locate(text, offset)

    def __str__(self) -> str:
        if self.line is None:
            return self.reason
        return f"line {self.line}, column {self.column}: {self.reason}"


class LimitError(EvaluationError):
    """An evaluation that went past a limit its caller set (steps, depth, length of a text)."""
