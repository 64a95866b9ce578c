"""``advise``: a call of CDS Hooks comes to its cards. ``advisor.py`` has the steps."""

from service.operations.advise.advisor import Advice, Advisor
from service.operations.advise.asked import Question
from service.operations.advise.asking import advise
from service.operations.advise.attending import EVENT
from service.operations.advise.recorded import FORM, Kept

KEPT = (FORM, EVENT)
"""The types of what is kept here that advice rests on."""

__all__ = ["KEPT", "Advice", "Advisor", "Kept", "Question", "advise"]
