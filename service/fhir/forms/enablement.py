"""Which items a response enables: enableWhen and enableWhenExpression, decided as yes, no or not to be told.

R4, Questionnaire.item.enableWhen and the code system questionnaire-enable-operator. Where a question occurs
more than once, its occurrences within the nearest common ancestor of the two items all count, as HL7's
reference validator has it; the operators ask whether at least one answer satisfies them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.fhir.forms.evaluation import Unevaluated, evaluate
from service.fhir.forms.values import compare, equal

if TYPE_CHECKING:
    from service.fhir.forms.expressions import Expression
    from service.fhir.forms.filled import FilledForm, Occurrence
    from service.fhir.forms.items import Condition, FormItem, Value


def decide(filled: FilledForm, item: FormItem, parent: Occurrence | None) -> bool | None:
    """Whether the item's own rules enable it there; the items above it are the caller's."""
    if item.enable_expression is not None:
        beside = filled.roots if parent is None else parent.children
        here = next((occurrence for occurrence in beside if occurrence.link_id == item.link_id), None)
        return holds(filled, item.enable_expression, item, here, parent)
    decisive = item.any_condition
    found: bool | None = not decisive
    values: list[Value] = []
    before = None
    for condition in item.conditions:
        # Conditions that stand together mostly ask the same question.
        if before is None or (before.question, before.scope) != (condition.question, condition.scope):
            values, before = filled.values(condition.question, _within(condition, parent)), condition
        outcome = _holds(condition, values)
        if outcome is decisive:
            return decisive
        if outcome is None:
            found = None
    return found


def holds(
    filled: FilledForm,
    expression: Expression,
    item: FormItem,
    occurrence: Occurrence | None,
    parent: Occurrence | None = None,
) -> bool | None:
    """Whether a form's expression is true there: nothing is false, what cannot be evaluated is None."""
    above = occurrence.parent if occurrence is not None else parent
    try:
        found = evaluate(filled, expression, item, occurrence, above, now=filled.now, rooted=True)
    except Unevaluated:
        return None
    if not found:
        return False
    return found[0] if len(found) == 1 and isinstance(found[0], bool) else None


def _holds(condition: Condition, values: list[Value]) -> bool | None:
    if condition.expected is None:
        return None
    if condition.operator == "exists":
        wanted = condition.expected.content
        return bool(values) is wanted if isinstance(wanted, bool) else None
    found: bool | None = False
    for value in values:
        outcome = _compares(value, condition.operator, condition.expected)
        if outcome:
            return True
        if outcome is None:
            found = None
    return found


def _within(condition: Condition, parent: Occurrence | None) -> Occurrence | None:
    if condition.scope is None or parent is None:
        return None
    return next((above for above in parent.line() if above.link_id == condition.scope), None)


def _compares(value: Value, operator: str, expected: Value) -> bool | None:
    if operator in ("=", "!="):
        same = equal(value, expected)
        return None if same is None else same is (operator == "=")
    order = compare(value, expected)
    if order is None:
        return None
    return {">": order > 0, "<": order < 0, ">=": order >= 0, "<=": order <= 0}.get(operator)
