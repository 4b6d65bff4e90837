"""Checks of the points ledger."""

from shop.storefront.invariants.check import Check

# What a credit repaid of a debt: no lot holds that part, and no debit can draw on it.
_REPAID = "LEAST(entry.points, GREATEST(entry.points - entry.balance_after, 0))"

CHECKS = [
    Check(
        id="I1",
        name="balance-is-the-sum-of-entries",
        sql="""
            SELECT account.id AS account, account.wallet, account.balance,
                   COALESCE(sum(entry.points), 0) AS entries
            FROM loyalty_pointsaccount account
            LEFT JOIN loyalty_pointsentry entry ON entry.account_id = account.id
            GROUP BY account.id
            HAVING account.balance <> COALESCE(sum(entry.points), 0)
        """,
    ),
    Check(
        id="I1",
        name="each-balance-follows-from-the-one-before",
        sql="""
            SELECT * FROM (
                SELECT id AS entry, account_id AS account, points, balance_after,
                       lag(balance_after, 1, 0::bigint) OVER (
                           PARTITION BY account_id ORDER BY id) AS balance_before
                FROM loyalty_pointsentry
            ) chain
            WHERE balance_after <> balance_before + points
        """,
    ),
    Check(
        id="I1",
        name="balance-is-that-of-the-last-entry",
        sql="""
            SELECT account.id AS account, account.balance, latest.balance_after
            FROM loyalty_pointsaccount account
            JOIN (
                SELECT DISTINCT ON (account_id) account_id, balance_after
                FROM loyalty_pointsentry ORDER BY account_id, id DESC
            ) latest ON latest.account_id = account.id
            WHERE latest.balance_after <> account.balance
        """,
    ),
    Check(
        id="I2",
        name="lots-less-debt-are-the-balance",
        sql="""
            SELECT account.id AS account, account.balance, COALESCE(sum(lot.remaining), 0) AS lots
            FROM loyalty_pointsaccount account
            LEFT JOIN loyalty_pointslot lot ON lot.account_id = account.id
            WHERE account.wallet <> 'qualifying'
            GROUP BY account.id
            HAVING COALESCE(sum(lot.remaining), 0) <> GREATEST(account.balance, 0)
        """,
    ),
    Check(
        id="I1",
        name="an-event-earned-what-it-says",
        sql="""
            SELECT event.id AS event, event.points, COALESCE(entry.points, 0) AS entered
            FROM loyalty_earningevent event
            LEFT JOIN loyalty_pointsentry entry
                 ON entry.kind = 'earn' AND entry.source = 'event:' || event.id
            WHERE event.points <> COALESCE(entry.points, 0)
        """,
    ),
    Check(
        id="I1",
        name="what-a-rule-gave-has-its-order-or-event",
        sql="""
            SELECT gain.id AS gain, gain.source, gain.points
            FROM loyalty_earninggain gain
            LEFT JOIN shop_order orders
                 ON gain.source = 'order:' || orders.number AND orders.member_id = gain.member_id
            LEFT JOIN loyalty_earningevent event ON gain.source = 'event:' || event.id
            WHERE (orders.id IS NULL AND event.id IS NULL)
               OR (orders.status = 'cancelled') <> (gain.returned_at IS NOT NULL)
        """,
    ),
    Check(
        id="I3",
        name="only-what-was-taken-back-makes-debt",
        sql="""
            SELECT account.id AS account, account.wallet, account.balance, account.held
            FROM loyalty_pointsaccount account
            WHERE account.balance < account.held AND NOT EXISTS (
                SELECT FROM loyalty_pointsentry entry
                WHERE entry.account_id = account.id
                  AND entry.kind IN ('reverse_earn', 'reverse_referral', 'merge_out'))
        """,
    ),
    Check(
        id="I4",
        name="held-is-the-sum-of-pending-holds",
        sql="""
            SELECT account.id AS account, account.held, COALESCE(sum(hold.points), 0) AS holds
            FROM loyalty_pointsaccount account
            LEFT JOIN loyalty_pointshold hold
                   ON hold.account_id = account.id AND hold.state = 'pending'
            GROUP BY account.id
            HAVING account.held <> COALESCE(sum(hold.points), 0)
        """,
    ),
    Check(
        id="I5",
        name="no-hold-outlives-what-it-is-for",
        sql="""
            SELECT hold.id AS hold, hold.source, orders.status AS order_status,
                   orders.expires_at AS order_expires_at, redemption.status AS reward_status
            FROM loyalty_pointshold hold
            LEFT JOIN shop_order orders ON hold.source = 'order:' || orders.number
            LEFT JOIN loyalty_rewardredemption redemption ON redemption.hold_id = hold.id
            WHERE hold.state = 'pending'
              AND redemption.status IS DISTINCT FROM 'issued'
              AND (orders.status IS DISTINCT FROM 'pending'
                   OR orders.expires_at < %(now)s::timestamptz - interval '5 minutes')
        """,
    ),
    Check(
        id="I5",
        name="a-resolved-hold-was-spent-or-freed",
        sql="""
            SELECT hold.id AS hold, hold.source, hold.state, hold.points, entry.points AS spent
            FROM loyalty_pointshold hold
            LEFT JOIN loyalty_pointsentry entry
                   ON entry.account_id = hold.account_id AND entry.kind = 'spend'
                  AND entry.source = hold.source
            WHERE (hold.state = 'posted') <> (entry.id IS NOT NULL)
               OR entry.points <> -hold.points
        """,
    ),
    Check(
        id="I5",
        name="promises-come-true-in-time",
        sql="""
            SELECT promise.id AS promise, promise.source, promise.available_at
            FROM loyalty_pendingpoints promise
            WHERE promise.state = 'pending'
              AND promise.available_at < %(now)s::timestamptz - interval '1 day'
        """,
    ),
    Check(
        id="I2",
        name="what-moves-or-comes-back-was-there",
        sql="""
            SELECT entry.id AS entry, entry.kind, entry.points, other.points AS others
            FROM loyalty_pointsentry entry
            LEFT JOIN loyalty_pointsentry other
                   ON other.account_id = entry.account_id
                  AND other.source = entry.source
                  AND other.kind = CASE entry.kind
                      WHEN 'extend_in' THEN 'extend_out' ELSE 'extend_in' END
            WHERE entry.kind IN ('extend_in', 'extend_out')
              AND other.points IS DISTINCT FROM -entry.points
        """,
    ),
    Check(
        id="I2",
        name="what-is-given-back-had-expired-and-comes-once",
        sql="""
            SELECT entry.id AS entry, entry.points, lost.points AS lost, twin.id AS twin
            FROM loyalty_pointsentry entry
            JOIN loyalty_pointsaccount account ON account.id = entry.account_id
            JOIN shop_member owner ON owner.id = account.member_id
            LEFT JOIN loyalty_pointsentry lost
                   ON 'entry:' || lost.id = entry.source AND lost.kind = 'expire'
            LEFT JOIN loyalty_pointsaccount former
                   ON former.id = lost.account_id AND former.wallet = account.wallet
            LEFT JOIN shop_member loser ON loser.id = former.member_id
            LEFT JOIN loyalty_pointsentry twin
                   ON twin.kind = 'reinstate' AND twin.source = entry.source AND twin.id > entry.id
            WHERE entry.kind = 'reinstate'
              AND (lost.points IS DISTINCT FROM -entry.points OR twin.id IS NOT NULL
                   OR COALESCE(loser.merged_into_id, loser.id)
                      IS DISTINCT FROM COALESCE(owner.merged_into_id, owner.id))
        """,
    ),
    Check(
        id="I11",
        name="what-has-expired-is-gone",
        sql="""
            SELECT account.id AS account, sum(lot.remaining) AS overdue, account.held
            FROM loyalty_pointslot lot
            JOIN loyalty_pointsaccount account ON account.id = lot.account_id
            WHERE lot.remaining > 0
              AND lot.expires_at < %(now)s::timestamptz - interval '1 day'
            GROUP BY account.id
            HAVING sum(lot.remaining) > account.held
        """,
    ),
    Check(
        id="I11",
        name="a-lot-is-what-its-draws-left",
        sql=f"""
            SELECT lot.id AS lot, lot.points, lot.remaining, {_REPAID} AS repaid,
                   COALESCE(drawn.points, 0) AS drawn
            FROM loyalty_pointslot lot
            JOIN loyalty_pointsentry entry ON entry.id = lot.entry_id
            LEFT JOIN (
                SELECT lot_id, sum(points) AS points FROM loyalty_pointsdraw GROUP BY lot_id
            ) drawn ON drawn.lot_id = lot.id
            WHERE lot.points <> entry.points
               OR lot.remaining <> lot.points - {_REPAID} - COALESCE(drawn.points, 0)
        """,  # noqa: S608 - our own expression
    ),
    Check(
        id="I11",
        name="a-debit-draws-all-that-there-was",
        sql="""
            SELECT entry.id AS entry, entry.points, COALESCE(sum(draw.points), 0) AS drawn
            FROM loyalty_pointsentry entry
            JOIN loyalty_pointsaccount account ON account.id = entry.account_id
            LEFT JOIN loyalty_pointsdraw draw ON draw.entry_id = entry.id
            WHERE account.wallet <> 'qualifying' AND entry.points < 0
            GROUP BY entry.id
            HAVING COALESCE(sum(draw.points), 0)
                <> LEAST(-entry.points, GREATEST(entry.balance_after - entry.points, 0))
        """,
    ),
    Check(
        id="I11",
        name="lots-are-drawn-soonest-expiring-first",
        sql=f"""
            SELECT draw.id AS draw, draw.lot_id AS lot, passed.id AS passed_lot
            FROM loyalty_pointsdraw draw
            JOIN loyalty_pointsentry debit
                 ON debit.id = draw.entry_id AND debit.kind IN ('spend', 'adjust')
            JOIN loyalty_pointslot lot ON lot.id = draw.lot_id
            JOIN loyalty_pointslot passed
                 ON passed.account_id = lot.account_id AND passed.entry_id < draw.entry_id
                AND (COALESCE(passed.expires_at, 'infinity'), passed.id)
                    < (COALESCE(lot.expires_at, 'infinity'), lot.id)
            JOIN loyalty_pointsentry entry ON entry.id = passed.entry_id
            WHERE passed.points - {_REPAID} > (
                SELECT COALESCE(sum(earlier.points), 0) FROM loyalty_pointsdraw earlier
                WHERE earlier.lot_id = passed.id AND earlier.entry_id <= draw.entry_id)
        """,  # noqa: S608 - our own expression
    ),
]
