"""An operation's inputs, from Parameters, a bare resource or the query string (R4 ``operations.html``)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from service.domain.errors import Refused, Unsupported
from service.domain.issues import error
from service.fhirpath.model import R4
from service.web.operations.declared import In

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.web.operations.declared import Operation

Resource = dict[str, Any]
Inputs = dict[str, list[Any]]


def from_body(operation: Operation, resource: Resource) -> Inputs:
    """The inputs in a body: Parameters, or the bare resource where the operation takes one."""
    if resource.get("resourceType") == "Parameters":
        return _check(operation, _read(operation.inputs, resource.get("parameter", []), "Parameters"))
    if operation.bare is None:
        found = str(resource.get("resourceType"))[:64]
        raise Refused(
            f"${operation.name} takes a Parameters resource, not '{found}'", expression="resourceType"
        )
    declared = next(one for one in operation.inputs if one.name == operation.bare)
    _check_type(declared, resource, "")
    return _check(operation, {operation.bare: [resource]})


def from_query(operation: Operation, pairs: Iterable[tuple[str, str]]) -> Inputs:
    """The inputs in a query string: primitive ones only."""
    known = {one.name: one for one in operation.inputs}
    found: Inputs = {}
    for name, text in pairs:
        if name in ("_format", "_pretty"):
            continue
        declared = known.get(name)
        if declared is None:
            raise _unknown(name, known, name)
        if not text:
            continue
        if found.get(name) and not declared.repeats:
            raise Refused(f"the parameter '{name}' may stand once only", expression=name)
        found.setdefault(name, []).append(_primitive(declared, text))
    return _check(operation, found)


def _read(declared: tuple[In, ...], parameters: Any, place: str) -> Inputs:
    known = {one.name: one for one in declared}
    found: Inputs = {}
    if not isinstance(parameters, list):
        raise Refused(f"{place}.parameter is an array", expression=f"{place}.parameter")
    for at, entry in enumerate(parameters):
        here = f"{place}.parameter[{at}]" if place == "Parameters" else f"{place}.part[{at}]"
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or name not in known:
            raise _unknown(name if isinstance(name, str) else "", known, here)
        one = known[name]
        if found.get(name) and not one.repeats:
            raise Refused(f"the parameter '{name}' may stand once only", expression=here)
        found.setdefault(name, []).append(_value(one, entry, here))
    return found


def _value(declared: In, entry: Resource, here: str) -> Any:
    if declared.parts:
        return _read(declared.parts, entry.get("part", []), here)
    if declared.type == "any":
        return _anything(declared, entry, here)
    if declared.type == "Resource" or declared.type in R4.resources:
        resource = entry.get("resource")
        if not isinstance(resource, dict):
            raise Refused(
                f"the parameter '{declared.name}' carries a resource", expression=f"{here}.resource"
            )
        _check_type(declared, resource, f"{here}.resource")
        return resource
    values = [(key, value) for key, value in entry.items() if key.startswith("value")]
    wanted = f"value{declared.type[0].upper()}{declared.type[1:]}"
    if len(values) != 1:
        raise Refused(f"the parameter '{declared.name}' carries one {wanted}", expression=here)
    key, value = values[0]
    if key != wanted and not (isinstance(value, str) and declared.type in _TEXTS):
        raise Refused(f"the parameter '{declared.name}' is a {wanted}, not a {key[:40]}", expression=here)
    shape = _SHAPES.get(declared.type, str if declared.type[0].islower() else dict)
    if not isinstance(value, shape) or (shape is not bool and isinstance(value, bool)):
        raise Refused(
            f"the parameter '{declared.name}' is no proper {declared.type}", expression=f"{here}.{key}"
        )
    return value


def _anything(declared: In, entry: Resource, here: str) -> Any:
    """A resource, a Reference or a canonical, whichever it is."""
    given = [value for key, value in entry.items() if key == "resource" or key.startswith("value")]
    if len(given) != 1 or not isinstance(given[0], (dict, str)):
        raise Refused(f"'{declared.name}' carries a resource, a Reference or a canonical", expression=here)
    if isinstance(entry.get("resource"), dict):
        _check_type(In(declared.name, "Resource", ""), entry["resource"], f"{here}.resource")
    return given[0]


_TEXTS = frozenset({"string", "uri", "canonical", "code", "id", "url", "dateTime", "date"})
_SHAPES: dict[str, type | tuple[type, ...]] = {
    "boolean": bool, "integer": int, "positiveInt": int, "unsignedInt": int, "decimal": (int, Decimal),
}  # fmt: skip


def _check_type(declared: In, resource: Resource, place: str) -> None:
    type_ = resource.get("resourceType")
    if not isinstance(type_, str) or type_ not in R4.resources:
        raise Refused(
            f"'{str(type_)[:64]}' is no resource type of FHIR R4",
            expression=f"{place}.resourceType".lstrip("."),
        )
    if declared.type not in ("Resource", type_):
        raise Refused(
            f"a {declared.type} is wanted here, not a {type_}", expression=f"{place}.resourceType".lstrip(".")
        )


def _primitive(declared: In, text: str) -> Any:
    kind = declared.type
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind == "Reference":
        return {"reference": text}
    if (
        kind in ("integer", "positiveInt", "unsignedInt")
        and text.isascii()
        and text.lstrip("-").isdigit()
        and len(text) < 11
    ):
        return int(text)
    if kind == "decimal":
        try:
            return Decimal(text)
        except InvalidOperation:
            pass
    if kind in _TEXTS or kind == "any":
        return text
    raise Refused(
        f"'{declared.name}' is a {kind}; send it by POST in a Parameters resource, or mend its value"
    )


def _unknown(name: str, known: dict[str, In], place: str) -> Refused:
    return Unsupported(f"'{name[:60]}' is no parameter here; these are: {', '.join(known)}", expression=place)


def _check(operation: Operation, found: Inputs) -> Inputs:
    missing = [one for one in operation.inputs if one.minimum and not found.get(one.name)]
    if missing:
        names = ", ".join(one.name for one in missing)
        issues = [
            error("required", f"the parameter '{one.name}' is missing: {one.said}", "Parameters.parameter")
            for one in missing
        ]
        raise Refused(f"${operation.name} needs: {names}", issues=issues)
    return found
