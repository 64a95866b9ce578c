"""The variables that a form's population expressions may name, and the queries behind them.

A variable that could not be had is kept as failed with its reason, and so is everything that rests on it:
a failed query is never an empty one. SDC 4.0: Using Expressions; Form Population.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from service import fhirpath
from service.domain.errors import ServiceError
from service.fhir.population.prepared import ENGINE, Query
from service.fhir.population.sources import Behind, Trail
from service.fhirpath.records import record
from service.fhirpath.values import output

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from service.fhir.population.prepared import Prepared
    from service.fhir.population.sources import Source

Resource = dict[str, Any]


class Unknown(Exception):
    """The expression rests on something that could not be had; ``str()`` is the reason."""


@record
class Surroundings:
    """What population is lent: the search that answers queries, the clock, and terminology.

    ``search`` takes ``Type?name=value&…`` and gives a searchset Bundle; it raises a ServiceError where it
    cannot answer. Without it no query is answered.
    """

    search: Callable[[str], Resource] | None
    now: datetime
    terminology: fhirpath.Terminology | None = None


class Scope:
    """Variables by name, those that failed with their reasons, and what is behind each. It grows.

    A group or an item that has variables of its own, or a population context, has an ``inner`` scope: what
    is added there ends with it. All scopes of one form share the frame over its growing response, and hold
    the engine's own items, which each expression takes as they are.
    """

    __slots__ = ("_behind", "_failed", "_frame", "_trail", "_values", "surroundings")

    def __init__(self, surroundings: Surroundings, response: Resource, constants: fhirpath.Constants) -> None:
        """Holds nothing yet but the constants, which are the form's."""
        self.surroundings = surroundings
        self._frame = fhirpath.framed(
            response, now=surroundings.now, terminology=surroundings.terminology, constants=constants
        )
        self._values: dict[str, list[Any]] = {}
        self._failed: dict[str, str] = {}
        self._behind: dict[str, Behind] = {}
        self._trail = Trail()

    def inner(self) -> Scope:
        """A scope that begins with all of this one."""
        made = Scope.__new__(Scope)
        made.surroundings, made._frame, made._trail = self.surroundings, self._frame, self._trail
        made._values, made._failed = self._values.copy(), self._failed.copy()
        made._behind = self._behind.copy()
        return made

    def bind(self, name: str, items: list[Any], made_from: tuple[Behind, ...] = ()) -> None:
        """Gives a variable these items of the engine, with what they were made from behind them."""
        if name not in ENGINE:
            self._values[name] = items
        self._behind[name] = Behind(items, made_from)
        if self._failed:
            self._failed.pop(name, None)

    def fail(self, name: str, reason: str) -> None:
        """Notes that a variable could not be had."""
        self._failed[name] = reason

    def declare(self, expression: Prepared | Query) -> None:
        """Gives the variable that an expression declares its value, or notes why it could not be had."""
        name = expression.name
        if name is None:
            return
        try:
            if isinstance(expression, Query):
                self.bind(name, fhirpath.items_of(self.search(expression)))
            else:
                self.bind(name, self.items(expression), self._made_from(expression))
        except Unknown as reason:
            self.fail(name, str(reason))

    def items(self, expression: Prepared) -> list[Any]:
        """The engine's items of an expression over the response so far; Unknown where they cannot be had."""
        failed = self._failed
        if failed:
            for name in expression.names:
                if name in failed:
                    raise Unknown(f"%{name}: {failed[name]}")
        program = expression.program
        if program is None:
            raise Unknown(expression.fault)
        try:
            return program.anew(self._frame, self._values)
        except (fhirpath.ExpressionError, fhirpath.EvaluationError) as fault:
            raise Unknown(f"the expression cannot be evaluated: {fault}") from fault

    def sources(self, item: Any, expression: Prepared | None) -> tuple[Source, ...]:
        """The resource that an item lies in; else those behind the variables that made it."""
        found = self._trail.source(item)
        if found is not None:
            return (found,)
        return () if expression is None else self._trail.joined(self._made_from(expression))

    def search(self, query: Query) -> Resource:
        """The Bundle that answers a query; Unknown where it cannot be asked or answered."""
        if self.surroundings.search is None:
            raise Unknown("there is no record to ask: neither data nor a server was given")
        text = "".join(part if isinstance(part, str) else self._filled_in(part) for part in query.parts)
        try:
            return self.surroundings.search(text)
        except ServiceError as fault:
            raise Unknown(str(fault)) from fault

    def _filled_in(self, part: Prepared) -> str:
        try:
            values = [str(output(item)) for item in self.items(part)]
        except fhirpath.EvaluationError as fault:
            raise Unknown(f"the expression cannot be evaluated: {fault}") from fault
        if not values:
            raise Unknown(f"the query needs '{part.text.strip()}', which has no value")
        return ",".join(quote(value, safe="/:|") for value in values)

    def _made_from(self, expression: Prepared) -> tuple[Behind, ...]:
        behind = self._behind
        return tuple([behind[name] for name in expression.names if name in behind])
