"""Prices carts of other shop systems by our rules, and says where we differ."""

from campaigns.price_cases import judge
from shop.kernel.cases import Case, Verdict
from shop.kernel.judging import JudgingCommand


class Command(JudgingCommand):
    """Judge every case of the files; needs neither a database nor a network."""

    help = (
        "Price the cases of JSON files with our default rules. Exit 1 if one of them comes out"
        " otherwise, 2 if a file or a case cannot be read."
    )

    def judge(self, case: Case) -> Verdict:
        """Price one case and compare."""
        return judge(case)
