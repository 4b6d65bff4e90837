"""Who is calling, and which stores that caller may see."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request

ModelT = TypeVar("ModelT", bound=Model)


class Kind(StrEnum):
    """The kinds of caller; nobody else gets past the public pages."""

    TILL = "till"
    MEMBER = "member"
    STAFF = "staff"
    REPORT = "report"
    PARTNER = "partner"


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """An authenticated caller.

    `id` is stable and unique within a kind and names the caller in idempotency keys and audit.
    `store_ids` None means every store. A till has exactly one store, and its orders go there.
    """

    kind: Kind
    id: int
    name: str
    scopes: frozenset[str] = frozenset()
    store_ids: frozenset[int] | None = frozenset()
    extra: dict[str, Any] = field(default_factory=dict)

    is_authenticated = True
    is_active = True

    @property
    def key(self) -> str:
        """Return the name under which what this caller does is recorded."""
        return f"{self.kind}:{self.id}"

    @property
    def store_id(self) -> int:
        """Return the one store of a till."""
        assert self.store_ids is not None  # noqa: S101 - a till's key names its store
        (store_id,) = self.store_ids
        return store_id

    def sees_store(self, store_id: int) -> bool:
        """Tell whether rows of that store may be shown to this caller."""
        return self.store_ids is None or store_id in self.store_ids


def principal_of(request: Request) -> Principal:
    """Return who is calling; for views whose permission classes let only principals in."""
    principal = request.user
    assert isinstance(principal, Principal)  # noqa: S101 - the permission classes have checked
    return principal


def scope(
    rows: QuerySet[ModelT],
    principal: Principal,
    *,
    store: str | None = None,
    member: str | None = None,
    partner: str | None = None,
    with_shared: bool = False,
) -> QuerySet[ModelT]:
    """Return only the rows that this caller may see: the single place where visibility is decided.

    `store`, `member` and `partner` name the lookups of the owner, such as ``"store_id"``. A kind of
    caller for which no lookup is named sees nothing. Rows without a store belong to head office;
    `with_shared` shows them to every store too.
    """
    if principal.kind is Kind.MEMBER:
        return rows.filter(**{member: principal.id}) if member else rows.none()
    if principal.kind is Kind.PARTNER:
        return rows.filter(**{partner: principal.id}) if partner else rows.none()
    if store is None:
        return rows.none()
    if principal.store_ids is None:
        return rows
    theirs = Q(**{f"{store}__in": principal.store_ids})
    shared = Q(**{f"{store}__isnull": True}) if with_shared else Q()
    return rows.filter(theirs | shared)
