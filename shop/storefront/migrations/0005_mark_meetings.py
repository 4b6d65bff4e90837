"""Marks of visitors; and everything is made anew, months along with days."""

from django.db import migrations

MARKS_OF_VISITORS = """
CREATE FUNCTION storefront_mark_visitors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO storefront_rollupmark (visitor_id)
    SELECT DISTINCT visitor_id FROM changed WHERE quality = 'counted' ORDER BY 1;
    RETURN NULL;
END $$;
CREATE TRIGGER rollup_mark AFTER INSERT ON campaigns_touch REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION storefront_mark_visitors();

CREATE FUNCTION storefront_mark_origin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO storefront_rollupmark (member_id) VALUES (NEW.member_id);
    INSERT INTO storefront_rollupmark (visitor_id)
    SELECT DISTINCT visitor_id FROM (VALUES (OLD.visitor_id), (NEW.visitor_id)) AS who (visitor_id)
    WHERE visitor_id <> '';
    RETURN NULL;
END $$;
DROP TRIGGER rollup_mark_change ON campaigns_acquisition;
CREATE TRIGGER rollup_mark_change
    AFTER UPDATE OF channel_id, last_link_id, visitor_id, acquired_at ON campaigns_acquisition
    FOR EACH ROW WHEN (OLD.channel_id IS DISTINCT FROM NEW.channel_id
                       OR OLD.last_link_id IS DISTINCT FROM NEW.last_link_id
                       OR OLD.visitor_id <> NEW.visitor_id
                       OR OLD.acquired_at <> NEW.acquired_at)
    EXECUTE FUNCTION storefront_mark_origin();
"""

BY_VISITOR = """
CREATE INDEX storefront_acquisition_by_visitor ON campaigns_acquisition (visitor_id)
    WHERE visitor_id <> '';
"""

ANEW = """
DELETE FROM storefront_memberrollup;
DELETE FROM storefront_cohort;
DELETE FROM storefront_cohortday;
DELETE FROM storefront_salesday;
DELETE FROM storefront_rollupmark;
INSERT INTO storefront_rollupmark (visitor_id)
SELECT DISTINCT visitor_id FROM campaigns_touch WHERE quality = 'counted' ORDER BY 1;
INSERT INTO storefront_rollupmark (member_id) SELECT id FROM shop_member ORDER BY id;
INSERT INTO storefront_rollupmark (store_id, business_date)
SELECT DISTINCT store_id, business_date FROM shop_order WHERE paid_at IS NOT NULL ORDER BY 2, 1;
INSERT INTO storefront_rollupmark (order_id) SELECT DISTINCT order_id FROM shop_refund ORDER BY 1;
"""

UNDO = """
DROP INDEX storefront_acquisition_by_visitor;
DROP TRIGGER rollup_mark ON campaigns_touch;
DROP TRIGGER rollup_mark_change ON campaigns_acquisition;
DROP FUNCTION storefront_mark_visitors, storefront_mark_origin;
CREATE TRIGGER rollup_mark_change AFTER UPDATE OF channel_id, last_link_id ON campaigns_acquisition
    FOR EACH ROW WHEN (OLD.channel_id IS DISTINCT FROM NEW.channel_id
                       OR OLD.last_link_id IS DISTINCT FROM NEW.last_link_id)
    EXECUTE FUNCTION storefront_mark_member();
DELETE FROM storefront_rollupmark WHERE visitor_id IS NOT NULL;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("storefront", "0004_months_and_meetings"),
        ("campaigns", "0011_touches_by_month"),
    ]

    operations = [
        migrations.RunSQL(MARKS_OF_VISITORS + BY_VISITOR + ANEW, UNDO),
    ]
