"""Utility functions (§5.9): trace, the clock, and variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.fhirpath import temporal
from service.fhirpath.code import Code, typed, valued
from service.fhirpath.errors import EvaluationError
from service.fhirpath.values import output

from .registry import special

if TYPE_CHECKING:
    from service.fhirpath.frame import Frame


@special("trace", "5.9.1", "name: String", "projection?: Expression", gives="input", outward=True)
def trace(source: Code, name: Code, projection: Code | None = None) -> Code:
    """trace(name [, projection]) : collection. The input; the caller's sink is told what it is."""
    run, label = source.run, typed(name, "String", "trace() for its name")
    project = projection.run if projection is not None else None

    def traced(frame: Frame) -> list[Any]:
        items = run(frame)
        sink = frame.surroundings.trace
        if sink is not None:
            shown = items
            if project is not None:
                this, index = frame.this, frame.index
                shown = []
                for frame.index, item in enumerate(items):
                    frame.this = [item]
                    shown += project(frame)
                frame.this, frame.index = this, index
            sink(label(frame) or "", [output(item) for item in shown])
        return items

    return Code(traced)


@special("now", "5.9.2", gives="DateTime", outward=True)
def now(_source: Code) -> Code:
    """now() : DateTime. The one instant of this evaluation."""
    return valued(lambda frame: temporal.now(frame.instant()))


@special("timeOfDay", "5.9.3", gives="Time", outward=True)
def time_of_day(_source: Code) -> Code:
    """timeOfDay() : Time. The time of that instant."""
    return valued(lambda frame: temporal.time_of_day(frame.instant()))


@special("today", "5.9.4", gives="Date", outward=True)
def today(_source: Code) -> Code:
    """today() : Date. The date of that instant."""
    return valued(lambda frame: temporal.today(frame.instant()))


@special(
    "defineVariable",
    "defineVariable of 3.0",
    "name: String",
    "value?: Expression",
    gives="input",
    outward=True,
)
def define_variable(source: Code, name: Code, value: Code | None = None) -> Code:
    """defineVariable(name [, expr]) : collection. The input; `%name` is known to the rest of the chain."""
    run, label = source.run, typed(name, "String", "defineVariable() for its name")
    expression = value.run if value is not None else None

    def defined(frame: Frame) -> list[Any]:
        items = run(frame)
        key = label(frame)
        if key is None or key in frame.variables or key in frame.outer:
            raise EvaluationError("defineVariable() takes the name of a variable that is not yet defined")
        found = items
        if expression is not None:
            this = frame.this
            frame.this = items
            found = expression(frame)
            frame.this = this
        frame.variables = {**frame.variables, key: found}
        return items

    return Code(defined)
