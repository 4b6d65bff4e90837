"""Who did something, as people read it: rows keep the key of a caller, such as ``staff:7``."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext

from shop.models import Staff

STAFF = "staff:"


def names(actors: Iterable[str]) -> Mapping[str, str]:
    """Return a name for each actor: a person's, or the key as it stands."""
    keys = set(actors)
    ids = [int(key.removeprefix(STAFF)) for key in keys if is_person(key)]
    people = {f"{STAFF}{person.pk}": str(person) for person in Staff.objects.filter(pk__in=ids)}
    machines = {"beat": gettext("by the clock")}
    return {key: people.get(key) or machines.get(key) or key for key in keys}


def is_person(actor: str) -> bool:
    """Tell whether an actor is somebody of the staff."""
    return actor.startswith(STAFF) and actor.removeprefix(STAFF).isdecimal()
