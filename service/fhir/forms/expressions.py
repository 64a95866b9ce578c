"""The expressions a form carries, and the constraints made of them.

An expression is compiled where it is first used and kept with its form. Which variables it may name follows
from where it stands (SDC 4.0, Using Expressions: FHIRPath supplements).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from service.fhir.forms import urls
from service.fhir.forms.elements import child, extensions, objects, text, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.fhir.forms.elements import Json

FHIRPATH = "text/fhirpath"
_NAMED = re.compile(r"'(?:[^'\\]|\\.)*'|//[^\n]*|/\*.*?\*/|%(?:`([^`]*)`|([A-Za-z_]\w*))", re.DOTALL)


@lru_cache(maxsize=4096)
def _names(text_: str) -> frozenset[str]:
    found = (match.group(1) or match.group(2) for match in _NAMED.finditer(text_))
    return frozenset(name for name in found if name)


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression of a form: its text and language, the name its result goes by, and its place."""

    text: str
    language: str
    name: str | None
    place: str

    @property
    def is_fhirpath(self) -> bool:
        """Whether it can be evaluated here."""
        return self.language == FHIRPATH

    @property
    def names(self) -> frozenset[str]:
        """The ``%variables`` that the text names."""
        return _names(self.text)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule that a completed form must keep: its expression must be true (SDC 4.0, targetConstraint)."""

    key: str
    severity: str
    human: str
    expression: Expression
    location: str | None


def read_expression(source: object, place: str) -> Expression | None:
    """The expression that an Expression element holds; None without text."""
    if not isinstance(source, dict):
        return None
    written = text(source, "expression")
    if written is None:
        return None
    return Expression(written, text(source, "language") or "", text(source, "name"), place)


def expressions_at(source: Json, address: str, place: str) -> Iterator[Expression]:
    """The expressions of an element's extensions at that address."""
    for index, entry in extensions(source, address):
        where = f"{place}.extension[{index}].value"
        found = read_expression(entry.get("valueExpression"), where)
        if found is not None:
            yield found


def variables_of(source: Json, place: str) -> tuple[Expression, ...]:
    """The named expressions of an element in their order: variables, and any other that has a name."""
    found = []
    for index, entry in objects(source, "extension"):
        expression = read_expression(entry.get("valueExpression"), f"{place}.extension[{index}].value")
        if expression is not None and expression.name:
            found.append(expression)
    return tuple(found)


def constraints_of(source: Json, place: str) -> tuple[Constraint, ...]:
    """The constraints of a form or an item: targetConstraint, and questionnaire-constraint before it."""
    found = []
    for index, entry in objects(source, "extension"):
        if entry.get("url") in (urls.TARGET_CONSTRAINT, urls.CONSTRAINT):
            constraint = _constraint(entry, f"{place}.extension[{index}]")
            if constraint is not None:
                found.append(constraint)
    return tuple(found)


def _constraint(entry: Json, place: str) -> Constraint | None:
    parts: dict[str, object] = {}
    expression: Expression | None = None
    for index, part in objects(entry, "extension"):
        found = value_of(part)
        name = part.get("url")
        if found is None or not isinstance(name, str):
            continue
        kind, content = found
        if name != "expression":
            parts.setdefault(name, content)
        elif kind == "Expression":
            expression = read_expression(content, f"{place}.extension[{index}].value")
        elif isinstance(content, str) and content:
            expression = Expression(content, FHIRPATH, None, f"{place}.extension[{index}].value")
    if expression is None:
        return None
    location = parts.get("location")
    return Constraint(
        key=str(parts.get("key") or "constraint"),
        severity=str(parts.get("severity") or "error"),
        human=str(parts.get("human") or ""),
        expression=expression,
        location=location if isinstance(location, str) else None,
    )


def launch_contexts(source: Json) -> tuple[str, ...]:
    """The names of a form's launch contexts."""
    found = []
    for _, entry in extensions(source, urls.LAUNCH_CONTEXT):
        for _, part in objects(entry, "extension"):
            if part.get("url") == "name":
                name = text(child(part, "valueCoding"), "code") or text(part, "valueId")
                if name:
                    found.append(name)
    return tuple(found)


def outer_names(source: Json) -> tuple[str, ...]:
    """The variables that come to a form from outside: from the form it becomes part of, and its queries."""
    found = [text(entry, "valueString") for _, entry in extensions(source, urls.ASSEMBLE_CONTEXT)]
    for _, entry in extensions(source, urls.SOURCE_QUERIES):
        reference = text(child(entry, "valueReference"), "reference")
        found.append(reference[1:] if reference and reference.startswith("#") else None)
    return tuple(name for name in found if name)


def allocated_ids(source: Json) -> tuple[str, ...]:
    """The names that an element's extractAllocateId extensions declare."""
    found = (text(entry, "valueString") for _, entry in extensions(source, urls.EXTRACT_ALLOCATE_ID))
    return tuple(name for name in found if name)
