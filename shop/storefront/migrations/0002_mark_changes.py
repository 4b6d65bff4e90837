"""Triggers that mark what the roll-ups have to add up anew, in the transaction of each change.

Both these and the index belong to tables of the floors below, which know nothing of roll-ups.
"""

from django.db import migrations

# Bulk writes fire these once per statement; DISTINCT keeps their marks few,
# and in order, so that a slice of them touches few days.
MARKS_OF_ROWS = """
CREATE FUNCTION storefront_mark_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO storefront_rollupmark (order_id) SELECT DISTINCT order_id FROM changed ORDER BY 1;
    RETURN NULL;
END $$;
CREATE FUNCTION storefront_mark_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO storefront_rollupmark (member_id) SELECT DISTINCT member_id FROM changed ORDER BY 1;
    RETURN NULL;
END $$;
CREATE TRIGGER rollup_mark AFTER INSERT ON shop_payment REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION storefront_mark_orders();
CREATE TRIGGER rollup_mark AFTER INSERT ON shop_refund REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION storefront_mark_orders();
CREATE TRIGGER rollup_mark AFTER INSERT ON campaigns_acquisition REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION storefront_mark_members();
"""

MARKS_OF_CHANGES = """
CREATE FUNCTION storefront_mark_order_of_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO storefront_rollupmark (member_id, order_id)
    SELECT member_id, NEW.id FROM (VALUES (OLD.member_id), (NEW.member_id)) AS owner (member_id)
    WHERE member_id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER rollup_mark AFTER UPDATE OF member_id ON shop_order FOR EACH ROW
    WHEN (OLD.member_id IS DISTINCT FROM NEW.member_id)
    EXECUTE FUNCTION storefront_mark_order_of_another();

CREATE FUNCTION storefront_mark_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO storefront_rollupmark (member_id) VALUES (NEW.member_id);
    RETURN NULL;
END $$;
CREATE TRIGGER rollup_mark_change AFTER UPDATE OF channel_id, last_link_id ON campaigns_acquisition
    FOR EACH ROW WHEN (OLD.channel_id IS DISTINCT FROM NEW.channel_id
                       OR OLD.last_link_id IS DISTINCT FROM NEW.last_link_id)
    EXECUTE FUNCTION storefront_mark_member();
CREATE TRIGGER rollup_mark AFTER UPDATE OF tier_id ON loyalty_membership
    FOR EACH ROW WHEN (OLD.tier_id IS DISTINCT FROM NEW.tier_id)
    EXECUTE FUNCTION storefront_mark_member();

CREATE FUNCTION storefront_mark_referrers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO storefront_rollupmark (member_id) VALUES (NEW.referrer_id);
    IF TG_OP = 'UPDATE' AND OLD.referrer_id <> NEW.referrer_id THEN
        INSERT INTO storefront_rollupmark (member_id) VALUES (OLD.referrer_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER rollup_mark AFTER INSERT OR UPDATE OF status, referrer_id ON campaigns_referral
    FOR EACH ROW EXECUTE FUNCTION storefront_mark_referrers();
"""

WHAT_IS_THERE = """
INSERT INTO storefront_rollupmark (member_id) SELECT id FROM shop_member;
INSERT INTO storefront_rollupmark (store_id, business_date)
SELECT DISTINCT store_id, business_date FROM shop_order WHERE paid_at IS NOT NULL ORDER BY 2, 1;
INSERT INTO storefront_rollupmark (order_id) SELECT DISTINCT order_id FROM shop_refund;
"""

REFUNDS_BY_TIME = """
CREATE INDEX storefront_refund_by_time ON shop_refund (refunded_at);
"""

UNDO = """
DROP INDEX storefront_refund_by_time;
DROP TRIGGER rollup_mark ON shop_payment;
DROP TRIGGER rollup_mark ON shop_refund;
DROP TRIGGER rollup_mark ON shop_order;
DROP TRIGGER rollup_mark ON campaigns_acquisition;
DROP TRIGGER rollup_mark_change ON campaigns_acquisition;
DROP TRIGGER rollup_mark ON loyalty_membership;
DROP TRIGGER rollup_mark ON campaigns_referral;
DROP FUNCTION storefront_mark_orders, storefront_mark_members, storefront_mark_order_of_another,
    storefront_mark_member, storefront_mark_referrers;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("storefront", "0001_rollups"),
        ("shop", "0009_complimentary_orders"),
        ("campaigns", "0009_approved_losses"),
        ("loyalty", "0012_stored_value"),
    ]

    operations = [
        migrations.RunSQL(MARKS_OF_ROWS + MARKS_OF_CHANGES + REFUNDS_BY_TIME + WHAT_IS_THERE, UNDO),
    ]
