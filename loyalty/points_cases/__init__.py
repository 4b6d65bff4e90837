"""Points cases of other projects, replayed through the rules that our ledger keeps.

A case is JSON: events or a rule, and the numbers expected of them. Nothing here touches a database
or a network.
"""

from loyalty.points_cases.verdicts import judge
from shop.kernel.cases import Case, Outcome, Verdict

__all__ = ["Case", "Outcome", "Verdict", "judge"]
