"""A plan's actions as every application of it takes them: what does not depend on the call stands ready.

Nothing here knows a form. What is made of a definition that an action names is kept beside the action, for as
long as its canonical leads to that same definition.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.fhir.plans.definitions import canonical
from service.fhir.plans.realisation import (
    Template,
    UnsupportedKind,
    form_template,
    message_template,
    request_template,
)
from service.fhir.plans.rules import ATTENTION, FHIRPATH, Condition, RuleFault, read_conditions, role
from service.fhir.plans.templates import Copies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from service.fhir.plans.reading import Plan

    Decisions = Mapping[int, int | str]

Resource = dict[str, Any]
_CARRIED = (
    "prefix",
    "title",
    "description",
    "textEquivalent",
    "priority",
    "code",
    "documentation",
    "condition",
    "relatedAction",
    "type",
    "groupingBehavior",
    "selectionBehavior",
    "requiredBehavior",
    "precheckBehavior",
    "cardinalityBehavior",
    "timingDateTime",
    "timingAge",
    "timingPeriod",
    "timingDuration",
    "timingRange",
    "timingTiming",
)
_OFFERED = ("title", "selectionBehavior")


class Value:
    """One ``dynamicValue``. ``fault`` says why it is not evaluated here, where it is not."""

    __slots__ = ("_program", "_text", "fault", "path", "place")

    def __init__(self, dynamic: Resource, place: str) -> None:
        """Takes the element and its place."""
        expression = dynamic.get("expression", {})
        self.place = place
        self.path: str = dynamic.get("path", "")
        self._text = expression.get("expression", "")
        self._program: fhirpath.Program | None = None
        self.fault = None if expression.get("language") == FHIRPATH else f"only {FHIRPATH} is evaluated here"

    def program(self, names: frozenset[str]) -> fhirpath.Program:
        """The expression, for a call that gives these variables; ExpressionError where it is none."""
        if names:
            return fhirpath.compiled(self._text, variables=names)
        if self._program is None:
            self._program = fhirpath.compiled(self._text)
        return self._program


class Defined:
    """What is made of a definition that an action names.

    ``request`` is a draft; where the definition ``is_plan``, it is applied in its turn, ``read`` when that is
    first done. Where it is neither, ``fault`` says why. ``values`` are set on the draft before the action's
    own.
    """

    __slots__ = ("definition", "fault", "is_plan", "read", "request", "values")

    def __init__(self, definition: Resource, named: str, title: str) -> None:
        """Takes the definition, its canonical as the action names it, and the action's title."""
        self.definition = definition
        self.request: Template | None = None
        self.read: tuple[Plan | None, tuple[Action, ...]] | None = None
        self.fault = ""
        self.values = _values(definition, f"ActivityDefinition[{definition.get('id')}]")
        kind = definition["resourceType"]
        self.is_plan = kind == "PlanDefinition"
        if kind == "Questionnaire":
            self.request = form_template(definition, title)
        elif kind == "ActivityDefinition":
            try:
                self.request = request_template(definition)
            except UnsupportedKind as fault:
                self.fault = str(fault)
        elif not self.is_plan:
            self.fault = f"{named} is not a definition that can be applied"


