"""``advise``: a call of CDS Hooks comes to its cards. ``advisor.py`` has the steps."""

from service.operations.advise.advisor import Advice, Advisor
from service.operations.advise.asked import Question
from service.operations.advise.asking import advise
from service.operations.advise.recorded import Kept

__all__ = ["Advice", "Advisor", "Kept", "Question", "advise"]
