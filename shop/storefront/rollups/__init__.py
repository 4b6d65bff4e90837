"""Roll-ups of orders and members by day and origin, kept up by marks that triggers leave.

docs/metrics.md, “Roll-ups”, tells how. The only writers of the tables of `shop.storefront.models`.
"""
