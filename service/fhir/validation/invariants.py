"""HL7's invariants, run as HL7 writes them by the project's FHIRPath engine.

Each is compiled on first use. Those that cannot fail on objects of a shape (``presence.py``) are not run on
them. ``NATIVE`` are checked in Python elsewhere, and a test holds each to HL7's text; ``REPAIRED`` are HL7's
expressions that do not say what HL7's own sentence says, each with the reason.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.domain.issues import Severity
from service.fhir.validation.presence import Judge, Verdict
from service.fhir.validation.repairs import NATIVE, REPAIRED
from service.fhir.validation.tables import ELEMENTS, INVARIANTS
from service.fhirpath.model import R4

if TYPE_CHECKING:
    from service.fhir.validation.places import Place
    from service.fhir.validation.run import Run

_LIMITS = fhirpath.Limits(steps=200_000)
_REMEMBERED = 500
_COUNTED = 10


class Invariant:
    """One rule over one type: severity, the sentence, and the program, compiled when first needed."""

    __slots__ = ("_program", "expression", "key", "sentence", "severity", "type_name")

    def __init__(self, key: str, severity: str, expression: str, sentence: str, type_name: str) -> None:
        self.key = key.partition("@")[0]
        self.severity = Severity.WARNING if severity == "warning" else Severity.ERROR
        self.expression = expression
        self.sentence = sentence
        self.type_name = type_name
        self._program: fhirpath.Program | None = None

    @property
    def program(self) -> fhirpath.Program:
        """The compiled expression; ExpressionError where its text is wrong."""
        if self._program is None:
            self._program = fhirpath.compile(self.expression, context_type=self.type_name)
        return self._program

    def check(self, value: Any, place: Place, run: Run) -> None:
        """Reports the rule where the value breaks it, and says so where it cannot be evaluated."""
        if run.odd:
            return  # the engine reads JSON only
        try:
            found = self.program(
                value,
                variables={"resource": run.resource, "rootResource": run.container, "context": value},
                now=run.now,
                limits=_LIMITS,
                resolver=run.follow,
            )
        except fhirpath.ExpressionError as fault:
            self._unchecked(fault, place, run)
            return
        except fhirpath.EvaluationError as fault:
            if not run.failed:  # over a resource that is already refused, HL7's expressions may not fit
                self._unchecked(fault, place, run)
            return
        except (
            AttributeError,
            TypeError,
        ) as fault:  # elsewhere in the resource there is what JSON cannot hold
            self._unchecked(fault, place, run)
            return
        if found != [True] and not (len(found) == 1 and found[0] is not False):
            run.report(self.severity, "invariant", self.sentence, place, self.key)

    def _unchecked(self, fault: Exception, place: Place, run: Run) -> None:
        message = f"the rule {self.key} could not be evaluated here: {str(fault)[:160]}"
        run.warn("not-supported", message, place, self.key)


@cache
def invariant(key: str, type_name: str) -> Invariant:
    """The invariant of a key (as the table has it) over a type."""
    severity, expression, sentence = INVARIANTS.get(key)
    expression = REPAIRED.get(key, (expression, ""))[0]
    return Invariant(key, severity, expression, sentence, type_name)


@cache
def of_type(type_name: str) -> tuple[Invariant, ...]:
    """The invariants that every object of the type carries, its ancestors' included, natives left out."""
    keys: dict[str, None] = {}
    for name in reversed(R4.ancestry(type_name)):
        keys |= dict.fromkeys((ELEMENTS.get(name) or {}).get("invariants", ()))
    return tuple(invariant(key, type_name) for key in keys if key not in NATIVE)


def of_element(type_name: str, keys: tuple[str, ...]) -> tuple[Invariant, ...]:
    """The invariants that one element's values carry."""
    return tuple(invariant(key, type_name) for key in keys if key not in NATIVE)


class Selection:
    """The invariants that may fail on one shape, narrowed further by the codes and counts they compare."""

    __slots__ = ("_codes", "_invariants", "_present", "_remembered", "_type_name")

    def __init__(
        self, type_name: str, present: frozenset[str], codes: tuple[str, ...], left: tuple[Invariant, ...]
    ) -> None:
        """``codes`` are the properties whose code, or whose number of entries, the invariants look at."""
        self._type_name = type_name
        self._present = present
        self._codes = codes
        self._invariants = left
        self._remembered: dict[tuple[Any, ...], tuple[Invariant, ...]] = {}

    def of(self, value: dict[str, Any]) -> tuple[Invariant, ...]:
        """Those to run on this object."""
        if not self._codes:
            return self._invariants
        given = tuple([_known(value.get(name)) for name in self._codes])
        found = self._remembered.get(given)
        if found is None:
            named = dict(zip(self._codes, given, strict=True))
            codes = {name: known for name, known in named.items() if isinstance(known, str)}
            lengths = {name: known for name, known in named.items() if isinstance(known, int)}
            found = _may_fail(self._type_name, self._present, codes, self._invariants, lengths)
            if len(self._remembered) < _REMEMBERED:
                self._remembered[given] = found
        return found


def _known(value: Any) -> str | int | None:
    """What the judgement may rest on: a code, or how many entries an array has."""
    if type(value) is str:
        return value
    return len(value) if type(value) is list and value and len(value) < _COUNTED else None


def that_may_fail(type_name: str, names: frozenset[Any]) -> Selection | None:
    """The invariants to run on objects with these property names; None where none can fail."""
    info = R4.type(type_name)
    everything = of_type(type_name)
    if info is None or not everything:
        return None
    present = set()
    codes = []
    for name in names:
        field = info.fields.get(name.removeprefix("_")) if isinstance(name, str) else None
        if field is not None:
            present.add(field[0].name)
            if (field[1] == "code" or field[0].repeats) and "_" + name not in names and name[0] != "_":
                codes.append(name)
    left = _may_fail(type_name, frozenset(present), {}, everything)
    if not left:
        return None
    used = tuple(
        sorted(
            name
            for name in codes
            if any(
                (f"{name}.count()" if info.fields[name][0].repeats else name) in rule.expression
                for rule in left
            )
        )
    )
    return Selection(type_name, frozenset(present), used, left)


def _may_fail(
    type_name: str,
    present: frozenset[str],
    codes: dict[str, str],
    invariants: tuple[Invariant, ...],
    lengths: dict[str, int] | None = None,
) -> tuple[Invariant, ...]:
    judge = Judge(type_name, present, codes, lengths)
    return tuple(rule for rule in invariants if not _certain(judge, rule))


def _certain(judge: Judge, rule: Invariant) -> bool:
    try:
        return judge.of(rule.program.tree) is Verdict.TRUE
    except fhirpath.ExpressionError:
        return False
