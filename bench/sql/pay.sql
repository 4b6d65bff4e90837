-- settle: the whole payment in one function call
\set member random(1, :members)
\set first random(1, 200)
\set second random(1, 200)
\set store random(1, 20)
\set channel random(1, 12)
SELECT floor.pay(gen_random_uuid()::text, :member, 'C' || nextval('floor.next_coupon'), ARRAY[:first, :second]::int[], ARRAY[1, 2], 100, :store, :channel);
