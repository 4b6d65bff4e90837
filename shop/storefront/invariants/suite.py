"""All checks, in the order in which they are reported."""

from datetime import datetime
from typing import Any

from shop.storefront.invariants import (
    accounts,
    ads,
    campaigns,
    check,
    codes,
    deliveries,
    growth,
    money,
    partners,
    points,
    rollups,
    sales,
    tiers,
    vouchers,
)
from shop.storefront.invariants.check import Report

CHECKS = [
    *points.CHECKS,
    *money.CHECKS,
    *growth.CHECKS,
    *tiers.CHECKS,
    *codes.CHECKS,
    *sales.CHECKS,
    *deliveries.CHECKS,
    *vouchers.CHECKS,
    *accounts.CHECKS,
    *rollups.CHECKS,
    *campaigns.CHECKS,
    *partners.CHECKS,
    *ads.CHECKS,
]


def check_all(*, now: datetime) -> Report:
    """Run every check over one snapshot."""
    return check.run(CHECKS, now=now)


def as_dict(report: Report) -> dict[str, Any]:
    """Return the report as plain JSON data."""
    return {
        "ok": not report.broken,
        "checked_at": report.checked_at.isoformat(),
        "seconds": round(report.seconds, 3),
        "checks": [
            {
                "id": finding.id,
                "name": finding.name,
                "violations": finding.violations,
                "examples": list(finding.examples),
                "seconds": round(finding.seconds, 3),
            }
            for finding in report.findings
        ],
    }
