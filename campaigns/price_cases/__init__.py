"""Price cases of other projects, priced by our one evaluator under our default rules.

A case is JSON: a cart, promotions in the words of its source, and the numbers expected. Nothing
here touches a database or a network.
"""

from campaigns.price_cases.questions import NotExpressible, Question, question_of
from campaigns.price_cases.verdicts import is_eligible, judge
from shop.kernel.cases import Case, Outcome, Verdict

__all__ = [
    "Case",
    "NotExpressible",
    "Outcome",
    "Question",
    "Verdict",
    "is_eligible",
    "judge",
    "question_of",
]
