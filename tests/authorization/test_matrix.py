"""Who may do what: every operation of the API, asked by every kind of caller.

The table says it all; what it does not allow is refused. Peer bugs 39, 40, 41, 42, 44, 46.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from tests.authorization.scene import ASKED, Asked, Scene, build
from tests.schema import Operation, operations

pytestmark = pytest.mark.django_db

EVERYBODY = (
    "anonymous member other_member signed_out_member till other_till scopeless_till revoked_till"
    " expired_till analyst other_analyst rightless_staff manager other_manager head_office"
    " partner other_partner"
)
TILLS = "till other_till"
MEMBERS = "member other_member"
MANAGERS = "manager other_manager head_office"
ANALYSTS = "analyst other_analyst"
PARTNERS = "partner other_partner"

MAY = {
    # open to all, whatever key they show
    "auth_send_code": EVERYBODY,
    "auth_create_token": EVERYBODY,
    "payments_sandbox_callback": EVERYBODY,
    "vouchers_douyin_callback": EVERYBODY,
    "stores_list": EVERYBODY,
    "stores_menu": EVERYBODY,
    "tiers_list": EVERYBODY,
    "benefits_list": EVERYBODY,
    "membership_plans_list": EVERYBODY,
    # a member's own
    "auth_logout": MEMBERS,
    "me_retrieve": MEMBERS,
    "me_create_code": MEMBERS,
    "me_referral_code": MEMBERS,
    "me_coupons": MEMBERS,
    "me_enter_coupon_code": MEMBERS,
    "me_points_entries": MEMBERS,
    "me_stored_value": MEMBERS,
    "me_stored_value_entries": MEMBERS,
    "me_stored_value_code": MEMBERS,
    "me_merges": MEMBERS,
    "members_merges": "manager head_office",
    "me_points_expiring": MEMBERS,
    "me_redemptions": MEMBERS,
    "me_tier_changes": MEMBERS,
    "me_memberships": MEMBERS,
    "me_plan_orders_place": MEMBERS,
    "me_plan_order": "member",
    "me_set_birthday": MEMBERS,
    "me_erase": MEMBERS,
    "me_consents_list": MEMBERS,
    "me_consents_record": MEMBERS,
    "me_ad_clicks_claim": MEMBERS,
    "membership_plans_purchase": TILLS,
    "memberships_refund": TILLS,
    # at the counter: members are the whole chain's, orders are their store's
    "members_create": TILLS,
    "members_lookup": TILLS,
    "members_retrieve": "till other_till manager head_office",
    "members_coupons": "till other_till manager head_office",
    "members_enter_coupon_code": TILLS,
    "members_points_entries": "till other_till manager head_office",
    "members_stored_value": "till other_till manager head_office",
    "members_stored_value_entries": "till other_till manager head_office",
    "stored_value_plans_list": f"{MEMBERS} {TILLS}",
    "stored_value_top_up": TILLS,
    "stored_value_pay_out": TILLS,
    "gift_cards_sell": TILLS,
    "gift_cards_lookup": f"{MEMBERS} {TILLS}",
    "gift_cards_issue": "head_office",
    "members_tier_changes": "till other_till manager head_office",
    "quotes_create": f"{MEMBERS} {TILLS}",
    "quotes_explain": f"{MEMBERS} {TILLS} manager head_office",
    "orders_create": f"{MEMBERS} {TILLS}",
    "orders_list": f"{MEMBERS} {TILLS} {MANAGERS}",
    "orders_retrieve": "member till manager head_office",
    "orders_pricing": "till manager head_office",
    "orders_pay": "member till",
    "orders_cancel": "member till manager head_office",
    "orders_refund": "till manager head_office",
    "orders_advance": "till manager head_office",
    "pos_settle": TILLS,
    "offline_sales_create": TILLS,
    "vouchers_prepare": TILLS,
    "vouchers_verify": "till",
    "vouchers_cancel": "till",
    "vouchers_retrieve": "till manager head_office",
    "stores_set_availability": "till manager head_office",
    "coupon_definitions_list": f"{MEMBERS} {TILLS}",
    "coupon_definitions_claim": f"{MEMBERS} {TILLS}",
    "quotes_wallet": f"{MEMBERS} {TILLS}",
    "audiences_count": MANAGERS,
    "coupon_issues_create": MANAGERS,
    "coupon_definitions_give": "manager head_office",
    "coupons_revoke": "manager head_office",
    "me_coupons_transfer": "member",
    "me_coupons_transfer_cancel": "member",
    "coupon_transfers_accept": MEMBERS,
    "me_coupon_transfers": MEMBERS,
    "coupon_codes_retrieve": f"{TILLS} {MANAGERS}",
    "rewards_list": f"{MEMBERS} {TILLS}",
    "rewards_redeem": f"{MEMBERS} {TILLS}",
    "redemptions_cancel": f"member {TILLS}",
    "receipt_claims_create": f"{MEMBERS} till",
    "redemptions_retrieve": TILLS,
    "redemptions_use": TILLS,
    "redemptions_refund": "manager head_office",
    # with partners: head office, and each partner what is theirs
    "partners_list": MANAGERS,
    "partners_create": "head_office",
    "partners_issue_key": "head_office",
    "partners_credentials": "head_office",
    "partners_store_credential": "head_office",
    "partners_forget_credential": "head_office",
    "partners_me": PARTNERS,
    "kols_list": MANAGERS,
    "kol_deals_list": f"{MANAGERS} {PARTNERS}",
    "kol_deals_create": "head_office",
    "kol_deals_step": "head_office",
    "kol_deals_statement": "head_office partner",
    "kol_deals_draft_statement": "head_office",
    "kol_deals_approve_statement": "head_office",
    "kol_deals_pay_statement": "head_office",
    "kol_visits_list": f"{TILLS} {MANAGERS}",
    "kol_visits_create": "head_office",
    "kol_visits_order": "till",
    "cobrands_list": f"{MANAGERS} {PARTNERS}",
    "cobrands_create": "head_office",
    "cobrands_report": "head_office partner",
    "cobrands_redemptions": "head_office partner",
    "resource_swaps_list": f"{MANAGERS} {PARTNERS}",
    "resource_swaps_create": "head_office",
    "resource_swaps_deliveries": "head_office partner",
    "resource_swaps_deliver": "head_office",
    "contents_list": f"{ANALYSTS} {MANAGERS}",
    "contents_create": "head_office",
    "contents_retrieve": f"{ANALYSTS} {MANAGERS}",
    "contents_record_snapshot": "head_office",
    "contents_import_snapshots": "head_office",
    "topics_list": f"{ANALYSTS} {MANAGERS}",
    "topics_create": "head_office",
    "topics_rollup": f"{ANALYSTS} {MANAGERS}",
    # in the back office
    "alerts_list": f"{ANALYSTS} {MANAGERS}",
    "alerts_acknowledge": "manager head_office",
    "alerts_resolve": "manager head_office",
    "jobs_retrieve": "manager head_office",
    "jobs_cancel": "manager head_office",
    "code_batches_list": f"{ANALYSTS} {MANAGERS}",
    "coupon_definitions_loss_check": "head_office",
    "promotions_loss_check": "head_office",
    "promotion_replays_create": "manager head_office",
    "promotion_replays_retrieve": "manager head_office",
    "code_batches_create": "head_office",
    "code_batches_retrieve": f"{ANALYSTS} {MANAGERS}",
    "code_batches_codes": "head_office",
    "code_batches_void": "head_office",
    "members_record_event": f"{TILLS} manager head_office",
    "earning_rules_list": MANAGERS,
    "members_adjust_points": "manager head_office",
    "points_adjustments_list": "head_office",
    "points_adjustments_approve": "head_office",
    "points_adjustments_reject": "head_office",
    "members_timeline": "manager head_office",
    "members_lifecycle_transitions": "manager head_office",
    "members_external_retrieve": TILLS,
    "members_external_upsert": TILLS,
    "members_acquisition": "manager head_office",
    "members_freeze": "manager head_office",
    "members_unfreeze": "manager head_office",
    "members_close": "manager head_office",
    "members_erase": "head_office",
    "members_merge": "head_office",
    "members_extend_points": "manager head_office",
    "members_reinstate_points": "manager head_office",
    "members_pin_tier": "manager head_office",
    "members_unpin_tier": "manager head_office",
    "channels_list": f"{ANALYSTS} {MANAGERS}",
    "channels_create": "head_office",
    "placements_list": f"{ANALYSTS} {MANAGERS}",
    "placements_create": "head_office",
    "campaigns_list": f"{ANALYSTS} {MANAGERS}",
    "campaigns_retrieve": "analyst manager head_office",
    "campaigns_phases": "analyst manager head_office",
    "campaigns_hourly": "analyst manager head_office",
    "campaigns_add_phase": "head_office",
    "campaigns_move_phase": "head_office",
    "campaigns_change_phase_limits": "head_office",
    "campaigns_move": "head_office",
    "campaigns_plan": "analyst manager head_office",
    "campaigns_performance": "analyst manager head_office",
    "campaigns_changes": "analyst manager head_office",
    "campaigns_reservations": f"{MEMBERS} {TILLS} {MANAGERS}",
    "campaigns_reserve": f"{MEMBERS} {TILLS}",
    "campaigns_create": "head_office",
    "channel_links_list": f"{ANALYSTS} {MANAGERS}",
    "channel_links_create": "manager head_office",
    "channel_links_qr": "analyst manager head_office",
    "touches_create": f"{ANALYSTS} {MANAGERS}",
    "daily_costs_list": f"{ANALYSTS} {MANAGERS}",
    "daily_costs_upsert": "analyst manager head_office",
    "daily_costs_import": f"{ANALYSTS} {MANAGERS}",
    "reports_opening_funnel": "analyst manager head_office",
    "reports_daily": f"{ANALYSTS} {MANAGERS}",
    "reports_vouchers": f"{ANALYSTS} {MANAGERS}",
    "reports_stored_value": f"{ANALYSTS} {MANAGERS}",
    "reports_channels": f"{ANALYSTS} {MANAGERS}",
    "reports_attribution": f"{ANALYSTS} {MANAGERS}",
    "reports_loop": f"{ANALYSTS} {MANAGERS}",
    "reports_economics": f"{ANALYSTS} {MANAGERS}",
    "reports_channel_ranking": f"{ANALYSTS} {MANAGERS}",
    "reports_campaign_pnl": f"{ANALYSTS} {MANAGERS}",
    "reports_signups": f"{ANALYSTS} {MANAGERS}",
    "reports_claimed_conversions": f"{ANALYSTS} {MANAGERS}",
    "reports_ad_uploads": f"{ANALYSTS} {MANAGERS}",
    "ad_uploads_list": f"{ANALYSTS} {MANAGERS}",
    "reports_cannibalisation": f"{ANALYSTS} {MANAGERS}",
    "reports_points_liability": "head_office",
    "orders_attribution": "analyst manager head_office",
    "reports_membership_conversion": f"{ANALYSTS} {MANAGERS}",
    "reports_tier_distribution": f"{ANALYSTS} {MANAGERS}",
    "reports_lifecycle_distribution": f"{ANALYSTS} {MANAGERS}",
}
"""Whose request is served. Whoever is not named is refused, and nothing changes."""

SEES = {
    "partners_list": "head_office",
    "partners_credentials": "head_office",
    "partners_me": "partner",
    "kols_list": "head_office",
    "kol_deals_list": "head_office partner",
    "kol_deals_statement": "head_office partner",
    "kol_visits_list": "till manager head_office",
    "cobrands_list": "head_office partner",
    "cobrands_report": "head_office partner",
    "resource_swaps_list": "head_office partner",
    "resource_swaps_deliveries": "head_office partner",
    "members_timeline": "manager head_office",
    "members_lifecycle_transitions": "manager head_office",
    "members_acquisition": "manager head_office",
    "points_adjustments_list": "head_office",
    "orders_list": "member till manager head_office",
    "orders_retrieve": "member till manager head_office",
    "orders_pricing": "till manager head_office",
    "vouchers_retrieve": "till manager head_office",
    "me_retrieve": "member",
    "me_coupons": "member",
    "me_coupon_transfers": "member",
    "me_points_entries": "member",
    "me_stored_value": "member",
    "me_stored_value_entries": "member",
    "me_redemptions": "member",
    "me_consents_list": "member",
    "members_lookup": TILLS,
    "members_external_retrieve": TILLS,
    "members_retrieve": "till other_till manager head_office",
    "members_coupons": "till other_till manager head_office",
    "members_points_entries": "till other_till manager head_office",
    "members_stored_value": "till other_till manager head_office",
    "members_stored_value_entries": "till other_till manager head_office",
    "members_tier_changes": "till other_till manager head_office",
    "me_tier_changes": "member",
    "me_memberships": "member",
    "me_plan_order": "member",
    "campaigns_list": "analyst manager head_office",
    "campaigns_retrieve": "analyst manager head_office",
    "campaigns_phases": "analyst manager head_office",
    "campaigns_hourly": "analyst manager head_office",
    "campaigns_plan": "analyst manager head_office",
    "campaigns_performance": "analyst manager head_office",
    "campaigns_changes": "analyst manager head_office",
    "campaigns_reservations": "member till manager head_office",
    "alerts_list": "analyst manager head_office",
    "jobs_retrieve": "manager head_office",
    "promotion_replays_retrieve": "manager head_office",
    "channel_links_list": "analyst manager head_office",
    "daily_costs_list": "analyst manager head_office",
    "reports_opening_funnel": "analyst manager head_office",
    "reports_daily": "analyst manager head_office",
    "reports_stored_value": "analyst manager head_office",
    "reports_vouchers": "analyst manager head_office",
    "reports_channels": "analyst manager head_office",
    "reports_attribution": "analyst manager head_office",
    "reports_loop": "analyst manager head_office",
    "reports_economics": "analyst manager head_office",
    "reports_channel_ranking": "analyst manager head_office",
    "reports_campaign_pnl": "analyst manager head_office",
    "reports_signups": "analyst manager head_office",
    "reports_claimed_conversions": "analyst manager head_office",
    "reports_ad_uploads": "analyst manager head_office",
    "ad_uploads_list": "analyst manager head_office",
    "orders_attribution": "analyst manager head_office",
    "reports_membership_conversion": "analyst manager head_office",
    "reports_tier_distribution": "analyst manager head_office",
    "reports_lifecycle_distribution": "analyst manager head_office",
}
"""Of those, in whose answer something of SH001 or of the member A stands."""

CHANGES_NOTHING = {
    "daily_costs_import": "other_analyst other_manager",
    "touches_create": "other_analyst other_manager",
}
"""Whose request is served by saying line by line that nothing was stored."""
SPEAKS_OF_VALUES = {"daily_costs_upsert"}
"""Where a thing that is not the caller's is named in the body: 400, as if it did not exist."""

