"""FHIR's own functions (FHIR R4, FHIRPath page, "Additional functions")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhirpath.code import Code, single, typed, valued
from service.fhirpath.errors import EvaluationError
from service.fhirpath.nodes import Node
from service.fhirpath.values import output, type_name

from .registry import collection, scalar, special

if TYPE_CHECKING:
    from service.fhirpath.frame import Frame

_CORE = "http://hl7.org/fhir/StructureDefinition/"


@special("extension", "extension()", "url: String")
def extension(source: Code, url: Code) -> Code:
    """extension(url) : collection. The extensions of each item that have the url."""
    run, wanted = source.run, typed(url, "String", "extension() for its url")

    def found(frame: Frame) -> list[Any]:
        items, target = run(frame), wanted(frame)
        out: list[Any] = []
        if target is None:
            return out
        for item in items:
            if item.__class__ is Node:
                here: list[Any] = []
                item.shape.getter("extension")(item, here)
                out += [one for one in here if one.__class__ is Node and one.value.get("url") == target]
        frame.spend(len(items))
        return out

    return Code(found)


@special("hasValue", "hasValue()", gives="Boolean")
def has_value(source: Code) -> Code:
    """hasValue() : Boolean. True if the input is one primitive that has a value, not extensions alone."""
    run = source.run

    def one(frame: Frame) -> bool:
        items = run(frame)
        if len(items) != 1:
            return False
        item = items[0]
        return bool(item.shape.primitive and item.value is not None) if item.__class__ is Node else True

    return valued(one, boolean=True)


@special("getValue", "getValue()", gives="any")
def get_value(source: Code) -> Code:
    """getValue() : System value. The value of the one primitive, else nothing."""
    run = source.run

    def one(frame: Frame) -> Any:
        items = run(frame)
        if len(items) != 1:
            return None
        item = items[0]
        if item.__class__ is not Node:
            return item
        read = item.shape.read if item.shape.primitive else None
        return None if read is None else read(item)

    return valued(one)


@special("resolve", "resolve()", outward=True)
def resolve(source: Code) -> Code:
    """resolve() : collection. The resources that references, canonicals or urls lead to.

    `#id` leads to a resource contained beside the item; the caller's resolver finds the others. What cannot
    be found adds nothing to the output, as the specification says.
    """
    run = source.run

    def resolved(frame: Frame) -> list[Any]:
        out: list[Any] = []
        for item in run(frame):
            target = _reference(item)
            if target is None:
                continue
            if target.startswith("#"):
                out += _contained(item, target[1:])
                continue
            resolver = frame.surroundings.resolver
            resource = resolver(target) if resolver is not None else None
            if resource is not None:
                out.append(frame.shapes.root(resource))
        frame.spend(len(out) + 1)
        return out

    return Code(resolved)


def _reference(item: Any) -> str | None:
    value = output(item)
    if isinstance(value, dict):
        value = value.get("reference")
    return value if isinstance(value, str) else None


def _contained(item: Any, name: str) -> list[Node]:
    """The container of the item, or the resource of that id in it."""
    root = item if item.__class__ is Node else None
    while root is not None and root.parent is not None:
        root = root.parent
    if root is None:
        return []
    if name == "":
        return [root]
    held: list[Any] = []
    root.shape.getter("contained")(root, held)
    return [node for node in held if node.__class__ is Node and node.value.get("id") == name]


@special("memberOf", "memberOf()", "valueset: String", gives="Boolean", outward=True)
def member_of(source: Code, value_set: Code) -> Code:
    """memberOf(valueset) : Boolean. Whether the code, Coding or CodeableConcept is in the value set.

    The caller's terminology answers; without one it is an error, not an empty answer.
    """
    run, url = source.run, typed(value_set, "String", "memberOf() for its value set")

    def one(frame: Frame) -> bool | None:
        items, target = run(frame), url(frame)
        if target is None or not items:
            return None
        if len(items) > 1:
            raise EvaluationError(f"memberOf() takes one item, found {len(items)}")
        terminology = frame.surroundings.terminology
        if terminology is None:
            raise EvaluationError("memberOf() needs a terminology; hand one to the evaluation")
        coded = output(items[0])
        if not isinstance(coded, str | dict):
            raise EvaluationError(
                f"memberOf() takes a code, Coding or CodeableConcept, found {type_name(items[0])}"
            )
        return terminology.member_of(target, coded)

    return valued(one, boolean=True)


def _subsumption(source: Code, other: Code, name: str, *, inverse: bool) -> Code:
    one, two = single(source, f"{name}()"), single(other, f"{name}() for its code")

    def test(frame: Frame) -> bool | None:
        left, right = one(frame), two(frame)
        if left is None or right is None:
            return None
        terminology = frame.surroundings.terminology
        if terminology is None:
            raise EvaluationError(f"{name}() needs a terminology; hand one to the evaluation")
        if left.__class__ is not Node or right.__class__ is not Node:
            raise EvaluationError(f"{name}() takes Codings or CodeableConcepts")
        pair = (right.value, left.value) if inverse else (left.value, right.value)
        return terminology.subsumes(*pair)

    return valued(test, boolean=True)


@special("subsumes", "subsumes()", "code: Collection", gives="Boolean", outward=True)
def subsumes(source: Code, other: Code) -> Code:
    """subsumes(code) : Boolean. Whether the Coding or CodeableConcept is the other or more general."""
    return _subsumption(source, other, "subsumes", inverse=False)


@special("subsumedBy", "subsumedBy()", "code: Collection", gives="Boolean", outward=True)
def subsumed_by(source: Code, other: Code) -> Code:
    """subsumedBy(code) : Boolean. Whether the other is the same or more general."""
    return _subsumption(source, other, "subsumedBy", inverse=True)


@special("conformsTo", "conformsTo()", "structure: String", gives="Boolean", outward=True)
def conforms_to(source: Code, structure: Code) -> Code:
    """conformsTo(structure) : Boolean. Whether the one item conforms to the profile.

    HL7's own type definitions are settled by the type; the caller's profiles answer for the others.
    """
    run, url = source.run, typed(structure, "String", "conformsTo() for its structure")

    def one(frame: Frame) -> bool | None:
        items, target = run(frame), url(frame)
        if target is None or not items:
            return None
        if len(items) > 1 or items[0].__class__ is not Node:
            raise EvaluationError("conformsTo() takes one element")
        node = items[0]
        if target.startswith(_CORE) and frame.shapes.model.type(target[len(_CORE) :]) is not None:
            return target[len(_CORE) :] in node.shape.ancestry
        profiles = frame.surroundings.profiles
        answer = profiles(node.value, target) if profiles is not None else None
        if answer is None:
            raise EvaluationError("conformsTo() cannot find the profile; hand it to the evaluation")
        return answer

    return valued(one, boolean=True)


@scalar("htmlChecks", "htmlChecks()", takes="String", gives="Boolean")
def html_checks(text: str) -> bool:
    """htmlChecks() : Boolean. Whether the text is the XHTML a narrative may hold."""
    # Loads an XML parser, which nothing else here needs.
    from .narrative import well_formed

    return well_formed(text)


@collection("checkModifiers", "checkModifiers()", "modifier?: Collection")
def check_modifiers(items: list[Any], known: list[Any] | None = None) -> list[Any]:
    """checkModifiers([url, ...]) : collection. The input; an error if it has another modifier extension."""
    allowed = {output(item) for item in known or () if isinstance(output(item), str)}
    for item in items:
        if item.__class__ is Node and isinstance(item.value, dict):
            for one in item.value.get("modifierExtension") or ():
                if not isinstance(one, dict) or one.get("url") not in allowed:
                    raise EvaluationError("a modifier extension that the expression does not know")
    return items
