"""An element id of a definition made into steps through FHIR's types: ``Patient.name.given``.

SDC 4.0, Definition-based extraction: the id may go further into a data type than the snapshot does; a choice
is told by its slice (``value[x]:valueQuantity``) or property (``valueQuantity``), or left to the value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from service.fhir.extraction.profiles import Element, tree_of
from service.fhir.extraction.values import UNFIT, cast
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.fhirpath.model import ElementInfo, TypeInfo

Json = dict[str, Any]
CORE = "http://hl7.org/fhir/StructureDefinition/"
_FIRST = ("CodeableConcept", "dateTime", "decimal", "Quantity", "string")
"""What a value of a type that a choice does not have is rather made, in this order."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path. ``kind`` is None where the value's type is to choose among ``variants``."""

    name: str
    element: ElementInfo
    kind: str | None
    variants: tuple[str, ...]
    slice: str | None
    sliced: Element | None
    chosen: Element | None

    @property
    def repeats(self) -> bool:
        """Whether JSON carries it as an array."""
        return self.element.repeats

    @property
    def same_as(self) -> tuple[str, str | None]:
        """What two steps to the same element share."""
        return self.name, self.slice

    def field(self, kind: str) -> str:
        """The JSON property for a value of that type."""
        return self.element.variants[kind]

    def fit(self, kind: str, value: Any) -> tuple[str, Any]:
        """The type and the value as this element takes it; UNFIT for one that it cannot take."""
        if self.kind is not None:
            return self.kind, _cast(kind, value, self.kind)
        if kind in self.variants:
            return kind, value
        for target in (*(one for one in _FIRST if one in self.variants), *self.variants):
            found = _cast(kind, value, target)
            if found is not UNFIT:
                return target, found
        return kind, UNFIT


def _cast(kind: str, value: Any, target: str) -> Any:
    if kind in ("integer", "decimal") and R4.is_a(target, "Quantity"):
        return {"value": value}
    return cast(kind, value, target)


@dataclass(frozen=True, slots=True)
class Definition:
    """What a resource is extracted to: its type, and the profile's snapshot where it is one."""

    canonical: str
    kind: str
    profile: Element | None


class Unresolved(Exception):
    """The definition or the path does not lead anywhere; the message says why."""


def definition_of(canonical: str, resolve: Callable[[str], Json | None] | None) -> Definition:
    """The definition of a canonical: a resource type of R4, or a profile that ``resolve`` knows."""
    url = canonical.partition("|")[0]
    kind = url.removeprefix(CORE)
    if url.startswith(CORE) and kind in R4.resources:
        return Definition(canonical, kind, None)
    found = resolve(canonical) if resolve is not None else None
    if found is None or found.get("resourceType") != "StructureDefinition":
        raise Unresolved(f"the profile {canonical[:200]} is not held here")
    kind = str(found.get("type"))
    if kind not in R4.resources:
        raise Unresolved(f"{canonical[:200]} is no definition of a resource")
    tree = tree_of(found)
    if tree is None:
        raise Unresolved(f"the profile {canonical[:200]} has no snapshot")
    return Definition(canonical, kind, tree)


def path_of(definition: Definition, element_id: str) -> tuple[Step, ...]:
    """The steps of an element id; Unresolved where R4 has no such element."""
    first, *parts = element_id.split(".")
    if first != definition.kind or not parts:
        raise Unresolved(f"'{element_id[:80]}' is no element of {definition.kind}")
    steps: list[Step] = []
    kind: str | None = definition.kind
    above = definition.profile
    for part in parts:
        name, _, slice_ = part.partition(":")
        info = R4.type(kind) if kind is not None else _only(steps, name)
        if info is None:
            last = steps[-1].name
            raise Unresolved(f"'{element_id[:80]}' does not tell the type of {last}; name it as {last}[x]:…")
        step = _step(info, name, slice_ or None, above)
        if step is None:
            raise Unresolved(f"{info.name} has no element '{part[:40]}'")
        if kind is None:
            steps[-1] = replace(steps[-1], kind=info.name, variants=(info.name,))
        steps.append(step)
        kind, above = step.kind, step.chosen or step.sliced
    return tuple(steps)


def _only(steps: list[Step], name: str) -> TypeInfo | None:
    """The one type among a choice's that has an element of that name."""
    plain = name.removesuffix("[x]")
    found = [
        info
        for kind in steps[-1].variants
        if (info := R4.type(kind)) is not None and (name in info.fields or plain in info.elements)
    ]
    return found[0] if len(found) == 1 else None


def _step(info: TypeInfo, name: str, slice_: str | None, above: Element | None) -> Step | None:
    plain = name.removesuffix("[x]")
    known = info.fields.get(name)
    element = info.elements.get(plain) if known is None else known[0]
    if element is None:
        return None
    sliced = None
    if above is not None:
        sliced = above.children.get(element.name + ("[x]" if element.choice else ""))
    chosen = sliced.slices.get(slice_) if sliced is not None and slice_ is not None else None
    narrow = next((one.types for one in (chosen, sliced) if one is not None and one.types), ())
    variants = tuple(kind for kind in narrow if kind in element.variants) or tuple(element.variants)
    kind = known[1] if known is not None else None
    if kind is None and slice_ is not None:
        kind = next((one for one, field in element.variants.items() if field == slice_), None)
    if kind is None and len(variants) == 1:
        kind = variants[0]
    if kind is not None:
        variants = (kind,)
    # A slice that only tells the type of a choice is no other element than the choice.
    told = slice_ if not element.choice else None
    return Step(element.name, element, kind, variants, told, sliced, chosen)
