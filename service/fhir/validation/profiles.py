"""Elements against a profile: cardinality, types, fixed and pattern values, slices, bindings, invariants.

Source: FHIR R4 profiling page and ElementDefinition. The base type is checked before and elsewhere
(``types.py``), so that only what a profile adds is reported here. What cannot be checked is said.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from service.fhir.validation import membership, patterns, profile_slices, references
from service.fhir.validation.invariants import Invariant
from service.fhir.validation.limits import check_limits
from service.fhir.validation.places import below
from service.fhir.validation.primitives import PRIMITIVES
from service.fhir.validation.profile_trees import Node, build, children_of
from service.fhir.validation.run import Run, quoted
from service.fhir.validation.tables import ELEMENTS, INVARIANTS
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from service.fhir.validation.places import Place

BASE = "http://hl7.org/fhir/StructureDefinition/"
_UNIVERSAL = frozenset({"ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "txt-1", "txt-2"})
_CHAIN = 12
_NESTED = 8
_KEPT = 300
_TREES: dict[int, tuple[dict[str, Any], Node, bool]] = {}


class Item(NamedTuple):
    """One value of an element: itself, its ``_`` sibling, its type, and its place."""

    value: Any
    sibling: Any
    type: str
    place: Place


def is_core(canonical: str) -> bool:
    """Whether a canonical names one of R4's own types."""
    return canonical.partition("|")[0].removeprefix(BASE) in R4.names


def check_canonical(value: Any, type_name: str, canonical: str, place: Place, run: Run) -> None:
    """Checks an element against the profile of a canonical; says so where it is not held here."""
    if is_core(canonical):
        wanted = canonical.partition("|")[0].removeprefix(BASE)
        if not R4.is_a(type_name, wanted):
            run.error(
                "structure", f"this is a {type_name}, and {canonical} is for {wanted}", place, "profile"
            )
        return
    structure = run.structure(canonical)
    if structure is None:
        message = f"the profile {canonical[:160]} is not held here: what it asks was not checked"
        run.note("informational", message, place, "profile-unchecked")
        return
    check_profile(value, type_name, structure, place, run)


def check_profile(value: Any, type_name: str, structure: dict[str, Any], place: Place, run: Run) -> None:
    """Checks an element against a StructureDefinition."""
    wanted, url = structure.get("type"), str(structure.get("url", "the profile"))[:160]
    if isinstance(wanted, str) and not R4.is_a(type_name, wanted):
        run.error("structure", f"this is a {type_name}, and {url} is for {wanted}", place, "profile")
        return
    seen = (id(value), id(structure))
    if seen in run.profiled or len(run.profiled) > _CHAIN * _NESTED:
        return
    run.profiled.add(seen)
    tree, complete = _tree(structure, run, 0)
    if not complete:
        message = f"a profile that {url} builds on is not held here: what that one asks was not checked"
        run.note("informational", message, place, "profile-unchecked")
    _Checking(run, url).value(tree, Item(value, None, type_name, place), root=True)
    run.profiled.discard(seen)


def conforms(value: Any, type_name: str, canonical: str, run: Run) -> bool | None:
    """Whether an element satisfies a profile; None where that cannot be told here."""
    structure = run.structure(canonical)
    if structure is None or len(run.profiled) > _NESTED:
        return None
    trial = run.trial()
    check_profile(value, type_name, structure, run.place, trial)
    return not trial.failed


def _tree(structure: dict[str, Any], run: Run, depth: int) -> tuple[Node, bool]:
    kept = _TREES.get(id(structure))
    if kept is not None and kept[0] is structure:
        return kept[1], kept[2]
    base = structure.get("baseDefinition")
    parent: Node | None = None
    complete = True
    if isinstance(base, str) and not is_core(base):
        found = run.structure(base) if depth < _CHAIN else None
        if found is not None and found is not structure:
            parent, complete = _tree(found, run, depth + 1)
        else:
            complete = False
    whole = not complete and bool(structure.get("snapshot"))
    if not structure.get("differential"):
        whole = True
    tree = build(structure, None if whole else parent, whole=whole)
    complete = complete or whole
    if len(_TREES) >= _KEPT:
        _TREES.clear()
    _TREES[id(structure)] = (structure, tree, complete)
    return tree, complete


@lru_cache(maxsize=1000)
def _invariant(key: str, severity: str, expression: str, sentence: str, type_name: str) -> Invariant:
    return Invariant(key, severity, expression, sentence, type_name)


