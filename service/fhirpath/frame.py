"""What one evaluation knows: its focus, variables, clock and limits. Nothing outlives the evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from .errors import EvaluationError, LimitError
from .records import record

if TYPE_CHECKING:
    from .constants import Constants
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
    collections by name, and `outer` what stands for names that they lack; where `lenient` is set, a variable
    that neither has is empty, not an error. `told` is what the parts give that no iteration changes; `shared`
    is what parts gave that several programs over the frame have, with the steps it took, where such are
    kept."""

    __slots__ = (
        "constants",
        "context",
        "given",
        "index",
        "indexes",
        "lenient",
        "limits",
        "now",
        "outer",
        "shapes",
        "shared",
        "steps",
        "surroundings",
        "this",
        "told",
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
        constants: Constants | None = None,
    ) -> None:
        self.constants = constants
        self.context = context
        self.this = context
        self.index: int | None = None
        self.total: list[Any] = []
        self.given: list[Any] = context
        self.indexes: dict[tuple[int, str], tuple[Any, int, dict[Any, list[Any]] | None]] = {}
        self.lenient = False
        self.told: dict[Any, Any] = {}
        self.shapes = shapes
        self.shared: dict[str, tuple[Any, int]] | None = None
        self.variables = self.outer = variables
        self.now = now
        self.limits = limits
        self.steps = limits.steps
        self.surroundings = surroundings

    def spend(self, steps: int) -> None:
        """Count steps; LimitError when there are more than the caller allows."""
        self.steps -= steps
        if self.steps < 0:
            raise LimitError(f"the evaluation takes more than {self.limits.steps} steps")

    def afresh(self, variables: Mapping[str, list[Any]]) -> None:
        """Makes ready for another expression over the same context: what one has changed is undone."""
        self.this = self.context
        self.index = None
        self.total = []
        self.told = {}
        self.variables = variables
        self.steps = self.limits.steps

    def forget(self, kept: int) -> None:
        """Drops all indexes but the first `kept` that were made."""
        for key in list(self.indexes)[kept:]:
            del self.indexes[key]

    def elsewhere(self, name: str) -> list[Any]:
        """The value of a variable that is not among the `variables`; EvaluationError where there is none."""
        found = self.outer.get(name)
        if found is None:
            if not self.lenient:
                raise EvaluationError(f"the variable %{name} is not given")
            found = []
        return found

    def by_text(self, values: list[Any], key: str) -> dict[Any, list[Any]] | None:
        """The objects of a JSON array by the text they have under a key (those without one under None), made
        once for as long as the array has no more items; None where something in the array is no object, or
        has what is no text there.
        """
        known = self.indexes.get((id(values), key))
        if known is None or known[1] != len(values):
            # The array is kept beside its index, so that no other can have its id.
            known = self.indexes[id(values), key] = values, len(values), _by_text(values, key)
            self.spend(len(values))
        return known[2]

    def instant(self) -> datetime:
        """The one instant of this evaluation: the caller's, or the real one when first asked for."""
        if self.now is None:
            self.now = datetime.now().astimezone()
        return self.now


def _by_text(values: list[Any], key: str) -> dict[Any, list[Any]] | None:
    out: dict[Any, list[Any]] = {}
    for value in values:
        if value.__class__ is not dict:
            return None
        text = value.get(key)
        if text.__class__ is not str and text is not None:
            return None
        known = out.get(text)
        if known is None:
            out[text] = [value]
        else:
            known.append(value)
    return out
