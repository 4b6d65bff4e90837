"""Prints where to look at the demo and how to get in."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from shop.storefront.demo import people

VOUCHERS = [
    "Douyin 108800000001 to …99   (buy one get one; of a sandbox)",
    "Meituan 208800000001 to …99   (¥20 for ¥16)",
]


class Command(BaseCommand):
    """Print addresses, logins and keys of the demo."""

    help = "Print addresses, logins and keys of the demo."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take nothing."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them.

        Raises:
            CommandError: this is no demo.
        """
        if not settings.DEMO:
            raise CommandError("There are no demo logins here: DEMO is off.")
        address = settings.PUBLIC_URL.rstrip("/")
        lines = [
            ("back office", f"{address}/admin/"),
            ("dashboard", f"{address}/admin/"),
            ("API docs", f"{address}/api/docs"),
            *[
                (login.username, f"password {login.password}   ({purpose})")
                for purpose, login in people.described()
            ],
            *[("vouchers", text) for text in VOUCHERS if settings.SANDBOX_URL],
            ("a member", f"phone {people.MEMBER_PHONE}   (the login code is shown by the API)"),
        ]
        self.stdout.write("")
        for name, text in lines:
            self.stdout.write(f"  {name:<14}{text}")
        self.stdout.write("")
        self.stdout.write(f"report key: {people.report_key()}")
        self.stdout.write(f"till key: {people.till_key()}")
