"""What variables stand for: JSON, plain values or results that a caller hands over, as engine's items; and
those of the specification."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .errors import EvaluationError
from .nodes import Node
from .records import record
from .temporal import parse_date, parse_datetime, parse_time
from .values import output, type_name

if TYPE_CHECKING:
    from .shapes import Shapes


@record
class Result:
    """One item of an answer: the plain value, its type (`FHIR.code`, `System.Integer`) and where it stands.

    `location` is the FHIRPath of an element from its root (`QuestionnaireResponse.item[2].answer[0]`), None
    for a computed value. A result can be handed to another program, as a variable or to be evaluated over;
    its type, and the resource around it, go with it.
    """

    value: Any
    type: str
    location: str | None
    item: Any

    @classmethod
    def of(cls, item: Any) -> Result:
        """The result of an item of a collection."""
        return cls(output(item), type_name(item), item.location if item.__class__ is Node else None, item)


def collection(value: Any, shapes: Shapes, type_: str | None) -> list[Any]:
    """A caller's value as a collection."""
    if value.__class__ is dict:
        return [shapes.root(value, type_)]
    if value.__class__ is Node:
        return [value]
    if isinstance(value, list | tuple):
        out: list[Any] = []
        for one in value:
            if one.__class__ is Node:
                out.append(one)
            else:
                out += collection(one, shapes, type_)
        return out
    return [] if value is None else [_item(value, shapes, type_)]


def _item(value: Any, shapes: Shapes, type_: str | None) -> Any:
    if isinstance(value, Result):
        return value.item
    if isinstance(value, dict):
        return shapes.root(dict(value), type_)
    if type_ is not None and isinstance(value, str | bool | int | Decimal):
        return Node(value, shapes.shape(type_), None, None, type_, None)
    if isinstance(value, Decimal) and not value.is_finite():
        raise EvaluationError("a number that is not finite; FHIR has none")
    if isinstance(value, bool | str | Decimal | Node):
        return value
    if isinstance(value, int):
        return value if -(2**31) <= value < 2**31 else Decimal(value)
    if isinstance(value, float):
        return _item(Decimal(repr(value)), shapes, type_)
    found: Any = None
    if isinstance(value, datetime):
        found = parse_datetime(value.isoformat())
    elif isinstance(value, date):
        found = parse_date(value.isoformat())
    elif isinstance(value, time):
        found = parse_time(value.replace(tzinfo=None).isoformat())
    if found is None:
        if type(value).__module__.startswith(__package__ or ""):
            return value
        raise EvaluationError(f"a value of type {type(value).__name__} is neither JSON nor a System value")
    return found


_ENVIRONMENT = {
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "ucum": "http://unitsofmeasure.org",
}


def environment(name: str) -> str | None:
    """What a variable of the specification stands for (§9, and FHIR's additions); None for any other."""
    fixed = _ENVIRONMENT.get(name)
    if fixed is not None:
        return fixed
    if name.startswith("vs-"):
        return f"http://hl7.org/fhir/ValueSet/{name[3:]}"
    if name.startswith("ext-"):
        return f"http://hl7.org/fhir/StructureDefinition/{name[4:]}"
    return None