UNKNOWN = {"anonymous", "signed_out_member", "revoked_till", "expired_till"}
REFUSALS = {403, 404}
OPERATIONS = operations()


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    """A shop that is built once; every request is rolled back."""
    with django_db_blocker.unblock(), _undone():
        yield build()


@contextmanager
def _undone() -> Iterator[None]:
    """Undo what happens within; blocks that insist on being outermost may be within too."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]
    with block:
        yield
        transaction.set_rollback(True)


def test_the_table_knows_every_operation() -> None:
    """Deny by default: a new operation has to say here whom it is for."""
    ids = {operation.id for operation in OPERATIONS}

    assert ids == set(MAY) == set(ASKED)
    assert {name for name, asked in ASKED.items() if asked.marker} == set(SEES)


def test_the_table_knows_every_caller(scene: Scene) -> None:
    named = {caller for callers in MAY.values() for caller in callers.split()}

    assert named == set(scene.callers) == set(EVERYBODY.split())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_the_operation_serves_whom_the_table_names(scene: Scene, operation: Operation) -> None:
    wrong = []
    before = _rows_written()
    for caller in scene.callers:
        with _undone():
            response = _ask(scene, operation, caller)
            after = _rows_written()
        before, has_written = after, after > before  # what was undone was written all the same
        verdict = _verdict(scene, operation, caller, response, has_written=has_written)
        if verdict:
            wrong.append(f"{caller}: {verdict}: {response.status_code} {response.content[:200]!r}")

    assert not wrong, "\n".join(wrong)


def _ask(scene: Scene, operation: Operation, caller: str) -> Any:
    asked = ASKED.get(operation.id, Asked())
    api = scene.callers[caller]
    path = operation.path.format(**asked.path(scene))
    if operation.method == "get":
        return api.get(path, **asked.query)
    body = asked.body(scene, caller)
    sent = json.dumps(body, cls=DjangoJSONEncoder).encode()  # as the test client sends it
    if operation.method == "put":
        return api.put(path, body)
    return api.post(path, body, key="matrix-0001", headers=asked.headers(sent))


def _verdict(
    scene: Scene, operation: Operation, caller: str, response: Any, *, has_written: bool
) -> str | None:
    """Return what is wrong with an answer, if anything is."""
    status = response.status_code
    if status >= 500:
        return "crashed"
    if caller in MAY.get(operation.id, "").split():
        if has_written and caller in CHANGES_NOTHING.get(operation.id, "").split():
            return "changed something"
        return _verdict_on_service(scene, operation, caller, response)
    hidden = {400} if operation.id in SPEAKS_OF_VALUES else set()
    if status not in ({401} if caller in UNKNOWN else REFUSALS | hidden):
        return "was not refused"
    if response.headers["Content-Type"] != "application/problem+json":
        return "was refused without a problem"
    return "was refused and changed something" if has_written else None


def _verdict_on_service(
    scene: Scene, operation: Operation, caller: str, response: Any
) -> str | None:
    if response.status_code >= 300:
        return "was not served"
    marker = ASKED[operation.id].marker
    if marker is None:
        return None
    is_shown = marker(scene).encode() in response.content
    if is_shown != (caller in SEES[operation.id].split()):
        return "saw what is not theirs" if is_shown else "did not see what is theirs"
    return None


def _rows_written() -> int:
    """Return how many rows this transaction has written so far, remembered answers aside."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS_WRITTEN_SQL)
        (count,) = cursor.fetchone()
    return int(count)


_ROWS_WRITTEN_SQL = """
SELECT COALESCE(sum(pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
                    + pg_stat_get_xact_tuples_deleted(oid)), 0)
FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
  AND relname <> 'kernel_idempotencyrecord'
"""