class Action:
    """One action, with those below it; each part of it is made ready when it is first asked for.

    Where an evaluation decides it, ``decided`` is what it is known by in one: the identity (``id``) of its
    statement, or the proposal's id. ``named`` is the canonical of its definition; ``is_group`` tells that it
    has actions below it, even where none of them is ever shown. ``restates``: all that comes of it is a
    message that says what the evaluation's statement says.
    """

    def __init__(self, source: Resource, place: str, decisions: Decisions) -> None:
        """Takes the action as published and its place in the plan."""
        self.place = place
        self.decided = decisions.get(id(source))
        self.named: str | None = source.get("definitionCanonical")
        self.is_group = "action" in source
        self.restates = isinstance(self.decided, int) and self.named is None and not self.is_group
        self._source = source
        self._decisions = decisions
        self._defined: Defined | None = None

    @cached_property
    def children(self) -> tuple[Action, ...]:
        """The actions below it."""
        return _shown(self._source.get("action", ()), f"{self.place}.action", self._decisions)

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """What it computes for its request."""
        return _values(self._source, self.place)

    @cached_property
    def head(self) -> Callable[[], Resource]:
        """What gives the RequestGroup's action each time, without what comes below it."""
        made = self._carried(_CARRIED)
        if "condition" in made:
            made["condition"] = [_bare(condition) for condition in made["condition"]]
        return Copies(made)

    @cached_property
    def face(self) -> Callable[[], Resource]:
        """As ``head``, and no more of it than is needed to offer the drafts below it for choice."""
        return Copies(self._carried(_OFFERED))

    def _carried(self, names: tuple[str, ...]) -> Resource:
        source = self._source
        made: Resource = {"id": source.get("id") or _plain(self.place)}
        return made | {name: source[name] for name in names if name in source}

    @cached_property
    def conditions(self) -> tuple[Condition, ...] | RuleFault:
        """The conditions under which the action applies, or what is wrong with them."""
        try:
            return read_conditions(self._source, None)
        except RuleFault as fault:
            return fault

    @cached_property
    def words(self) -> Template:
        """The message that an action without definition is."""
        source = self._source
        said = source.get("description") or source.get("textEquivalent") or source.get("title", "")
        return message_template(said, source.get("priority"))

    def defined(self, definition: Resource) -> Defined:
        """What is made of the definition that its canonical leads to."""
        known = self._defined
        if known is None or known.definition is not definition:
            known = self._defined = Defined(definition, str(self.named), self._source.get("title", ""))
        return known


def prepare(definition: Resource, decisions: Decisions) -> tuple[Action, ...]:
    """A PlanDefinition's actions that are shown; ``decisions`` by the identity (``id``) of an action."""
    place = f"PlanDefinition[{definition.get('id')}].action"
    return _shown(definition.get("action", ()), place, decisions)


class Ready:
    """Actions of published plans without roles, made ready once for all calls and threads.

    A definition is known by its identity, and held so that no other can come to have it.
    """

    def __init__(self, most: int = 256) -> None:
        """Keeps no more than so many definitions."""
        self._most = most
        self._kept: dict[int, tuple[Resource, tuple[Action, ...]]] = {}

    def of(self, definition: Resource, resolve: Callable[[str], Resource | None]) -> tuple[Action, ...]:
        """The actions of a PlanDefinition; kept only where its canonical leads to this very definition."""
        kept = self._kept.get(id(definition))
        if kept is not None:
            return kept[1]
        actions = prepare(definition, {})
        if len(self._kept) < self._most and resolve(canonical(definition)) is definition:
            self._kept[id(definition)] = definition, actions
        return actions


def _shown(actions: Sequence[Resource], place: str, decisions: Decisions) -> tuple[Action, ...]:
    """All but criteria, which are findings, and rules of attention."""
    return tuple(
        Action(action, f"{place}[{index}]", decisions)
        for index, action in enumerate(actions)
        if role(action) not in ("criterion", ATTENTION)
    )


def _values(definition: Resource, place: str) -> tuple[Value, ...]:
    values = definition.get("dynamicValue", ())
    return tuple(Value(dynamic, f"{place}.dynamicValue[{index}]") for index, dynamic in enumerate(values))


def _bare(condition: Resource) -> Resource:
    """A condition as the RequestGroup carries it: without the extensions that only a plan may have."""
    return {name: value for name, value in condition.items() if name != "extension"}


def _plain(place: str) -> str:
    """An id for an action that has none, from its place."""
    below = place.split("].", 1)[-1]
    return "".join(character if character.isalnum() else "-" for character in below).strip("-")
