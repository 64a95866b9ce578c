"""The rule of one property: JSON shape (single, array, null), then the value's own type and bindings.

Source: FHIR R4 JSON page. A rule takes the property's value, the place of the object that holds it, and the
run; it writes out a place only when there is something to report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from service.fhir.validation import (
    bindings,
    definitions,
    extensions,
    invariants,
    narrative,
    references,
    types,
)
from service.fhir.validation.places import below
from service.fhir.validation.primitives import MEGABYTE, PRIMITIVES, explain, has_control, is_odd
from service.fhir.validation.run import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.fhir.validation.places import Place
    from service.fhir.validation.run import Run
    from service.fhirpath.model import ElementInfo

    Rule: TypeAlias = "Callable[[Any, Place, Run], None]"
    One: TypeAlias = "Callable[[Any, Place, str, int, Run], None]"


_OBSERVED = frozenset({"xhtml", "uri", "url", "canonical"})


def native(type_name: str) -> tuple[Rule, ...]:
    """What a type asks for beside its elements, written in Python: codings, references, extensions."""
    found: dict[str, tuple[Rule, ...]] = {
        "Coding": (bindings.check_coding,),
        "Extension": (extensions.check_value,),
        "Identifier": (references.check_identifier,),
        "Reference": (references.check_reference,),
    }
    if type_name in ("Quantity", "Age", "Count", "Distance", "Duration"):
        return (bindings.check_quantity,)
    return found.get(type_name, ())


def for_field(name: str, element: ElementInfo, type_name: str, facts: dict[str, Any]) -> Rule:
    """The rule of one property, its extensions' sibling not counted."""
    if name in ("extension", "modifierExtension") and type_name == "Extension":
        return _extensions(name)
    one = _one(type_name, facts)
    if element.repeats:
        return _array(name, one)
    holds = None if facts.keys() - {"modifier"} else _plain(type_name)
    return _single(name, type_name, one, holds)


def _plain(type_name: str) -> Callable[[Any], bool] | None:
    primitive = PRIMITIVES.get(type_name)
    return primitive.holds if primitive and type_name not in _OBSERVED else None


def _single(name: str, type_name: str, one: One, holds: Callable[[Any], bool] | None) -> Rule:
    if holds is not None:

        def quick(value: Any, place: Place, run: Run) -> None:
            if not holds(value):
                one(value, place, name, -1, run)

        return quick

    def rule(value: Any, place: Place, run: Run) -> None:
        one(value, place, name, -1, run)

    if type_name in PRIMITIVES or type_name == "Resource":
        return rule

    def complex_rule(value: Any, place: Place, run: Run) -> None:
        if type(value) is list:
            run.error(
                "structure", f"{name} stands once: write the object itself, not an array", below(place, name)
            )
        else:
            one(value, place, name, -1, run)

    return complex_rule


def _array(name: str, one: One) -> Rule:
    def rule(value: Any, place: Place, run: Run) -> None:
        if type(value) is not list:
            run.error(
                "structure", f"{name} may repeat: write an array, with [ ] around it", below(place, name)
            )
            if value is not None:
                one(value, place, name, -1, run)
            return
        if not value:
            run.error("structure", f"{name} is an empty array; leave it out", below(place, name), "ele-1")
        for index, entry in enumerate(value):
            one(entry, place, name, index, run)

    return rule


def _extensions(name: str) -> Rule:
    every = _array(name, extensions.one(modifier=name == "modifierExtension"))

    def rule(value: Any, place: Place, run: Run) -> None:
        every(value, place, run)
        if type(value) is list and len(value) > 1:
            definitions.check_repeats(value, place, name, run)

    return rule


def _one(type_name: str, facts: dict[str, Any]) -> One:
    """The check of one value of a type, wherever it stands."""
    if type_name in PRIMITIVES:
        return _primitive_one(type_name, facts)
    if type_name == "Resource":
        from service.fhir.validation import documents

        return documents.check_inner
    check = types.checker(type_name).check
    extras = _extras(type_name, facts)

    def one(value: Any, place: Place, name: str, index: int, run: Run) -> None:
        at = (place, name, index, place[3] + 1)
        if type(value) is not dict:
            said = "null" if value is None else quoted(value)
            run.error("structure", f"{name} must be an object of type {type_name}, not {said}", at)
            return
        check(value, at, run)
        for extra in extras:
            extra(value, at, run)

    return one


