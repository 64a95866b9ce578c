"""Each type of R4 as a compiled checker: which properties it has, how often, and what each must be.

The properties of an object are looked up once for each *shape* (the tuple of its property names, in
order): unknown names, missing elements, doubled choices and the invariants that can fail are worked out the
first time a shape is seen and kept. After that an object costs one lookup and its values' own checks.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from service.fhir.validation import invariants, rules
from service.fhir.validation.places import below
from service.fhir.validation.primitives import PRIMITIVES
from service.fhir.validation.run import DEPTH, Run, quoted
from service.fhir.validation.tables import ELEMENTS
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.fhir.validation.invariants import Selection
    from service.fhir.validation.places import Place
    from service.fhirpath.model import ElementInfo

Rule: TypeAlias = "Callable[[Any, Place, Run], None]"

_SHAPES = 4_000


class Fault(NamedTuple):
    """What is wrong with a shape, whichever object has it: code, message, the property, key."""

    code: str
    message: str
    name: str
    key: str


class Shape(NamedTuple):
    """What one tuple of property names asks for: a rule for each, faults, pairs, invariants."""

    rules: tuple[Rule, ...]
    faults: tuple[Fault, ...]
    pairs: tuple[tuple[Rule, str], ...]
    selection: Selection | None
    odd: bool


class TypeChecker:
    """The checker of one type: a resource, a data type or a backbone element."""

    __slots__ = ("_rules", "_shapes", "extras", "info", "name")

    def __init__(self, name: str) -> None:
        """Takes a type's name; its model must have it."""
        info = R4.type(name)
        if info is None:
            raise KeyError(name)
        self.name = name
        self.info = info
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._rules: dict[str, Rule] = {}
        self.extras: tuple[Rule, ...] = rules.native(name)

    def check(self, value: dict[str, Any], place: Place, run: Run) -> None:
        """Reports what is wrong with an object that ought to be of this type."""
        if place[3] > DEPTH:
            run.error(
                "too-long", f"nested more than {DEPTH} levels deep; what lies below was not read", place
            )
            return
        run.steps -= 1
        if run.steps < 0:
            run.spend(place)
        names = tuple(value)
        shape = self._shapes.get(names) or self.shape(names)
        for rule, child in zip(shape.rules, value.values(), strict=True):
            rule(child, place, run)
        for pair, name in shape.pairs:
            pair((value[name], value["_" + name]), place, run)
        if shape.odd:
            run.odd = True
        for code, message, name, key in shape.faults:
            run.error(code, message, below(place, name) if name else place, key)
        for extra in self.extras:
            extra(value, place, run)
        if shape.selection is not None:
            for invariant in shape.selection.of(value):
                invariant.check(value, place, run)

    def shape(self, names: tuple[str, ...]) -> Shape:
        """What a tuple of property names asks for, worked out and kept."""
        found: list[Rule] = []
        faults: list[Fault] = []
        pairs: list[tuple[Rule, str]] = []
        present = set(names)
        for name in names:
            rule, fault = self._property(name, present)
            found.append(rule)
            if fault:
                faults.append(fault)
            elif name.startswith("_") and name[1:] in present:
                pairs.append((self._rule(name, paired=True), name[1:]))
        if not present - ({"resourceType"} if self.info.kind == "resource" else {"id"}) and (
            self.name != "Element" or not names  # the sibling of a primitive may have an id alone
        ):
            message = "an object needs at least one element (beside its id); leave it out"
            faults.append(Fault("structure", message, "", "ele-1"))
        faults += self._missing(present)
        shape = Shape(
            tuple(found),
            tuple(faults),
            tuple(pairs),
            invariants.that_may_fail(self.name, frozenset(present)),
            not all(isinstance(name, str) for name in names),
        )
        if len(self._shapes) < _SHAPES and not faults:
            self._shapes[names] = shape
        return shape

    def _property(self, name: Any, present: set[str]) -> tuple[Rule, Fault | None]:
        """The rule for one property, and what is wrong with its being there."""
        if not isinstance(name, str):
            return _pass, Fault("structure", "a property's name must be a string", "", "")
        if name == "resourceType" and self.info.kind == "resource":
            return _pass, None
        plain = name.removeprefix("_")
        entry = self.info.fields.get(plain)
        if entry is None or (plain != name and entry[1] not in PRIMITIVES):
            return _pass, Fault("structure", self._unknown(name), name, "")
        if name == plain and "_" + name in present:
            return _pass, None  # the sibling's pair checks both
        if name != plain and plain in present:
            return _pass, None
        return self._rule(name), None

    def _unknown(self, name: str) -> str:
        near = get_close_matches(name[:80], self.info.fields, n=1, cutoff=0.7)
        if near and near[0] != name:
            return f"{quoted(name)} is no element of {self.name}; did you mean '{near[0]}'?"
        listed = ", ".join(list(self.info.elements)[:40])
        if name.startswith("_") and name[1:] in self.info.fields:
            return f"{quoted(name)} cannot stand: only primitive elements have a sibling with an underscore"
        for element in self.info.elements.values():
            if element.choice and name.lower().startswith(element.name.lower()):
                listed = ", ".join(list(element.variants.values())[:12])
                return f"{quoted(name)} is no form of {self.name}.{element.name}[x]; it may be {listed}"
        return f"{quoted(name)} is no element of {self.name}; elements: {listed}"

    def _missing(self, present: set[str]) -> list[Fault]:
        faults = []
        for element in self.info.elements.values():
            given = [
                field
                for field in element.variants.values()
                if field in present or (element.types and "_" + field in present)
            ]
            if element.minimum and not given:
                name = element.name + ("[x]" if element.choice else "")
                faults.append(
                    Fault("required", f"{self.name}.{name} is missing; it must stand at least once", "", "")
                )
            if len(given) > 1:
                faults.append(
                    Fault(
                        "structure",
                        f"only one form of {self.name}.{element.name}[x] may stand; found {', '.join(given)}",
                        given[1],
                        "",
                    )
                )
        return faults

    def _rule(self, name: str, *, paired: bool = False) -> Rule:
        cached = self._rules.get(name + "/" if paired else name)
        if cached is None:
            plain = name.removeprefix("_")
            element, type_name = self.info.fields[plain]
            facts = element_facts(self.name, element)
            if paired:
                cached = rules.pair(plain, type_name, facts, repeats=element.repeats)
            elif plain != name:
                cached = rules.sibling(plain, repeats=element.repeats)
            else:
                cached = rules.for_field(plain, element, type_name, facts)
            self._rules[name + "/" if paired else name] = cached
        return cached


def element_facts(owner: str, element: ElementInfo) -> dict[str, Any]:
    """HL7's further rules of one element, its own or inherited: binding, targets, invariants."""
    written = element.name + ("[x]" if element.choice else "")
    for name in R4.ancestry(owner):
        facts: dict[str, Any] = (ELEMENTS.get(name) or {}).get("elements", {}).get(written)
        if facts is not None:
            return facts
    return {}


def _pass(value: Any, place: Place, run: Run) -> None:
    """The rule where there is nothing to check."""


_CHECKERS: dict[str, TypeChecker] = {}


def checker(name: str) -> TypeChecker:
    """The checker of a type, compiled on first use."""
    found = _CHECKERS.get(name)
    if found is None:
        found = _CHECKERS.setdefault(name, TypeChecker(name))
    return found
