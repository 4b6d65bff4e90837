"""Which kinds of caller a view is for; nobody unless the view says so."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from shop.kernel.principals import Kind, Principal


class DenyByDefault(BasePermission):
    """Refuse everybody: a view that forgets to declare its callers is closed."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False


class Callers(BasePermission):
    """Let in the declared kinds of caller, each with the scope it needs, if it needs one.

    Use `callers(Kind.TILL, Kind.STAFF, scope="orders:write")` in `permission_classes`.
    """

    kinds: frozenset[Kind] = frozenset()
    scope: str = ""

    def has_permission(self, request: Request, view: Any) -> bool:
        principal = request.user
        if not isinstance(principal, Principal) or principal.kind not in self.kinds:
            return False
        if principal.kind is Kind.MEMBER:
            return True  # a member acts only on what is theirs; scope() sees to that
        return not self.scope or self.scope in principal.scopes


def callers(*kinds: Kind, scope: str = "") -> type[Callers]:
    """Return the permission class that admits these kinds of caller holding `scope`, if any."""
    return type("CallersOf", (Callers,), {"kinds": frozenset(kinds), "scope": scope})
