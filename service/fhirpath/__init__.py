"""FHIRPath, strict and compiled: text → syntax tree → closures. It knows JSON and FHIR's type model, nothing
else.

program = compile("item.where(linkId = 'pain').answer.value > 6", context_type="QuestionnaireResponse")
program(response)                                     # [True]
evaluate(patient, "Patient.name.given.first()")       # ['Peter']
"""

from .errors import EvaluationError, ExpressionError, LimitError
from .frame import Frame, Limits, Terminology
from .model import R4, Model
from .parser import parse
from .printer import to_text
from .program import Program, Result, compile, compiled, evaluate, framed  # noqa: A004 - the word of the trade

__all__ = [
    "R4",
    "EvaluationError",
    "ExpressionError",
    "Frame",
    "LimitError",
    "Limits",
    "Model",
    "Program",
    "Result",
    "Terminology",
    "compile",
    "compiled",
    "evaluate",
    "framed",
    "parse",
    "to_text",
]