def _primitive_one(type_name: str, facts: dict[str, Any]) -> One:
    holds = PRIMITIVES[type_name].holds
    local = type_name in ("uri", "url", "canonical")
    codes = bindings.codes(facts.get("binding"))
    extras = (*_extras(type_name, facts), *((narrative.check_div,) if type_name == "xhtml" else ()))

    def one(value: Any, place: Place, name: str, index: int, run: Run) -> None:
        if codes is not None and type(value) is str and value in codes:
            return
        at = (place, name, index, place[3] + 1)
        if not holds(value):
            if has_control(value) and 0 < len(value) <= MEGABYTE and type_name in ("string", "markdown"):
                message = f"{quoted(value)} has control characters; XML cannot carry them: leave them out"
                run.warn("value", message, at, type_name)
                return
            if is_odd(value):
                run.odd = True
            code, message = explain(type_name, value)
            run.error(code, message, at, type_name)
            return
        if local and value[0] == "#":
            run.local.add(value)
        for extra in extras:
            extra(value, at, run)

    return one


def _extras(type_name: str, facts: dict[str, Any]) -> tuple[Rule, ...]:
    found: list[Rule] = []
    if "binding" in facts and (bound := bindings.rule(type_name, *facts["binding"])):
        found.append(bound)
    if type_name == "Reference" and "targets" in facts:
        found.append(references.targets(tuple(facts["targets"])))
    if facts.get("simple") and type_name == "Quantity":
        found.append(_simple_quantity)
    found += (found_.check for found_ in invariants.of_element(type_name, tuple(facts.get("invariants", ()))))
    return tuple(found)


def _simple_quantity(value: Any, place: Place, run: Run) -> None:
    """SimpleQuantity's rule sqty-1."""
    if "comparator" in value:
        run.error("invariant", "a comparator may not stand here; give the value alone", place, "sqty-1")


def sibling(name: str, *, repeats: bool) -> Rule:
    """The rule of a ``_name`` whose ``name`` does not stand: id and extensions in place of a value."""
    check = types.checker("Element").check

    def one(value: Any, at: Place, run: Run) -> None:
        if type(value) is not dict:
            run.error("structure", f"_{name} must be an object with id or extension", at)
            return
        check(value, at, run)
        if "extension" not in value:
            run.error("structure", f"{name} has neither a value nor an extension; leave it out", at, "ele-1")

    if not repeats:
        return lambda value, place, run: one(value, below(place, "_" + name), run)

    def rule(value: Any, place: Place, run: Run) -> None:
        at = below(place, "_" + name)
        if type(value) is not list or not value:
            run.error("structure", f"{name} may repeat: _{name} must be an array with entries", at)
            return
        for index, entry in enumerate(value):
            one(entry, below(place, "_" + name, index), run)

    return rule


def pair(name: str, type_name: str, facts: dict[str, Any], *, repeats: bool) -> Rule:
    """The rule of a ``name`` and its ``_name`` together, given as a tuple."""
    value_one = _primitive_one(type_name, facts)
    check = types.checker("Element").check

    def both(value: Any, about: Any, place: Place, index: int, run: Run) -> None:
        at = below(place, "_" + name, index)
        if about is not None:
            if type(about) is dict:
                check(about, at, run)
            else:
                run.error("structure", f"_{name} must be an object with id or extension", at)
        if value is not None:
            value_one(value, place, name, index, run)
        elif type(about) is not dict or "extension" not in about:
            run.error("structure", f"{name} has neither a value nor an extension here", at, "ele-1")

    def single(values: Any, place: Place, run: Run) -> None:
        value, about = values
        if value is None:
            run.error("structure", f"null is no value; leave {name} out beside _{name}", below(place, name))
        elif about is None:
            run.error("structure", f"null is no value; leave _{name} out", below(place, "_" + name))
        else:
            both(value, about, place, -1, run)

    def array(values: Any, place: Place, run: Run) -> None:
        value, about = values
        if type(value) is not list or type(about) is not list or not value or not about:
            run.error("structure", f"{name} and _{name} must both be arrays with entries", below(place, name))
            return
        if len(value) != len(about):
            run.warn(
                "structure",
                f"{name} and _{name} have {len(value)} and {len(about)} entries; fill the shorter with null",
                below(place, name),
            )
        for index in range(max(len(value), len(about))):
            both(
                value[index] if index < len(value) else None,
                about[index] if index < len(about) else None,
                place,
                index,
                run,
            )

    return array if repeats else single
