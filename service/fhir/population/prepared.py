"""The expressions of a form's population, made ready when their form is first read.

A call looks nothing up by an expression's text: its program, the variables it names and the parts of a query
stand beside it. SDC 4.0: Using Expressions; FHIR query in x-fhir-query.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from service import fhirpath
from service.fhir.forms.expressions import FHIRPATH, Expression

QUERY = "application/x-fhir-query"
_PART = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_DEFINED = re.compile(r"\bdefineVariable\s*\(\s*'(\w+)'")
ENGINE = frozenset({"context", "resource", "rootResource", "sct", "loinc", "ucum"})
"""The variables that are the engine's own: a form's variable of such a name is never read."""
CONSTANT = frozenset({"questionnaire"})
"""The variables that are the same in every call: what rests on them alone is evaluated once for a form."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One expression. ``name`` is the variable that it declares, ``names`` those that it names, in order.

    Without ``program`` it is not evaluated, and ``fault`` says why.
    """

    text: str
    name: str | None
    names: tuple[str, ...]
    program: fhirpath.Program | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """One FHIR query: its text, in which the expressions stand where their values go."""

    name: str | None
    parts: tuple[str | Prepared, ...]


def prepare(expression: Expression) -> Prepared:
    """The expression ready to be evaluated, or with the reason why it cannot be."""
    if not expression.is_fhirpath:
        fault = f"{expression.language or 'an unnamed language'} is not evaluated here"
        return Prepared(expression.text, expression.name, (), None, fault)
    text, names = expression.text, expression.names
    given = names - ENGINE - frozenset(_DEFINED.findall(text))
    program, fault = None, ""
    try:
        program = fhirpath.compiled(text, variables=given, constants=CONSTANT)
    except fhirpath.ExpressionError as wrong:
        fault = f"the expression cannot be evaluated: {wrong}"
    return Prepared(text, expression.name, tuple(sorted(names)), program, fault)


def prepare_either(expression: Expression) -> Prepared | Query:
    """A query ready to be asked, or an expression of another language ready to be evaluated."""
    if expression.language != QUERY:
        return prepare(expression)
    parts: list[str | Prepared] = []
    for index, part in enumerate(_PART.split(expression.text)):
        parts.append(prepare(Expression(part, FHIRPATH, None, expression.place)) if index % 2 else part)
    return Query(expression.name, tuple(parts))
