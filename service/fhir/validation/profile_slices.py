"""Which values of a repeating element belong to which slice of it.

Source: FHIR R4 profiling page §5.1.0.13 (discriminators: value, pattern, exists, type, profile).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from service.fhir.validation import membership, patterns, profiles, references
from service.fhir.validation.profile_trees import children_of
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from service.fhir.validation.profile_trees import Node
    from service.fhir.validation.profiles import Item
    from service.fhir.validation.run import Run

_STEP = re.compile(r"([A-Za-z$][A-Za-z0-9]*)(?:\(\s*'?([^')]*)'?\s*\))?(?:\.|$)")
_TYPE_SLICES = ({"type": "type", "path": "$this"},)
_URL_SLICES = ({"type": "value", "path": "url"},)


@dataclass(slots=True)
class Assigned:
    """Each slice with its values; the slices that could not be told apart; what breaks the slicing."""

    members: list[tuple[Node, list[Item]]] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    faults: list[tuple[str, str, Item]] = field(default_factory=list)


def assign(node: Node, items: list[Item], run: Run) -> Assigned:
    """The values of an element by slice."""
    found = Assigned()
    discriminators = _discriminators(node)
    slices = list(node.slices.values())
    verdicts = [[_belongs(inner, discriminators, item, run) for inner in slices] for item in items]
    for number, inner in enumerate(slices):
        column = [row[number] for row in verdicts]
        if None in column or not discriminators:
            found.undecided.append(inner.slice_name)
        else:
            found.members.append(
                (inner, [item for item, verdict in zip(items, column, strict=True) if verdict])
            )
    # for each value the number of its slice, or -1
    taken = [next((number for number, verdict in enumerate(row) if verdict), -1) for row in verdicts]
    if not found.undecided:
        _check_rules(node, slices, items, taken, found)
    return found


def _check_rules(
    node: Node, slices: list[Node], items: list[Item], taken: list[int], found: Assigned
) -> None:
    rules, name = node.slicing.get("rules"), node.name
    listed = ", ".join(inner.slice_name for inner in slices[:12])
    last = -1
    for place, (item, number) in enumerate(zip(items, taken, strict=True)):
        if number < 0:
            if rules == "closed":
                message = f"this {name} is of no slice, and only slices may stand here: {listed}"
                found.faults.append(("structure", message, item))
            elif rules == "openAtEnd" and any(later >= 0 for later in taken[place + 1 :]):
                message = f"this {name} is of no slice; it must come after those of the slices {listed}"
                found.faults.append(("structure", message, item))
        elif node.slicing.get("ordered") is True:
            if number < last:
                message = f"this {name} ({slices[number].slice_name}) is out of order; the order is {listed}"
                found.faults.append(("structure", message, item))
            last = max(last, number)


def _discriminators(node: Node) -> tuple[dict[str, Any], ...]:
    stated = node.slicing.get("discriminator")
    if isinstance(stated, list) and stated:
        return tuple(entry for entry in stated if isinstance(entry, dict))
    if node.name in ("extension", "modifierExtension"):
        return _URL_SLICES
    return _TYPE_SLICES if node.name.endswith("[x]") else ()


def _belongs(inner: Node, discriminators: tuple[dict[str, Any], ...], item: Item, run: Run) -> bool | None:
    verdicts = [
        _fits(inner, str(entry.get("type")), str(entry.get("path")), item, run) for entry in discriminators
    ]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _fits(inner: Node, kind: str, path: str, item: Item, run: Run) -> bool | None:
    if inner.name in ("extension", "modifierExtension") and path == "url" and (url := _url(inner)):
        return isinstance(item.value, dict) and item.value.get("url") == url
    steps = [] if path in ("$this", "") else _STEP.findall(path)
    node, values = _walk(inner, steps, item, run)
    if kind == "exists":
        if node is None:
            return None
        return not values if node.maximum == 0 else bool(values)
    if kind == "type":
        return _type(node, inner, steps, values, run)
    if kind == "profile":
        return _profile(node, values, run)
    if node is None:
        return None
    return (
        any(verdicts)
        if None not in (verdicts := [_satisfies(node, *value, run) for value in values])
        else None
    )


def _url(inner: Node) -> str | None:
    fixed = inner.children.get("url")
    if fixed is not None and fixed.value is not None:
        return str(fixed.value[1])
    for entry in inner.types:
        for profile in entry.get("profile") or ():
            return str(profile).partition("|")[0]
    return None


def _walk(
    node: Node | None, steps: list[tuple[str, str]], item: Item, run: Run
) -> tuple[Node | None, list[tuple[Any, str]]]:
    """The node and the values at a discriminator's path."""
    values = [(item.value if item.value is not None else item.sibling, item.type)]
    for name, argument in steps:
        following: list[tuple[Any, str]] = []
        if name == "resolve":
            for value, _ in values:
                target = references.target(value, run) if isinstance(value, dict) else None
                kind = references.target_type(value, run) if isinstance(value, dict) else None
                if kind is not None:
                    following.append((target if target is not None else {"resourceType": kind}, kind))
            values = following
            continue
        if name == "ofType":
            values = [pair for pair in values if pair[1] == argument]
            continue
        wanted = "extension" if name == "extension" else name
        for value, type_name in values:
            for given, sibling, inner_type, _, _ in children_of(value, R4.type(type_name), wanted):
                one = given if given is not None else sibling
                if not argument or (isinstance(one, dict) and one.get("url") == argument):
                    following.append((one, profiles.type_of(one, inner_type)))
        values = following
        if node is not None:
            below = node.children.get(wanted) or node.children.get(f"{wanted}[x]")
            if below is not None and argument:
                below = next((inner for inner in below.slices.values() if _url(inner) == argument), None)
            node = below
    return node, values


