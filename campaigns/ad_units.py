"""Which ad of a platform leads to which link. The only module that writes it by itself."""

from campaigns.models import AdUnit
from shop.kernel import rows


def learn(*, platform: str, external_id: str, link_id: int) -> None:
    """Remember where an ad leads, as its first reported click tells; what is known stays."""
    if not AdUnit.objects.filter(platform=platform, external_id=external_id).exists():
        unit = AdUnit(platform=platform, external_id=external_id, link_id=link_id)
        rows.insert(unit, unless_exists="platform, external_id")
