-- lookup: a member with balance and tier by phone
\set member random(1, :members)
SELECT m.id, m.name, a.balance, a.tier, a.tier_progress FROM floor.member m JOIN floor.account a ON a.member_id = m.id WHERE m.phone = '+86138' || lpad((:member)::text, 8, '0');
