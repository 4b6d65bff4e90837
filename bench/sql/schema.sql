-- The floor: the least that the same calls must write and read, without a framework.
-- pgbench passes :members. There are as many of them as of our own.
CREATE SCHEMA floor;
SET search_path = floor;

CREATE TABLE sku (id int PRIMARY KEY, name text, price_cents int);
CREATE TABLE member (
    id bigint PRIMARY KEY, phone text NOT NULL, name text, channel_id int NOT NULL,
    joined_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE account (
    member_id bigint PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0),
    lifetime bigint NOT NULL DEFAULT 0, tier smallint NOT NULL DEFAULT 0,
    tier_progress bigint NOT NULL DEFAULT 0, version int NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE TABLE definition (
    id int PRIMARY KEY, discount_cents int NOT NULL, quota bigint NOT NULL,
    redeemed bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
CREATE TABLE coupon (
    id bigint PRIMARY KEY, code text NOT NULL, definition_id int NOT NULL, member_id bigint,
    status smallint NOT NULL DEFAULT 1, expires_at timestamptz
) WITH (fillfactor = 90);
CREATE TABLE redemption (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, coupon_id bigint NOT NULL UNIQUE,
    definition_id int NOT NULL, member_id bigint NOT NULL, order_id bigint NOT NULL,
    discount_cents int NOT NULL, redeemed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE sale (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, member_id bigint NOT NULL,
    store_id int NOT NULL, channel_id int NOT NULL, gross_cents int NOT NULL,
    discount_cents int NOT NULL, net_cents int NOT NULL, status smallint NOT NULL,
    paid_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE sale_line (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sale_id bigint NOT NULL,
    sku_id int NOT NULL, quantity int NOT NULL, price_cents int NOT NULL
);
CREATE TABLE entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, member_id bigint NOT NULL,
    points bigint NOT NULL, kind smallint NOT NULL, sale_id bigint,
    balance_after bigint NOT NULL, expires_at timestamptz,
    occurred_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE conversion (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, member_id bigint NOT NULL,
    channel_id int NOT NULL, definition_id int, sale_id bigint,
    occurred_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE remembered_answer (
    key text PRIMARY KEY, is_done boolean NOT NULL, body jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE claimed (
    definition_id int NOT NULL, member_id bigint NOT NULL, slot bigint NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (definition_id, member_id, slot)
);
CREATE SEQUENCE next_coupon;
CREATE SEQUENCE next_contended;
CREATE SEQUENCE next_claim;

INSERT INTO sku SELECT i, 'sku ' || i, 1200 + (i * 37) % 900 FROM generate_series(1, 200) i;
INSERT INTO member
SELECT i, '+86138' || lpad(i::text, 8, '0'), 'm' || i, 1 + i % 12
FROM generate_series(1, :members) i;
INSERT INTO account (member_id, balance) SELECT i, 1000000 FROM generate_series(1, :members) i;
INSERT INTO definition SELECT i, 500, 1000000000 FROM generate_series(1, 20) i;
INSERT INTO coupon
SELECT i, 'C' || i, 1 + i % 20, 1 + i % :members, 1, now() + interval '30 days'
FROM generate_series(1, :coupons) i;
INSERT INTO coupon
SELECT :coupons + i, 'D' || i, 1, 1 + i % :members, 1, now() + interval '30 days'
FROM generate_series(1, :coupons) i;

CREATE UNIQUE INDEX ON member (phone);
CREATE UNIQUE INDEX ON coupon (code);
CREATE INDEX ON coupon (member_id) WHERE status = 1;
CREATE INDEX ON sale (member_id, paid_at);
CREATE INDEX ON sale_line (sale_id);
CREATE INDEX ON entry (member_id, id);
CREATE INDEX ON redemption (member_id);
CREATE INDEX ON conversion (member_id);

-- One round trip, one durable transaction, twelve row writes; the row that everybody wants comes last.
CREATE FUNCTION pay(
    p_key text, p_member bigint, p_code text, p_skus int[], p_quantities int[], p_points bigint,
    p_store int, p_channel int
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_sale bigint; v_coupon record; v_gross int; v_net int; v_balance bigint; v_earned bigint;
    v_answer jsonb;
BEGIN
    INSERT INTO floor.remembered_answer (key, is_done) VALUES (p_key, false)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN (SELECT body FROM floor.remembered_answer WHERE key = p_key);
    END IF;
    UPDATE floor.coupon SET status = 2
    WHERE code = p_code AND status = 1 AND expires_at > now()
    RETURNING id, definition_id INTO v_coupon;
    IF NOT FOUND THEN RAISE EXCEPTION 'no coupon %', p_code; END IF;

    SELECT sum(sku.price_cents * chosen.quantity) INTO v_gross
    FROM unnest(p_skus, p_quantities) AS chosen (sku_id, quantity)
    JOIN floor.sku ON sku.id = chosen.sku_id;
    v_net := greatest(v_gross - 500 - p_points * 2, 0);
    v_earned := v_net / 100;

    INSERT INTO floor.sale
           (member_id, store_id, channel_id, gross_cents, discount_cents, net_cents, status)
    VALUES (p_member, p_store, p_channel, v_gross, v_gross - v_net, v_net, 2)
    RETURNING id INTO v_sale;
    INSERT INTO floor.sale_line (sale_id, sku_id, quantity, price_cents)
    SELECT v_sale, sku.id, chosen.quantity, sku.price_cents
    FROM unnest(p_skus, p_quantities) AS chosen (sku_id, quantity)
    JOIN floor.sku ON sku.id = chosen.sku_id;
    INSERT INTO floor.redemption (coupon_id, definition_id, member_id, order_id, discount_cents)
    VALUES (v_coupon.id, v_coupon.definition_id, p_member, v_sale, 500);

    UPDATE floor.account
    SET balance = balance - p_points + v_earned, lifetime = lifetime + v_earned,
        tier_progress = tier_progress + v_net, version = version + 1,
        tier = CASE WHEN tier_progress + v_net > 100000 THEN 2
                    WHEN tier_progress + v_net > 30000 THEN 1 ELSE 0 END
    WHERE member_id = p_member AND balance >= p_points
    RETURNING balance INTO v_balance;
    IF NOT FOUND THEN RAISE EXCEPTION 'not enough points'; END IF;
    INSERT INTO floor.entry (member_id, points, kind, sale_id, balance_after, expires_at)
    VALUES (p_member, -p_points, 2, v_sale, v_balance - v_earned, NULL),
           (p_member, v_earned, 1, v_sale, v_balance, now() + interval '1 year');
    INSERT INTO floor.conversion (member_id, channel_id, definition_id, sale_id)
    VALUES (p_member, p_channel, v_coupon.definition_id, v_sale);

    v_answer := jsonb_build_object('sale', v_sale, 'net', v_net, 'balance', v_balance);
    UPDATE floor.remembered_answer SET is_done = true, body = v_answer WHERE key = p_key;
    UPDATE floor.definition SET redeemed = redeemed + 1
    WHERE id = v_coupon.definition_id AND redeemed < quota;
    IF NOT FOUND THEN RAISE EXCEPTION 'coupon quota'; END IF;
    RETURN v_answer;
END
$$;

CREATE FUNCTION claim(p_key text, p_member bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_slot bigint; v_answer jsonb;
BEGIN
    INSERT INTO floor.remembered_answer (key, is_done) VALUES (p_key, false)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN (SELECT body FROM floor.remembered_answer WHERE key = p_key);
    END IF;
    INSERT INTO floor.claimed (definition_id, member_id, slot)
    VALUES (2, p_member, nextval('floor.next_claim')) RETURNING slot INTO v_slot;
    v_answer := jsonb_build_object('slot', v_slot);
    UPDATE floor.remembered_answer SET is_done = true, body = v_answer WHERE key = p_key;
    UPDATE floor.definition SET redeemed = redeemed + 1 WHERE id = 2 AND redeemed < quota;
    IF NOT FOUND THEN RAISE EXCEPTION 'all gone'; END IF;
    RETURN v_answer;
END
$$;
