"""Every operation that is served."""

from __future__ import annotations

from service.web.operations.checking import VALIDATE
from service.web.operations.extracting import EXTRACT
from service.web.operations.filling import POPULATE
from service.web.operations.planning import APPLY
from service.web.operations.reporting import YELLOW_CARD
from service.web.operations.submitting import SUBMIT
from service.web.operations.terminology import TERMINOLOGY

OPERATIONS = (SUBMIT, EXTRACT, POPULATE, *APPLY, *TERMINOLOGY, VALIDATE, YELLOW_CARD)
