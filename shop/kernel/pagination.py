"""Cursor pagination: stable under inserts, no COUNT over big tables."""

from rest_framework import pagination


class CursorPagination(pagination.CursorPagination):
    """Newest first by id; `?cursor=` comes from the `next` and `previous` links."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "page_size"
    ordering = "-id"


class ByCode(CursorPagination):
    """By code, for short lists that people keep in order."""

    ordering = "code"
