"""Replays points cases of other systems through our rules, and says where we differ."""

from loyalty.points_cases import judge
from shop.kernel.cases import Case, Verdict
from shop.kernel.judging import JudgingCommand


class Command(JudgingCommand):
    """Judge every case of the files; needs neither a database nor a network."""

    help = (
        "Replay the cases of JSON files through the rules of the points ledger. Exit 1 if one of"
        " them comes out otherwise, 2 if a file or a case cannot be read."
    )

    def judge(self, case: Case) -> Verdict:
        """Replay one case and compare."""
        return judge(case)
