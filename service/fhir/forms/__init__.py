"""Forms: a Questionnaire as an indexed thing that never changes, and a response read beside it.

    form = form_of(questionnaire)                # a Form, built once for each Questionnaire and kept
    form.by_link["pain.score"]                   # a FormItem: type, options, conditions, limits, expressions
    filled = FilledForm(form, response)          # every response item beside the form's item
    filled.values("pain.score")                  # [Value("integer", 7)]
    filled.enabled(item, parent)                 # True, False, or None where it cannot be told
    for occurrence in filled.walk(): ...         # Occurrence: item, source, place, answers, children
    filled.missing(parent)                       # the form's items that the response leaves out there
    evaluate(filled, expression, item, ...)      # a form's expression, with its variables in scope

Both are pure: nothing here reads a clock (``now`` is an argument of ``evaluate``) or changes a resource.
They take faulty resources without stumbling; saying what is wrong is the work of
``service.fhir.validation.questionnaires`` and ``responses``. Sources: FHIR R4 Questionnaire and
QuestionnaireResponse; SDC 4.0, Form Behavior and Using Expressions.
"""

from __future__ import annotations

from service.fhir.forms.evaluation import Unevaluated, evaluate
from service.fhir.forms.expressions import Constraint, Expression
from service.fhir.forms.filled import FilledForm, Occurrence
from service.fhir.forms.form import Form, form_of
from service.fhir.forms.items import Condition, FormItem, Limits, Option, Toggle, Value

__all__ = [
    "Condition",
    "Constraint",
    "Expression",
    "FilledForm",
    "Form",
    "FormItem",
    "Limits",
    "Occurrence",
    "Option",
    "Toggle",
    "Unevaluated",
    "Value",
    "evaluate",
    "form_of",
]
