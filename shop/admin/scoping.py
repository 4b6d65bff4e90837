"""Which rows of the back office a person sees, and which they may change.

It is the API's answer: `staff_principal` says who asks, `scope` what they see. Rows of no store are
the whole chain's; only who sees every store may change them.
"""

from typing import TYPE_CHECKING, Any

from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import Field, ForeignKey, Model, Q, QuerySet
from django.forms import ModelChoiceField, ModelMultipleChoiceField
from django.http import HttpRequest
from unfold.contrib.filters.admin import RelatedDropdownFilter

from shop.api.authentication import staff_principal
from shop.kernel.principals import Kind, Principal, scope
from shop.models import Staff, Store

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    Base = ModelAdmin[Any]
else:
    Base = object


NOBODY = Principal(kind=Kind.STAFF, id=0, name="")
"""Who has not signed in yet: the sign-in page asks what to show them."""


def principal_of(request: HttpRequest) -> Principal:
    """Return who asks; worked out once per request."""
    known: Principal | None = getattr(request, "staff_principal", None)
    if known is None:
        user = request.user
        known = staff_principal(user) if isinstance(user, Staff) else NOBODY
        request.staff_principal = known  # type: ignore[attr-defined]
    return known


def covers_chain(request: HttpRequest) -> bool:
    """Tell whether this person sees every store."""
    return principal_of(request).store_ids is None


def visible_rows(page: Any, model: type[Model], request: HttpRequest) -> QuerySet[Any] | None:
    """Return the rows of another model that this person sees, as that model's own page has it."""
    other = page.admin_site._registry.get(model)
    return other.get_queryset(request) if other is not None else None


class KeyedChoices:
    """Shows a refused form again without the choices that are no keys: Django looks up each."""

    field: Any

    def optgroups(self, name: str, value: list[Any], attr: Any = None) -> Any:
        keys = [key for key in value if self._is_key(key)]
        return super().optgroups(name, keys, attr)  # type: ignore[misc]

    def _is_key(self, value: Any) -> bool:
        try:
            self.field.target_field.to_python(value)
        except ValidationError:
            return False
        return True


class OneOfMany(KeyedChoices, AutocompleteSelect):
    """A row that is found by typing."""


class SomeOfMany(KeyedChoices, AutocompleteSelectMultiple):
    """Rows that are found by typing."""


class StoreScoped(Base):
    """A page or an inline whose rows belong to stores.

    `store_lookup` leads to the owning store; None says that the rows are the whole chain's. With
    `shows_unassigned`, rows that name no store are shown to everybody.
    """

    store_lookup: str | None = None
    shows_unassigned = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = self.every_row(request)
        principal = principal_of(request)
        if self.store_lookup is None or principal.store_ids is None:
            return rows
        if not self.shows_unassigned:
            return scope(rows, principal, store=self.store_lookup)
        own = scope(self.model._default_manager.all(), principal, store=self.store_lookup)
        unassigned = Q(**{f"{self.store_lookup}__isnull": True})
        return rows.filter(Q(pk__in=own.values("pk")) | unassigned)

    def every_row(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows before anybody's stores are considered."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows

    def stores_of(self, row: Any) -> set[int]:
        """Return the ids of the stores that a row belongs to; none if it is the whole chain's."""
        value = row
        for name in (self.store_lookup or "").split("__"):
            value = getattr(value, name, None)
        if hasattr(value, "values_list"):
            return set(value.values_list("pk", flat=True))
        return set() if value is None else {value}

    def may_write(self, request: HttpRequest, row: Any = None) -> bool:
        """Tell whether this row is this person's to change, permissions aside."""
        principal = principal_of(request)
        if principal.store_ids is None:
            return True
        if self.store_lookup is None:
            return False
        if not isinstance(row, Model) or row.pk is None:
            return True
        stores = self.stores_of(row)
        return bool(stores) and stores <= principal.store_ids

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return super().has_add_permission(request, *args) and self.may_write(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self.may_write(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self.may_write(request, obj)

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest
    ) -> QuerySet[Any] | None:
        """Offer only visible rows in forms."""
        rows = visible_rows(self, db_field.remote_field.model, request)
        return rows if rows is not None else super().get_field_queryset(db, db_field, request)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        if db_field.name in self.get_autocomplete_fields(request):
            widget = OneOfMany(db_field, self.admin_site, using=kwargs.get("using"))
            kwargs.setdefault("widget", widget)
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(
            db_field, request, **kwargs
        )
        return self._naming_a_store(db_field, field, request)

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:
        if db_field.name in self.get_autocomplete_fields(request):
            widget = SomeOfMany(db_field, self.admin_site, using=kwargs.get("using"))
            kwargs.setdefault("widget", widget)
        field: ModelMultipleChoiceField[Any] | None = super().formfield_for_manytomany(
            db_field, request, **kwargs
        )
        return self._naming_a_store(db_field, field, request)

    def _naming_a_store(self, db_field: Any, field: Any, request: HttpRequest) -> Any:
        """Require a store of who does not see all: without, the row were the whole chain's."""
        is_store = db_field.remote_field.model is Store
        if field is not None and is_store and not covers_chain(request):
            field.required = True
        return field


class VisibleFilter(RelatedDropdownFilter):
    """A filter by a related row that offers only visible ones."""

    def field_choices(
        self, field: Field[Any, Any], request: HttpRequest, model_admin: Any
    ) -> list[tuple[Any, str]]:
        rows = visible_rows(model_admin, field.related_model, request)  # type: ignore[arg-type]
        if rows is None:
            choices: list[tuple[Any, str]] = super().field_choices(field, request, model_admin)
            return choices
        return [(row.pk, str(row)) for row in rows.order_by("pk")]
