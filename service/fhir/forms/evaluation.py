"""A form's expressions evaluated over a response: their context, their variables, and what could not be had.

SDC 4.0, Using Expressions: %resource is the response, %context the response's item (the response itself for
the form's own expressions), %questionnaire the form, %qitem the form's item; named expressions of the item
and of all above it are variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service import fhirpath

if TYPE_CHECKING:
    from datetime import datetime

    from service.fhir.forms.expressions import Expression
    from service.fhir.forms.filled import FilledForm, Occurrence
    from service.fhir.forms.items import FormItem


MAX_EVALUATIONS = 5_000
"""How many expressions are evaluated over one response; a long form with repeating groups needs hundreds."""

_LIMITS = fhirpath.Limits(steps=200_000)


class Unevaluated(Exception):
    """The expression cannot be evaluated here; the message says why."""


def evaluate(
    filled: FilledForm,
    expression: Expression,
    item: FormItem | None = None,
    occurrence: Occurrence | None = None,
    parent: Occurrence | None = None,
    *,
    now: datetime | None = None,
    rooted: bool = False,
) -> list[Any]:
    """What the expression yields on an item (None: on the form), or Unevaluated with the reason.

    ``occurrence`` is the response's item that it is evaluated on, where there is one; ``parent`` the
    occurrence above, from which the variables of repeating groups are read. ``rooted``: it starts from the
    response though it stands on an item. ``now`` is the clock of today() and now().
    """
    return _Evaluation(filled, now).run(expression, item, occurrence, parent, rooted)


class _Evaluation:
    """One evaluation: the variables that it needs are evaluated first, each once and none in a circle."""

    def __init__(self, filled: FilledForm, now: datetime | None) -> None:
        self._filled = filled
        self._now = now
        self._open: set[str] = set()

    def run(
        self,
        expression: Expression,
        item: FormItem | None,
        occurrence: Occurrence | None,
        parent: Occurrence | None,
        rooted: bool = False,
    ) -> list[Any]:
        if not expression.is_fhirpath:
            raise Unevaluated(f"{expression.language or 'an unnamed language'} is not evaluated here")
        self._filled.evaluations += 1
        if self._filled.evaluations > MAX_EVALUATIONS:
            raise Unevaluated(
                f"the response needs more than {MAX_EVALUATIONS} evaluations of the form's rules"
            )
        try:
            program = self._filled.form.program(expression, item, rooted=rooted)
            variables = self._variables(expression, item, occurrence, parent)
            context = self._filled.response if rooted else variables["context"]
            return list(program(context, variables=variables, now=self._now, limits=_LIMITS))
        except (fhirpath.ExpressionError, fhirpath.EvaluationError) as fault:
            raise Unevaluated(str(fault)) from fault

    def _variables(
        self,
        expression: Expression,
        item: FormItem | None,
        occurrence: Occurrence | None,
        parent: Occurrence | None,
    ) -> dict[str, Any]:
        filled = self._filled
        here = filled.response if item is None else occurrence.source if occurrence else []
        standing: dict[str, Any] = {
            "resource": filled.response,
            "rootResource": filled.response,
            "context": here,
            "questionnaire": filled.form.source,
            "qitem": item.source if item else [],
        }
        declared = filled.form.scope(item)
        for name in expression.names:
            if name not in declared or name in standing:
                continue
            standing[name] = self._variable(name, item, occurrence, parent)
        return standing

    def _variable(
        self, name: str, item: FormItem | None, occurrence: Occurrence | None, parent: Occurrence | None
    ) -> Any:
        filled = self._filled
        if name in filled.supplied:
            return filled.supplied[name]
        if name in self._open:
            raise Unevaluated(f"the variable %{name} is made from itself")
        self._open.add(name)
        try:
            return self._declared(name, item, occurrence, parent)
        finally:
            self._open.discard(name)

    def _declared(
        self, name: str, item: FormItem | None, occurrence: Occurrence | None, parent: Occurrence | None
    ) -> Any:
        """The nearest declaration: on the item, then on each item above, then on the form."""
        filled = self._filled
        level, here, above = item, occurrence, parent
        while level is not None:
            for variable in level.variables:
                if variable.name == name:
                    return self.run(variable, level, here, above)
            level = filled.form.parent(level)
            here, above = above, above.parent if above else None
        for variable in filled.form.variables:
            if variable.name == name:
                return self.run(variable, None, None, None)
        raise Unevaluated(f"nothing gives %{name} a value here")
