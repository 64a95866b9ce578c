"""Code for common shapes of expression: the same answers in less time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import syntax
from .code import Code

if TYPE_CHECKING:
    from .compiler import Compiler


def call(compiler: Compiler, node: syntax.Call) -> Code | None:
    """The code of a call that has a shortcut, else None."""
    return None