class _Checking:
    """One profile over one element."""

    __slots__ = ("run", "url")

    def __init__(self, run: Run, url: str) -> None:
        self.run = run
        self.url = url

    def error(self, code: str, message: str, place: Place, key: str) -> None:
        self.run.error(code, f"{message} (profile {self.url})", place, key)

    def value(self, node: Node, item: Item, *, root: bool = False) -> None:
        """Checks one value of an element against its node, and what lies below it."""
        self.run.spend(item.place)
        if not root and not self._types(node, item):
            return  # what the profile says of another type does not apply
        wanted = node.value
        if (
            wanted is not None
            and item.value is not None
            and not patterns.fits(*wanted[:1], item.value, wanted[1])
        ):
            kind = "exactly" if wanted[0] == "fixed" else "at least"
            said = quoted(wanted[1]) if not isinstance(wanted[1], dict) else str(wanted[1])[:120]
            self.error("value", f"the value must be {kind} {said}", item.place, wanted[0])
        if item.value is not None:
            self._binding(node, item)
            check_limits(node.definition, item.value, item.place, self.error)
        self._constraints(node, item)
        target = item.value if type(item.value) is dict else item.sibling
        info = R4.type(item.type if type(item.value) is dict else "Element")
        for child in node.children.values():
            self._element(child, target, info, item.place)

    def _element(self, node: Node, owner: Any, info: Any, place: Place) -> None:
        items = [
            Item(value, sibling, type_of(value, type_name), below(place, name, index))
            for value, sibling, type_name, name, index in children_of(owner, info, node.name)
        ]
        element = info.elements.get(node.name.removesuffix("[x]")) if info else None
        self._count(node, len(items), place, element.minimum if element else 0)
        for item in items:
            self.value(node, item)
        if node.slices:
            self._slices(node, items, place)

    def _count(self, node: Node, count: int, place: Place, base_minimum: int) -> None:
        label = f"{node.name}:{node.slice_name}" if node.slice_name else node.name
        if count < node.minimum and not (count < base_minimum and not node.slice_name):
            message = f"{label} must stand at least {node.minimum} time(s), found {count}"
            self.error("required", message, place, "minimum")
        most = node.maximum
        if most is not None and count > most:
            message = f"{label} may stand at most {most} time(s), found {count}"
            if most == 0:
                message = f"{label} may not stand here"
            self.error("structure", message, place, "maximum")

    def _slices(self, node: Node, items: list[Item], place: Place) -> None:
        found = profile_slices.assign(node, items, self.run)
        for name in found.undecided:
            message = f"the slice {node.name}:{name} could not be told apart here and was not checked"
            self.run.note("informational", f"{message} (profile {self.url})", place, "slice-unchecked")
        for inner, members in found.members:
            self._count(inner, len(members), place, 0)
            for item in members:
                self.value(inner, item)
            if inner.slices:
                self._slices(inner, members, place)
        for code, message, item in found.faults:
            self.error(code, message, item.place, "slicing")

    def _types(self, node: Node, item: Item) -> bool:
        """Whether the value's type is one of the profile's; its own profiles and targets are checked too."""
        types = node.types
        if types and (node.name.endswith("[x]") or item.type in R4.resources):
            codes = [str(entry.get("code")) for entry in types]
            if not any(R4.is_a(item.type, code) for code in codes):
                message = f"{item.type} may not stand here; allowed: {', '.join(codes[:12])}"
                self.error("structure", message, item.place, "type")
                return False
        for entry in types:
            if R4.is_a(item.type, str(entry.get("code"))) and type(item.value) is dict:
                if item.type == "Reference":
                    self._targets(entry, item)
                elif item.type != "Extension":
                    self._type_profiles(entry, item)
        return True

    def _type_profiles(self, entry: dict[str, Any], item: Item) -> None:
        profiles = [one for one in entry.get("profile") or () if isinstance(one, str) and not is_core(one)]
        profiles = [
            one for one in profiles if one.removeprefix(BASE) not in ("SimpleQuantity", "MoneyQuantity")
        ]
        if len(profiles) == 1:
            check_canonical(item.value, item.type, profiles[0], item.place, self.run)
        elif profiles and all(conforms(item.value, item.type, one, self.run) is False for one in profiles):
            message = f"this satisfies none of the profiles {', '.join(profiles)[:200]}"
            self.error("structure", message, item.place, "profile")

    def _targets(self, entry: dict[str, Any], item: Item) -> None:
        wanted = [one for one in entry.get("targetProfile") or () if isinstance(one, str)]
        kind = references.target_type(item.value, self.run)
        if not wanted or kind is None:
            return
        allowed = [profile_slices.type_of_profile(one, self.run) for one in wanted]
        if None not in allowed and not any(R4.is_a(kind, str(one)) for one in allowed):
            message = (
                f"this refers to a {kind}; it may refer to {', '.join(dict.fromkeys(map(str, allowed)))}"
            )
            self.error("value", message, item.place, "reference-target")
            return
        found = references.target(item.value, self.run)
        if found is not None and not any(is_core(one) for one in wanted):
            verdicts = [conforms(found, kind, one, self.run) for one in wanted]
            if all(verdict is False for verdict in verdicts):
                message = f"what this refers to satisfies none of {', '.join(wanted)[:200]}"
                self.error("structure", message, item.place, "reference-target")

    def _binding(self, node: Node, item: Item) -> None:
        binding = node.definition.get("binding")
        if not isinstance(binding, dict):
            return
        strength, canonical = binding.get("strength"), binding.get("valueSet")
        if strength not in ("required", "extensible") or not isinstance(canonical, str):
            return
        owner, _, name = str(node.definition.get("path", "")).rpartition(".")
        core = (ELEMENTS.get(owner) or {}).get("elements", {}).get(name, {}).get("binding")
        if core == [strength, canonical.partition("|")[0]]:
            return
        membership.check(item.value, str(strength), canonical, item.place, self.run)

    def _constraints(self, node: Node, item: Item) -> None:
        rules = node.definition.get("constraint")
        complex_ = item.type not in PRIMITIVES
        if item.value is None or not isinstance(rules, list) or complex_ is not (type(item.value) is dict):
            return
        for rule in rules:
            if not isinstance(rule, dict):
                continue
            key, expression = rule.get("key"), rule.get("expression")
            if not isinstance(expression, str) or key in _UNIVERSAL or INVARIANTS.get(str(key)) is not None:
                continue
            severity, sentence = str(rule.get("severity")), str(rule.get("human", expression))
            _invariant(str(key), severity, expression, sentence, item.type).check(
                item.value, item.place, self.run
            )


def type_of(value: Any, type_name: str) -> str:
    """The type of a value; of a resource, its own."""
    if type_name == "Resource" and isinstance(value, dict):
        kind = value.get("resourceType")
        return kind if isinstance(kind, str) and kind in R4.resources else type_name
    return type_name
