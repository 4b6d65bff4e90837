-- claim: a coupon of one definition for a member, counted in the row that everybody wants
\set member random(1, :members)
SELECT floor.claim(gen_random_uuid()::text, :member);
