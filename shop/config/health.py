"""Whether this process is alive, and whether it can serve."""

import pkgutil
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from http import HTTPStatus
from pathlib import Path

import redis
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from campaigns import clicks
from shop.config import ticks
from shop.kernel import problems
from shop.kernel.errors import DomainError

MAX_CLOCK_SKEW_SECONDS = 5
VALKEY_TIMEOUT_SECONDS = 2


class NotReady(DomainError):
    """The server runs but cannot serve yet; `failed_checks` names what is missing."""

    code = "not-ready"
    title = _("The server cannot take requests yet.")
    status = HTTPStatus.SERVICE_UNAVAILABLE


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """Answer that the process runs; asks nobody else, so that a lost database restarts nothing."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Answer whether requests can be served, and which checks say so."""
    results = {name: _passes(check) for name, check in CHECKS.items()}
    if not all(results.values()):
        failed = [name for name, is_passed in results.items() if not is_passed]
        return _problem(NotReady(failed_checks=failed))
    return JsonResponse(
        {
            "status": "ready",
            "checks": results,
            "beat_age_seconds": _beat_age_seconds(),
            "clicks": asdict(clicks.state()),
        }
    )


def answers_sql() -> bool:
    """Return whether the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def answers_valkey() -> bool:
    """Return whether Valkey answers; true where none is configured."""
    if not settings.REDIS_URL:
        return True
    with redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=VALKEY_TIMEOUT_SECONDS,
        socket_connect_timeout=VALKEY_TIMEOUT_SECONDS,
    ) as client:
        return bool(client.ping())


def is_migrated() -> bool:
    """Return whether the database has every migration of this code.

    Compares names. Django's own plan would import every migration into the web server, and load
    them again at each probe: a tenth of a second.
    """
    return _migrations_of_this_code() <= set(MigrationRecorder(connection).applied_migrations())


def clocks_agree() -> bool:
    """Return whether our clock and the database's differ little.

    Periods are judged by our clock, and some guards by the database's.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (database_now,) = cursor.fetchone() or (timezone.now(),)
    skew = abs((timezone.now() - database_now).total_seconds())
    return skew < MAX_CLOCK_SKEW_SECONDS


CHECKS: dict[str, Callable[[], bool]] = {
    "database": answers_sql,
    "valkey": answers_valkey,
    "migrations": is_migrated,
    "clock": clocks_agree,
}


@cache
def _migrations_of_this_code() -> set[tuple[str, str]]:
    """Return (app label, name) of every migration file."""
    return {
        (app.label, module.name)
        for app in apps.get_app_configs()
        for module in pkgutil.iter_modules([str(Path(app.path) / "migrations")])
        if not module.ispkg and module.name[0] not in "_~"
    }


def _passes(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (DatabaseError, InterfaceError, redis.RedisError, OSError):
        return False


def _beat_age_seconds() -> float | None:
    """Return the age of beat's last tick; reported only, because web can serve without beat."""
    age = ticks.seconds_since_last()
    return None if age is None else round(age, 1)


def _problem(error: DomainError) -> HttpResponse:
    return JsonResponse(
        problems.problem_of(error), status=error.status, content_type=problems.CONTENT_TYPE
    )
