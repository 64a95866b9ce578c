"""Code around code: what keeps the place of an error, and what ends the variables of a chain with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .code import Code, valued
from .errors import EvaluationError

if TYPE_CHECKING:
    from .frame import Frame


def placed(code: Code, text: str, at: int) -> Code:
    """The same code, whose errors say where in the text they arose."""
    run, one = code.run, code.one
    if one is not None:
        value_of = one

        def value(frame: Frame) -> Any:
            try:
                return value_of(frame)
            except EvaluationError as error:
                error.place(text, at)
                raise

        return valued(value, boolean=code.boolean).like(code)

    def items(frame: Frame) -> list[Any]:
        try:
            return run(frame)
        except EvaluationError as error:
            error.place(text, at)
            raise

    return Code(items).like(code)


def scoped(code: Code) -> Code:
    """The same code, after which the variables are what they were before it."""
    run = code.run

    def items(frame: Frame) -> list[Any]:
        variables = frame.variables
        found = run(frame)
        frame.variables = variables
        return found

    if code.one is None:
        return Code(items)
    one = code.one

    def value(frame: Frame) -> Any:
        variables = frame.variables
        found = one(frame)
        frame.variables = variables
        return found

    return valued(value, boolean=code.boolean)
