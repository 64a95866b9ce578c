"""What a form says of one item: its type, its options, its conditions and the limits of its answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.fhirpath.records import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from service.fhir.forms.elements import Json
    from service.fhir.forms.expressions import Constraint, Expression

ANSWERS_BY_TYPE: Mapping[str, tuple[str, ...]] = {
    "boolean": ("boolean",),
    "decimal": ("decimal",),
    "integer": ("integer",),
    "date": ("date",),
    "dateTime": ("dateTime",),
    "time": ("time",),
    "string": ("string",),
    "text": ("string",),
    "url": ("uri",),
    "choice": ("Coding",),
    "open-choice": ("Coding", "string"),
    "attachment": ("Attachment",),
    "reference": ("Reference",),
    "quantity": ("Quantity",),
}
"""From the type of a question to the types of its answers (R4 code system item-type)."""

OPTION_TYPES = frozenset({"integer", "date", "time", "string", "Coding"})
"""What a choice may be made from (R4, answerOption.value[x]); references have a type of their own."""

CHOICES = frozenset({"choice", "open-choice"})


@record
class Value:
    """A FHIR value with its type: ``Value("integer", 3)``, ``Value("Coding", {...})``."""

    type: str
    content: Any


@dataclass(frozen=True, slots=True)
class Option:
    """One permitted answer. ``key`` is what two equal answers share."""

    value: Value
    key: tuple[Any, ...]
    exclusive: bool
    source: Json


@dataclass(frozen=True, slots=True)
class Toggle:
    """Options that are offered only where an expression is true (SDC 4.0, answerOptionsToggleExpression)."""

    keys: frozenset[tuple[Any, ...]]
    expression: Expression
    place: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One enableWhen: the question asked of, the operator and the answer it is held against.

    ``scope`` is the linkId of the nearest common ancestor of the two items, where it can occur more than
    once in a response; None where the whole response is the place to look.
    """

    question: str
    operator: str
    expected: Value | None
    scope: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What an answer of the item must keep to, and how many there may be. None and () say: no limit."""

    minimum: Value | None = None
    maximum: Value | None = None
    min_length: int | None = None
    max_length: int | None = None
    max_decimals: int | None = None
    regex: str | None = None
    entry_format: str | None = None
    mime_types: tuple[str, ...] = ()
    max_size: Decimal | None = None
    min_occurs: int | None = None
    max_occurs: int | None = None
    reference_types: tuple[str, ...] = ()
    reference_profiles: tuple[str, ...] = ()
    unit: Json | None = None
    units: tuple[Json, ...] = ()
    unit_value_set: str | None = None
    unit_open: str | None = None
    unit_system: str | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True, eq=False)
class FormItem:
    """One item of a form. Two items are equal only when they are the same item.

    ``place`` is its FHIRPath in the Questionnaire, ``ancestors`` the linkIds above it, outermost first,
    ``position`` its place among its siblings. ``answers`` names the types an answer may have.
    """

    link_id: str
    type: str
    text: str | None
    source: Json
    place: str
    position: int
    ancestors: tuple[str, ...]
    required: bool
    repeats: bool
    read_only: bool
    answers: frozenset[str]
    options: tuple[Option, ...]
    options_by_key: Mapping[tuple[Any, ...], Option]
    value_set: str | None
    conditions: tuple[Condition, ...]
    any_condition: bool
    limits: Limits
    enable_expression: Expression | None
    toggles: tuple[Toggle, ...]
    variables: tuple[Expression, ...]
    constraints: tuple[Constraint, ...]
    children: tuple[FormItem, ...] = ()
    by_link: Mapping[str, FormItem] = field(default_factory=dict)

    @property
    def is_group(self) -> bool:
        """Whether it holds items and no answers."""
        return self.type == "group"

    @property
    def is_display(self) -> bool:
        """Whether it is only shown."""
        return self.type == "display"

    @property
    def is_question(self) -> bool:
        """Whether it is answered."""
        return self.type not in ("group", "display")

    @property
    def parent(self) -> str | None:
        """The linkId of the item that holds it; None at the form's root."""
        return self.ancestors[-1] if self.ancestors else None

    @property
    def conditional(self) -> bool:
        """Whether a rule of its own decides if it is enabled."""
        return bool(self.conditions) or self.enable_expression is not None

    @property
    def open(self) -> bool:
        """Whether a text that is no option is an answer too."""
        return self.type == "open-choice"