def _satisfies(node: Node, value: Any, type_name: str, run: Run) -> bool | None:
    """Whether a value has what the node fixes, itself or below; None where it fixes nothing decidable."""
    wanted = node.value
    if wanted is not None:
        return patterns.fits(wanted[0], value, wanted[1])
    verdicts: list[bool | None] = []
    for child in (*node.children.values(), *node.slices.values()):
        if not _states_value(child):
            continue
        given = (
            [(value, None, type_name, "", -1)]
            if child.slice_name
            else children_of(value, R4.type(type_name), child.name)
        )
        verdicts.append(any(_satisfies(child, one, kind, run) for one, _, kind, _, _ in given))
    if verdicts:
        return all(verdicts)
    binding = node.definition.get("binding")
    if isinstance(binding, dict) and binding.get("strength") == "required" and binding.get("valueSet"):
        codes = membership.codes_of(value)
        found = [membership.contains(str(binding["valueSet"]), *pair, run) for pair in codes or ()]
        return True if True in found else None if None in found else False
    return None


def _states_value(node: Node) -> bool:
    below = (*node.children.values(), *node.slices.values())
    return node.value is not None or any(_states_value(child) for child in below)


def _type(
    node: Node | None, inner: Node, steps: list[tuple[str, str]], values: list[tuple[Any, str]], run: Run
) -> bool | None:
    wanted: list[str | None] = []
    for entry in (node or inner).types:
        if steps and steps[-1][0] == "resolve":
            wanted += [type_of_profile(str(one), run) for one in entry.get("targetProfile") or ()]
        else:
            wanted.append(str(entry.get("code")))
    if not wanted and not steps and inner.name.endswith("[x]"):
        plain = inner.name.removesuffix("[x]")
        given = inner.slice_name.removeprefix(plain)
        wanted = [given, given[:1].lower() + given[1:]]
    if not wanted or None in wanted:
        return None
    return any(R4.is_a(kind, str(one)) for _, kind in values for one in wanted)


def type_of_profile(canonical: str, run: Run) -> str | None:
    """The type that a profile is for; None where it is not held here."""
    name = canonical.partition("|")[0].removeprefix(profiles.BASE)
    if name in R4.names:
        return name
    structure = run.structure(canonical)
    found = structure.get("type") if structure else None
    return found if isinstance(found, str) else None


def _profile(node: Node | None, values: list[tuple[Any, str]], run: Run) -> bool | None:
    wanted = [
        str(one)
        for entry in (node.types if node else ())
        for one in (*(entry.get("profile") or ()), *(entry.get("targetProfile") or ()))
    ]
    if not wanted:
        return None
    verdicts = [profiles.conforms(value, kind, one, run) for value, kind in values for one in wanted]
    return True if True in verdicts else None if None in verdicts else False
