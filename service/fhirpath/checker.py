"""What can be known to be wrong before evaluation: names of functions, variables, types and elements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .model import Model
from .syntax import Expression


class Checked(NamedTuple):
    """What the check found out."""

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
    """ExpressionError for the first thing that cannot be right."""
    return Checked(True)
