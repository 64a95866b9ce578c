"""The two extensions by which a plan's conditions and unknowns are data: their one reader.

``finding-rule`` restates a condition over findings already made; ``unknown-reason`` says why an empty
criterion is not known. Extensions are known by the end of their URL, because an organisation may publish
the plan under its own canonical base. See ``docs/decisions/0003-rules-as-data.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service import fhirpath
from service.domain.evaluation import Truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from service.domain.evaluation import Finding

Resource = dict[str, Any]
FHIRPATH = "text/fhirpath"
FAILED = "the rule could not be evaluated on this form"
ROLE, RULE, REASON = (
    f"/StructureDefinition/{name}" for name in ("plan-role", "finding-rule", "unknown-reason")
)


ATTENTION = "attention"
"""The role of rules over everything that is recorded of a patient; no form decides them (``service/cds``)."""


_TRUTHS = tuple(Truth)


class RuleFault(ValueError):
    """A rule of the plan is not fit to run on. ``place`` is the FHIRPath below the action."""

    def __init__(self, place: str, message: str) -> None:
        """Takes the place and what is wrong there."""
        super().__init__(message)
        self.place = place


class Standing:
    """What the criteria have come to, as rules ask for it: codes of criteria, by truth and by reason."""

    __slots__ = ("_by_reason", "_by_truth", "codes")

    def __init__(self, findings: Iterable[Finding]) -> None:
        """Takes the findings, one of each criterion."""
        self._by_truth: dict[Truth, set[str]] = {truth: set() for truth in _TRUTHS}
        self._by_reason: dict[tuple[Truth, str | None], set[str]] = {}
        for finding in findings:
            code = finding.criterion.code
            self._by_truth[finding.truth].add(code)
            if finding.reason is not None:
                self._by_reason.setdefault((finding.truth, finding.reason.code), set()).add(code)
        self.codes: frozenset[str] = frozenset().union(*self._by_truth.values())

    def fitting(self, truth: Truth, reasons: frozenset[str]) -> set[str]:
        """The criteria of a truth, for one of the reasons where any are named."""
        if not reasons:
            return self._by_truth[truth]
        by_reason = self._by_reason
        return {code for reason in reasons for code in by_reason.get((truth, reason), ())}


@dataclass(frozen=True, slots=True)
class FindingRule:
    """``quantifier`` (any, all, none) of the named criteria have the truth and, if given, a reason."""

    quantifier: str
    truth: Truth
    criteria: frozenset[str]
    reasons: frozenset[str]

    def holds(self, standing: Standing) -> bool:
        """Whether the findings are as the rule says; no criteria named means all."""
        fitting = standing.fitting(self.truth, self.reasons)
        chosen = self.criteria & standing.codes if self.criteria else standing.codes
        if self.quantifier == "all":
            return chosen <= fitting
        return chosen.isdisjoint(fitting) == (self.quantifier == "none")


@dataclass(frozen=True, slots=True)
class ReasonRule:
    """A reason for an unknown, and the expression that must be true for it (None: it always is)."""

    code: str
    when: fhirpath.Program | None
    text: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """One applicability condition: either rules over findings, or an expression over the form."""

    program: fhirpath.Program
    rules: tuple[FindingRule, ...]
    place: str


def role(action: Resource) -> str | None:
    """What the action's children are: criterion, outcome, note, proposal, attention; None in other plans."""
    return next((extension.get("valueCode") for extension in _extensions(action, ROLE)), None)


def read_conditions(
    action: Resource,
    context_type: str | None,
    variables: frozenset[str] = frozenset(),
    shared: frozenset[str] = frozenset(),
) -> tuple[Condition, ...]:
    """The action's applicability conditions, compiled; RuleFault for one that is not fit.

    ``variables`` are the names that the expressions may use, ``shared`` the parts that they have in common
    with others over the same form (``fhirpath.common``).
    """
    found = []
    for index, condition in enumerate(action.get("condition", ())):
        if condition.get("kind") != "applicability":
            continue
        place = f"condition[{index}]"
        program = compile_expression(
            condition.get("expression", {}), f"{place}.expression", context_type, variables, shared
        )
        rules = tuple(_finding_rule(extension, place) for extension in _extensions(condition, RULE))
        found.append(Condition(program, rules, place))
    return tuple(found)


def read_reasons(
    action: Resource,
    context_type: str | None,
    variables: frozenset[str] = frozenset(),
    shared: frozenset[str] = frozenset(),
) -> tuple[ReasonRule, ...]:
    """Why the criterion may be unknown, in the order asked; RuleFault unless the last always holds."""
    found = []
    for extension in _extensions(action, REASON):
        parts = _parts(extension)
        when = parts.get("when", [None])[0]
        program = (
            compile_expression(when, "extension(unknown-reason).when", context_type, variables, shared)
            if when
            else None
        )
        text = parts.get("text", [""])[0]
        code = parts.get("reason", [""])[0]
        if not text or not code:
            raise RuleFault("extension(unknown-reason)", "a reason needs its code and its text")
        found.append(ReasonRule(code, program, text, tuple(parts.get("item", ()))))
    if not found or found[-1].when is not None:
        raise RuleFault(
            "extension(unknown-reason)",
            "the last reason may have no 'when', so that no unknown is without one",
        )
    return tuple(found)


def expressions_of(action: Resource) -> Iterator[str]:
    """The texts of an action's conditions and of those of its reasons, as far as they are evaluated."""
    said = [condition.get("expression", {}) for condition in action.get("condition", ())]
    said += [when for extension in _extensions(action, REASON) for when in _parts(extension).get("when", ())]
    for expression in said:
        if isinstance(expression, dict) and expression.get("language") == FHIRPATH:
            yield str(expression.get("expression", ""))


def compile_expression(
    expression: Resource,
    place: str,
    context_type: str | None,
    variables: frozenset[str] = frozenset(),
    shared: frozenset[str] = frozenset(),
) -> fhirpath.Program:
    """The compiled FHIRPath of an Expression; RuleFault for another language or text that is not FHIRPath."""
    if expression.get("language") != FHIRPATH:
        raise RuleFault(f"{place}.language", f"only {FHIRPATH} is evaluated here")
    text = expression.get("expression", "")
    try:
        return fhirpath.compiled(text, context_type=context_type, variables=variables, shared=shared)
    except fhirpath.ExpressionError as fault:
        raise RuleFault(f"{place}.expression", str(fault)) from None


def _finding_rule(extension: Resource, place: str) -> FindingRule:
    parts = _parts(extension)
    quantifier, truth = parts.get("quantifier", [""])[0], parts.get("truth", [""])[0]
    if quantifier not in ("any", "all", "none") or truth not in list(Truth):
        raise RuleFault(
            f"{place}.extension(finding-rule)", "it needs a quantifier (any, all, none) and a truth"
        )
    return FindingRule(
        quantifier,
        Truth(truth),
        frozenset(parts.get("criterion", ())),
        frozenset(parts.get("reason", ())),
    )


def _extensions(element: Resource, suffix: str) -> Iterator[Resource]:
    for extension in element.get("extension", ()):
        if str(extension.get("url", "")).endswith(suffix):
            yield extension


def _parts(extension: Resource) -> dict[str, list[Any]]:
    """The sub-extensions' values by their url, each a list in order."""
    parts: dict[str, list[Any]] = {}
    for part in extension.get("extension", ()):
        value = next((given for key, given in part.items() if key.startswith("value")), None)
        parts.setdefault(part.get("url", ""), []).append(value)
    return parts
