"""People of the back office, and their groups."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from shop.admin.pages import ForHeadOffice, Page
from shop.admin.scoping import VisibleFilter, principal_of
from shop.models import Staff

POWERS = ["is_superuser", "user_permissions"]
"""What makes more than its groups of a person: only who has it all gives it."""


@admin.register(Staff)
class StaffPage(Page, UserAdmin):  # type: ignore[misc]
    """A person who signs in; what they may do comes from groups, what they see from stores."""

    store_lookup = "stores"
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "full_name", "roles", "covers_all_stores", "is_active"]
    list_filter = [("groups", VisibleFilter), ("stores", VisibleFilter), "is_active"]
    search_fields = ["username", "first_name", "last_name", "email"]
    search_help_text = _("User name, name or e-mail")
    ordering = ["username"]
    filter_horizontal: ClassVar[list[str]] = []
    autocomplete_fields = ["stores", "member"]
    compressed_fields = True
    fieldsets = [
        (None, {"fields": ["username", "password", ("first_name", "last_name"), "email"]}),
        (_("Sees"), {"fields": [("covers_all_stores", "stores")]}),
        (_("Rights"), {"fields": [("is_active", "is_staff"), "is_superuser", "groups"]}),
        (_("Single permissions"), {"fields": ["user_permissions"], "classes": ["collapse"]}),
        (_("Points"), {"fields": [("member", "adjustment_limit_points")]}),
        (_("Last seen"), {"fields": [("last_login", "date_joined")]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", ("password1", "password2"), ("first_name", "last_name")]}),
        (_("Sees"), {"fields": [("covers_all_stores", "stores")]}),
        (_("Rights"), {"fields": ["is_staff", "groups"]}),
    ]

    @admin.display(description=_("name"), ordering="last_name")
    def full_name(self, person: Staff) -> str:
        """Show the person's name."""
        return person.get_full_name() or "–"

    @admin.display(description=_("groups"))
    def roles(self, person: Staff) -> str:
        """Show the person's groups."""
        return ", ".join(gettext(group.name) for group in person.groups.all()) or "–"

    def get_queryset(self, request: HttpRequest) -> Any:
        """Show a manager the people of their stores, each once."""
        return super().get_queryset(request).distinct().prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = [*super().get_readonly_fields(request, obj), "last_login", "date_joined"]
        if not request.user.is_superuser:
            fields += POWERS
        if principal_of(request).store_ids is not None:
            fields += ["covers_all_stores", "member", "adjustment_limit_points"]
        return fields

    def may_write(self, request: HttpRequest, row: Any = None) -> bool:
        """Keep people from changing who is above them."""
        is_above = isinstance(row, Staff) and row.is_superuser and not request.user.is_superuser
        return not is_above and super().may_write(request, row)

    def save_model(
        self, request: HttpRequest, obj: Staff, form: ModelForm[Staff], change: Any
    ) -> None:
        if not change:
            obj.is_staff = form.cleaned_data.get("is_staff", True)
        super().save_model(request, obj, form, change)


admin.site.unregister(Group)


@admin.register(Group)
class GroupPage(ForHeadOffice, Page, GroupAdmin):  # type: ignore[misc]
    """A kind of staff and its permissions."""

    list_display = ["name"]
    search_fields = ["name"]
    search_help_text = _("Name")
    ordering = ["name"]
