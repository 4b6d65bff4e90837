-- settle: as pay.sql, with coupons that all count in one row
\set member random(1, :members)
\set first random(1, 200)
\set second random(1, 200)
\set store random(1, 20)
\set channel random(1, 12)
SELECT floor.pay(gen_random_uuid()::text, :member, 'D' || nextval('floor.next_contended'), ARRAY[:first, :second]::int[], ARRAY[1, 2], 100, :store, :channel);
