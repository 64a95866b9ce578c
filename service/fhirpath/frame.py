"""What one evaluation knows: its focus, variables, clock and limits. Nothing outlives the evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from .errors import LimitError
from .records import record

if TYPE_CHECKING:
    from .shapes import Shapes


@record
class Limits:
    """How far an evaluation may go before it ends in a LimitError: `steps` counts items visited or made.

    Beside it, no function makes a text of more than a million characters, and `compile` bounds nesting.
    """

    steps: int = 1_000_000


class Terminology(Protocol):
    """What memberOf() and subsumes() ask. None is an unknown answer; an unknown value set or code system is
    an EvaluationError of the implementation's own making. `coded` is a code, or a Coding or
    CodeableConcept."""

    def member_of(self, value_set: str, coded: str | dict[str, Any]) -> bool | None: ...

    def subsumes(self, general: dict[str, Any], special: dict[str, Any]) -> bool | None: ...


Resolver = Callable[[str], "dict[str, Any] | None"]
Profiles = Callable[["dict[str, Any]", str], "bool | None"]
Sink = Callable[[str, "list[Any]"], None]


@record
class Surroundings:
    """What the caller lends an evaluation: each answers one kind of question the resource itself cannot."""

    resolver: Resolver | None = None
    terminology: Terminology | None = None
    profiles: Profiles | None = None
    trace: Sink | None = None


class Frame:
    """The state of one evaluation. `this`, `index` and `total` change as iterations go; `variables` hold
    collections by name."""

    __slots__ = (
        "context",
        "given",
        "index",
        "limits",
        "now",
        "shapes",
        "steps",
        "surroundings",
        "this",
        "total",
        "variables",
    )

    def __init__(
        self,
        context: list[Any],
        shapes: Shapes,
        variables: Mapping[str, list[Any]],
        now: datetime | None,
        limits: Limits,
        surroundings: Surroundings,
    ) -> None:
        self.context = context
        self.this = context
        self.index: int | None = None
        self.total: list[Any] = []
        self.given: list[Any] = context
        self.shapes = shapes
        self.variables = variables
        self.now = now
        self.limits = limits
        self.steps = limits.steps
        self.surroundings = surroundings

    def spend(self, steps: int) -> None:
        """Count steps; LimitError when there are more than the caller allows."""
        self.steps -= steps
        if self.steps < 0:
            raise LimitError(f"the evaluation takes more than {self.limits.steps} steps")

    def instant(self) -> datetime:
        """The one instant of this evaluation: the caller's, or the real one when first asked for."""
        if self.now is None:
            self.now = datetime.now().astimezone()
        return self.now
