-- quote: everything a price needs in one statement, priced by nobody
\set member random(1, :members)
\set first random(1, 200)
\set second random(1, 200)
SELECT (SELECT row_to_json(a) FROM floor.account a WHERE a.member_id = :member), (SELECT json_agg(s) FROM floor.sku s WHERE s.id IN (:first, :second)), (SELECT json_agg(c) FROM (SELECT c.id, c.code, d.discount_cents FROM floor.coupon c JOIN floor.definition d ON d.id = c.definition_id WHERE c.member_id = :member AND c.status = 1 AND c.expires_at > now() ORDER BY c.expires_at LIMIT 1) c);
