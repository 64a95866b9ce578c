"""The functions of FHIRPath and of FHIR's additions to it, a module for each section of the specification."""

from . import (
    aggregates,
    boundaries,
    combining,
    components,
    conversion,
    elements,
    encoding,
    existence,
    filtering,
    maths,
    patterns,
    strings,
    subsetting,
    tree,
    types,
    utility,
)
from .registry import FUNCTIONS, Function

__all__ = [
    "FUNCTIONS",
    "Function",
    "aggregates",
    "boundaries",
    "combining",
    "components",
    "conversion",
    "elements",
    "encoding",
    "existence",
    "filtering",
    "maths",
    "patterns",
    "strings",
    "subsetting",
    "tree",
    "types",
    "utility",
]
