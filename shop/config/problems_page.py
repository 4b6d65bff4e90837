"""Writes docs/problems.md: `python -m shop.config.problems_page` prints every problem code."""

import inspect
import os
import sys
from collections.abc import Iterable
from importlib import import_module

import django

from shop.kernel.errors import DomainError

INTRODUCTION = """\
# Problems

Every answer of the API from 400 up is an RFC 9457 problem document
(`application/problem+json`). Decide by `code`: codes are never renamed. `title` is one sentence per
code, in the caller's language; `detail` says more about this one; other members are data. A 400 has
`errors`, each with the JSON `pointer` of a value, a `detail` and its own `code`.

Generated from the code by `make docs`; do not edit.

| code | status | when |
|---|---|---|
"""
OF_THE_FRAMEWORK = {
    "not-authenticated": (401, "No credentials, or none that are valid any more."),
    "method-not-allowed": (405, "The URL exists, and does not take this method."),
    "not-acceptable": (406, "The answer cannot be given in the format asked for."),
    "too-large": (413, "The body is larger than any call needs."),
    "unsupported-media-type": (415, "The body is not JSON."),
    "internal-error": (500, "A fault of ours; nothing was stored. Repeat with the same key."),
    "unavailable": (503, "The database is away or busy; `Retry-After` says when to come back."),
}


def page() -> str:
    """Return the page; every module that can refuse has been imported by then."""
    rows = dict(OF_THE_FRAMEWORK)
    rows |= {r.code: (int(r.status), _first_sentence(r)) for r in refusals()}
    lines = [f"| `{code}` | {status} | {text} |" for code, (status, text) in sorted(rows.items())]
    return INTRODUCTION + "\n".join(lines) + "\n"


def refusals() -> list[type[DomainError]]:
    """Return every concrete kind of refusal that has been imported."""
    return sorted(_below(DomainError), key=lambda refusal: refusal.code)


def _below(parent: type[DomainError]) -> Iterable[type[DomainError]]:
    for child in parent.__subclasses__():
        if hasattr(child, "code") and not child.__module__.startswith("tests."):
            yield child
        yield from _below(child)


def _first_sentence(refusal: type[DomainError]) -> str:
    text = inspect.cleandoc(refusal.__doc__ or "").split("\n\n")[0]
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.config.settings")
    django.setup()
    import_module("shop.config.urls")  # which imports everything that can refuse
    sys.stdout.write(page())
