"""By what people and money may be told, and how rows of ids find those names."""

KEYS = {
    "channel": "COALESCE(channel.code, '')",
    "link": "COALESCE(link.code, '')",
    "campaign": "COALESCE(campaign.code, '')",
    "phase": "COALESCE(campaign.code || '/' || phase.kind, '')",
    "store": "COALESCE(store.code, '')",
    "city": "COALESCE(store.city, '')",
}
"""What names no channel, link, campaign or store has the empty key."""

NAMED = """
LEFT JOIN shop_store store ON store.id = {row}.store_id
LEFT JOIN campaigns_channel channel ON channel.id = {row}.channel_id
LEFT JOIN campaigns_channellink link ON link.id = {row}.link_id
LEFT JOIN campaigns_campaign campaign ON campaign.id = link.campaign_id
LEFT JOIN campaigns_campaignphase phase ON phase.id = link.phase_id
"""
"""What a row with store, channel and link is called."""

LINKS = """
links AS (
    SELECT link.id AS link_id, link.channel_id, link.store_id, {key} AS key
    FROM campaigns_channellink link
    JOIN campaigns_channel channel ON channel.id = link.channel_id
    LEFT JOIN shop_store store ON store.id = link.store_id
    LEFT JOIN campaigns_campaign campaign ON campaign.id = link.campaign_id
    LEFT JOIN campaigns_campaignphase phase ON phase.id = link.phase_id
    WHERE link.store_id = ANY(%(stores)s)
       OR link.store_id IS NULL AND %(whole_chain)s::boolean
)
"""
"""The links that count for these stores; those of no store count for the whole chain only."""
BUCKET = {
    "": "NULL::date",
    "day": "{day}",
    "week": "date_trunc('week', {day}::timestamp)::date",
    "month": "date_trunc('month', {day}::timestamp)::date",
}
"""The first day of the period a day is told by; weeks begin on Mondays."""
