"""FHIRPath, strict and compiled: text → syntax tree → closures. It knows JSON and FHIR's type model, nothing
else.

program = compile("item.where(linkId = 'pain').answer.value > 6", context_type="QuestionnaireResponse")
program(response)                                     # [True]
evaluate(patient, "Patient.name.given.first()")       # ['Peter']
"""

from .constants import Constants
from .errors import EvaluationError, ExpressionError, LimitError
from .frame import Frame, Limits, Terminology
from .given import Result
from .model import R4, Model
from .parser import parse
from .printer import to_text
from .program import (
    Program,
    compile,  # noqa: A004 - the word of the trade
    compiled,
    evaluate,
    framed,
    items_of,
)
from .shared import common

__all__ = [
    "R4",
    "Constants",
    "EvaluationError",
    "ExpressionError",
    "Frame",
    "LimitError",
    "Limits",
    "Model",
    "Program",
    "Result",
    "Terminology",
    "common",
    "compile",
    "compiled",
    "evaluate",
    "framed",
    "items_of",
    "parse",
    "to_text",
]
