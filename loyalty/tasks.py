"""Background jobs of loyalty: each starts a job that goes on in slices."""

from celery import shared_task
from django.utils import timezone

from loyalty import expiry, expiry_warnings, stored_value

BATCH = 500


@shared_task
def expire_points() -> None:
    """Start this hour's run of expiry, if anything is due: stores end their days at other hours."""
    now = timezone.now()
    if expiry.is_due(now=now):
        expiry.start(requested_by="beat", now=now, key=f"{expiry.KIND}:{now:%F %H}")


@shared_task
def expire_gifts() -> None:
    """Take away gifts of stored value whose time is over."""
    stored_value.expire_gifts(now=timezone.now(), limit=BATCH)


@shared_task
def warn_of_expiry() -> None:
    """Start this day's run of warnings."""
    now = timezone.now()
    expiry_warnings.start(requested_by="beat", now=now, key=f"{expiry_warnings.KIND}:{now:%F}")
