"""What every page of the back office shares; the pages themselves stand one noun to a module."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Model
from django.forms import ModelForm
from django.forms.models import _get_foreign_key
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.forms.widgets import ArrayWidget
from unfold.paginator import InfinitePaginator

from shop.admin.moments import MomentField
from shop.admin.money import PercentField, YuanField, percent, yuan
from shop.admin.scoping import StoreScoped, covers_chain
from shop.kernel.fields import CentsField, OptionalCentsField

NOT_IN_THE_THEMES_CHINESE = [gettext_noop("Choose file to upload")]
"""Words of the theme that we translate for it."""
FORM_FIELDS: dict[type[models.Field[Any, Any]], dict[str, Any]] = {
    CentsField: {"form_class": YuanField},
    OptionalCentsField: {"form_class": YuanField},
    ArrayField: {"widget": ArrayWidget},
    models.DateTimeField: {"form_class": MomentField},
}


def as_json(value: Any) -> SafeString:
    """Return data as people read it, Chinese as Chinese."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    return format_html('<pre class="font-mono text-xs whitespace-pre-wrap">{}</pre>', text)


def shown(model: type[Model], *, shares: Iterable[str] = ()) -> dict[str, Any]:
    """Return, for columns that nobody could read as they are stored, what shows them instead.

    `shares` are the columns of basis points.
    """
    columns = {}
    for field in model._meta.concrete_fields:
        if field.name in shares:
            columns[field.name] = _column(field, percent)
        elif isinstance(field, CentsField | OptionalCentsField):
            columns[field.name] = _column(field, yuan)
        elif isinstance(field, models.JSONField):
            columns[field.name] = _column(field, as_json)
        elif isinstance(field, ArrayField):
            columns[field.name] = _column(field, lambda values: ", ".join(map(str, values)))
    return columns


def _column(field: Any, show: Any) -> Any:
    @admin.display(description=field.verbose_name, ordering=field.name)
    def column(row: Any) -> str:
        value = getattr(row, field.name)
        return "–" if value is None else show(value)

    column.__name__ = field.name
    return column


class Readable:
    """Shows money in yuan and data as text, in lists and where a page is read-only.

    `shares` names the columns of basis points, which people type and read in percent, each with the
    help that it has in the form.
    """

    model: type[Model]
    shares: ClassVar[Mapping[str, str | Promise]] = {}

    @property
    def columns(self) -> dict[str, Any]:
        """Return the stand-ins of this model's columns, the same functions every time."""
        found: dict[str, Any] | None = self.__dict__.get("_columns")
        if found is None:
            found = self.__dict__["_columns"] = shown(self.model, shares=self.shares)
        return found

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        editable = getattr(self, "list_editable", ())
        names = super().get_list_display(request)  # type: ignore[misc]
        return [name if name in editable else self.columns.get(name, name) for name in names]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        names = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        return [self.columns.get(name, name) for name in names]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        readonly = self.get_readonly_fields(request, obj)
        if obj is not None and not self.has_change_permission(request, obj):  # type: ignore[attr-defined]
            readonly = list(self.columns.values())
        return [
            (title, {**options, "fields": self._fields(options["fields"], readonly)})
            for title, options in self.layout(request, obj)
        ]

    def layout(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Return the fieldsets as the page declares them; here pages differ by row."""
        return list(super().get_fieldsets(request, obj))  # type: ignore[misc]

    def _fields(self, names: Sequence[Any], readonly: Sequence[Any]) -> list[Any]:
        fields: list[Any] = []
        for name in names:
            if isinstance(name, (list, tuple)):
                fields.append(self._fields(name, readonly))
            else:
                column = self.columns.get(name) if isinstance(name, str) else None
                fields.append(column if column in readonly and column else name)
        return fields


class Page(Readable, StoreScoped, ModelAdmin):  # type: ignore[misc]
    """A page of the back office.

    Saving writes only what the person changed: counters that flows move in the meantime are never
    put back to what they were when the form was opened.
    """

    formfield_overrides = FORM_FIELDS
    show_full_result_count = False
    list_per_page = 50
    warn_unsaved_form = True

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any) -> Any:
        return super().get_form(request, obj, *args, **{"help_texts": self.shares} | kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.shares:
            return db_field.formfield(form_class=PercentField, **kwargs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("name"), ordering="name_zh")
    def title(self, row: Any) -> str:
        """Show the name in the reader's language."""
        return str(row.name)

    def save_model(
        self, request: HttpRequest, obj: Model, form: ModelForm[Any], change: Any
    ) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=sorted(columns.intersection(self.changed_columns(form))))

    def changed_columns(self, form: ModelForm[Any]) -> list[str]:
        """Return the columns that a form changed."""
        return list(form.changed_data)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the buttons that this person may press on this row as it stands."""
        buttons = self._get_base_actions_detail()
        row = self.get_object(request, str(object_id)) if buttons else None
        if row is None:
            return []
        return [button for button in buttons if button.method.button.is_offered(self, request, row)]

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        """Offer the buttons above the list that this person may press."""
        buttons = self._get_base_actions_list()
        return [b for b in buttons if b.method.button.is_allowed(self, request, None)]


class ReadOnly:
    """Rows that flows write: to be looked at."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyPage(ReadOnly, Page):
    """A page of facts or of a ledger. Lists are not counted: the largest tables are here."""

    paginator = InfinitePaginator
    ordering: ClassVar[Sequence[str]] = ["-pk"]


class SinglePage(Page):
    """A page for the one row of a table: it may be missing, but there is never a second."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        is_missing = not self.model._default_manager.exists()
        return is_missing and super().has_add_permission(request, *args)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: Any) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)


class Rows(Readable, StoreScoped, TabularInline):  # type: ignore[misc]
    """Rows of another model on a page; who may change that page may change them."""

    formfield_overrides = FORM_FIELDS
    extra = 0
    tab = True

    def may_write(self, request: HttpRequest, row: Any = None) -> bool:
        page: Any = self.admin_site._registry[self.parent_model]
        return bool(page.may_write(request, row))


class ReadOnlyRows(ReadOnly, Rows):
    """Rows that flows write, on the page of what they are about.

    Only as many as `most`, the newest first: a page must not grow with the years.
    """

    can_delete = False
    most = 10
    newest_by = "-pk"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request).order_by(self.newest_by)
        place = request.resolver_match
        if place is None or "object_id" not in place.kwargs:
            return rows.none()
        parent = _get_foreign_key(self.parent_model, self.model, fk_name=self.fk_name).name
        newest = rows.filter(**{parent: place.kwargs["object_id"]})[: self.most]
        return rows.filter(pk__in=newest.values("pk"))


class ForHeadOffice:
    """A page of things that name no store and yet tell of stores: only for who sees every store."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return covers_chain(request) and super().has_module_permission(request)  # type: ignore[misc]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return covers_chain(request) and super().has_view_permission(request, obj)  # type: ignore[misc]
