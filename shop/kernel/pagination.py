"""Cursor pagination: stable under inserts, no COUNT over big tables."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, pagination


class CursorPagination(pagination.CursorPagination):
    """Newest first by id; `?cursor=` comes from the `next` and `previous` links."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "page_size"
    ordering = "-id"

    def paginate_queryset(self, *args: Any, **kwargs: Any) -> list[Any] | None:
        """Return a page; a cursor that somebody made up is no page, whatever it decodes to."""
        try:
            return super().paginate_queryset(*args, **kwargs)
        except (ValueError, ValidationError, DataError) as error:
            raise exceptions.NotFound(_("There is no such page.")) from error


class OldestFirst(CursorPagination):
    """In the order in which they were made."""

    ordering = "id"


class LongPages(CursorPagination):
    """Pages as long as those want who take rows into a file."""

    max_page_size = 1000


class ByExpiry(CursorPagination):
    """The soonest to expire first."""

    ordering: Any = ("expires_at", "id")


class ByCode(CursorPagination):
    """By code, for short lists that people keep in order."""

    ordering = "code"
