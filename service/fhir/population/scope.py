"""The variables that a form's population expressions may name, and the queries behind them.

A variable that could not be had is kept as failed with its reason, and so is everything that rests on it:
a failed query is never an empty one. SDC 4.0: Using Expressions; Form Population.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from service import fhirpath
from service.domain.errors import ServiceError
from service.fhir.population.sources import Behind, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from service.fhir.forms import Expression
    from service.fhir.population.sources import Source

Resource = dict[str, Any]
QUERY = "application/x-fhir-query"
_PART = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_ENGINE = frozenset({"context", "resource", "rootResource", "sct", "loinc", "ucum"})


class Unknown(Exception):
    """The expression rests on something that could not be had; ``str()`` is the reason."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What population is lent: the search that answers queries, the clock, and terminology.

    ``search`` takes ``Type?name=value&…`` and gives a searchset Bundle; it raises a ServiceError where it
    cannot answer. Without it no query is answered.
    """

    search: Callable[[str], Resource] | None
    now: datetime
    terminology: fhirpath.Terminology | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Variables by name, those that failed with their reasons, and each one's sources.

    ``values`` are the engine's own items, which the next expression takes as they are.
    """

    surroundings: Surroundings
    values: Mapping[str, list[Any]] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Behind] = field(default_factory=dict)
    frames: dict[int, tuple[Resource, fhirpath.Frame]] = field(default_factory=dict, repr=False)

    def given(self, name: str, values: Iterable[Any]) -> Scope:
        """The scope with a variable whose values a caller gave."""
        return self.bound(name, fhirpath.framed(list(values)).context)

    def bound(self, name: str, items: list[Any], made_from: tuple[Behind, ...] = ()) -> Scope:
        """The scope with a variable that has these items, and what they were made from behind them."""
        failed = self.failed
        if name in failed:
            failed = {known: reason for known, reason in failed.items() if known != name}
        values, sources = {**self.values, name: items}, {**self.sources, name: Behind(items, made_from)}
        return Scope(self.surroundings, values, failed, sources, self.frames)

    def without(self, name: str, reason: str) -> Scope:
        """The scope with a variable that could not be had."""
        return replace(self, failed={**self.failed, name: reason})

    def declare(self, expression: Expression, response: Resource) -> Scope:
        """The scope with the variable that an expression declares, had or failed."""
        name = expression.name
        if name is None:
            return self
        try:
            if expression.language == QUERY:
                return self.given(name, [self.search(expression, response)])
            items = self.items(expression, response)
        except Unknown as reason:
            return self.without(name, str(reason))
        return self.bound(name, items, self._named(expression))

    def items(self, expression: Expression, response: Resource) -> list[Any]:
        """The engine's items of an expression over the response so far; Unknown where they cannot be had."""
        if not expression.is_fhirpath:
            raise Unknown(f"{expression.language or 'an unnamed language'} is not evaluated here")
        return self._run(expression.text, expression.names, response)

    def evaluate(self, expression: Expression, response: Resource) -> list[fhirpath.Result]:
        """The expression's results over the response so far; Unknown where they could not be had."""
        return [fhirpath.Result.of(item) for item in self.items(expression, response)]

    def of(self, text: str) -> list[fhirpath.Result]:
        """The results of an expression of the program's own over the scope's variables."""
        names = frozenset(re.findall(r"%([A-Za-z_]\w*)", text))
        return [fhirpath.Result.of(item) for item in self._run(text, names, {})]

    def behind(self, expression: Expression) -> tuple[Source, ...]:
        """The sources of every variable that the expression names."""
        return joined(self._named(expression))

    def _named(self, expression: Expression) -> tuple[Behind, ...]:
        known = self.sources
        return tuple([known[name] for name in sorted(expression.names) if name in known])

    def search(self, expression: Expression, response: Resource) -> Resource:
        """The Bundle that answers a query expression; Unknown where it cannot be asked or answered."""
        if self.surroundings.search is None:
            raise Unknown("there is no record to ask: neither data nor a server was given")

        def fill(match: re.Match[str]) -> str:
            names = frozenset(re.findall(r"%`?([A-Za-z_]\w*)", match[1]))
            items = self._run(match[1], names, response)
            values = [str(fhirpath.Result.of(item).value) for item in items]
            if not values:
                raise Unknown(f"the query needs '{match[1].strip()}', which has no value")
            return ",".join(quote(value, safe="/:|") for value in values)

        try:
            return self.surroundings.search(_PART.sub(fill, expression.text))
        except ServiceError as fault:
            raise Unknown(str(fault)) from fault

    def _over(self, response: Resource) -> fhirpath.Frame:
        """The frame that all expressions over a response share."""
        held = self.frames.get(id(response))
        if held is None or held[0] is not response:
            around = self.surroundings
            held = response, fhirpath.framed(response, now=around.now, terminology=around.terminology)
            self.frames.clear()
            self.frames[id(response)] = held
        return held[1]

    def _run(self, text: str, names: frozenset[str], response: Resource) -> list[Any]:
        if self.failed:
            for name in sorted(names):
                if name in self.failed:
                    raise Unknown(f"%{name}: {self.failed[name]}")
        values = self.values
        try:
            program, given = _program(text, names)
            return program.anew(self._over(response), {name: values.get(name, []) for name in given})
        except (fhirpath.ExpressionError, fhirpath.EvaluationError) as fault:
            raise Unknown(f"the expression cannot be evaluated: {fault}") from fault


@lru_cache(maxsize=4096)
def _program(text: str, names: frozenset[str]) -> tuple[fhirpath.Program, tuple[str, ...]]:
    """The program of an expression, and the variables that it is given."""
    given = names - _ENGINE
    return fhirpath.compiled(text, variables=given), tuple(given)
