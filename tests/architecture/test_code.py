"""Rules that keep the code predictable, checked on its syntax trees."""

import ast
import re

import pytest

from tests.architecture.sources import ROOT, calls, modules

CLOCKS = {"timezone.now", "datetime.now", "datetime.utcnow", "date.today", "timezone.localdate"}
EDGES = ("api", "admin", "management", "config", "tasks.py")
"""Where the time is read and handed down; below it is a parameter."""
ASKS_THE_CLOCK = {
    "shop/kernel/idempotency.py": "it is the edge: it wraps the views",
    "shop/storefront/pages.py": "pages are views",
}
READS_EVERY_TOUCH = {"shop/storefront/invariants/growth.py"}
FLOWS = [
    "shop/storefront/checkout.py",
    "shop/storefront/payments.py",
    "shop/storefront/refunds.py",
    "shop/storefront/registration.py",
]
ATOMIC = {"transaction.atomic", "transaction.atomic(savepoint=False)"}
NO_FLOWS = {
    "alert_refused": "follows a flow that was refused",
    "draft_of": "writes nothing",
    "earn": "a part of flows",
    "lock_wallets": "a part of flows",
    "reward_referral": "a part of flows",
}
"""Functions beside the flows, each with the reason why it is none."""


def test_only_the_edges_ask_the_clock() -> None:
    asked = [
        f"{name}:{line} {call}"
        for name, tree in modules(without=EDGES)
        if name not in ASKS_THE_CLOCK
        for call, line in calls(tree)
        if call in CLOCKS
    ]

    assert asked == []


def test_the_exceptions_to_that_still_exist() -> None:
    asked = {name for name, tree in modules() for call, _line in calls(tree) if call in CLOCKS}

    assert set(ASKS_THE_CLOCK) <= asked


@pytest.mark.parametrize("name", FLOWS)
def test_every_flow_is_one_transaction(name: str) -> None:
    tree = ast.parse((ROOT / name).read_text())
    flows = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    not_atomic = [
        flow.name
        for flow in flows
        if flow.name not in NO_FLOWS and ATOMIC.isdisjoint(map(ast.unparse, flow.decorator_list))
    ]

    assert flows
    assert not_atomic == []


def test_nothing_is_queued_past_the_outbox() -> None:
    """A task that is queued inside a transaction runs before its rows exist. Peer bug 63."""
    queued = [
        f"{name}:{line}"
        for name, tree in modules(without=("kernel",))
        for call, line in calls(tree)
        if call.endswith((".delay", ".apply_async", "send_task", "transaction.on_commit"))
    ]

    assert queued == []


def test_business_does_not_travel_by_signals() -> None:
    allowed = {"post_migrate.connect", "signals.after_task_publish.connect"}
    receivers = [
        f"{name}:{node.lineno}"
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any("receiver" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]
    connected = [
        f"{name}:{line} {call}"
        for name, tree in modules()
        for call, line in calls(tree)
        if call.endswith(".connect") and "psycopg" not in call and call not in allowed
    ]

    assert receivers + connected == []


def test_views_write_nothing_themselves() -> None:
    """Parse, call one noun or flow, serialize: the writing is where its rules are."""
    writing = ("create", "bulk_create", "get_or_create", "update_or_create", "update", "delete")
    written = [
        f"{name}:{line} {call}"
        for name, tree in modules()
        if "/api/" in name
        for call, line in calls(tree)
        if call.endswith(".save") or (".objects" in call and call.rsplit(".", 1)[1] in writing)
    ]

    assert written == []


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "helpers", "common", "services", "misc", "base"}
    names = [name for name, _tree in modules() if set(name[:-3].split("/")) & drawers]

    assert names == ["shop/kernel/postgres/base.py"]  # where Django looks for a backend


def test_every_module_and_public_thing_says_what_it_is() -> None:
    silent = []
    for name, tree in modules():
        if tree.body and not ast.get_docstring(tree):
            silent.append(name)
        for node in tree.body:
            is_thing = isinstance(node, ast.ClassDef | ast.FunctionDef)
            if is_thing and not node.name.startswith("_") and not ast.get_docstring(node):
                silent.append(f"{name}: {node.name}")

    assert silent == []


def test_whoever_reads_touches_leaves_out_what_does_not_count() -> None:
    """Machines and repeated taps are kept and flagged; a report that forgets it counts them."""
    readers = re.compile(r"(?:FROM|JOIN) campaigns_touch\b(?P<rest>[^;]{0,700})", re.DOTALL)
    forgetful = [
        f"{name}: {' '.join(match['rest'].split())[:60]}"
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for match in readers.finditer(node.value)
        if "quality" not in match["rest"] and name not in READS_EVERY_TOUCH
    ]

    assert forgetful == []
