"""The one base class of every refusal."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A business refusal; the class is its documentation, the keywords are its data.

    `code` is part of the API: unique, kebab-case, never renamed. `title` is one sentence per code.
    Keyword arguments become members of the problem document.
    """

    code: ClassVar[str]
    title: ClassVar[str | Promise]
    status: ClassVar[int] = HTTPStatus.CONFLICT

    def __init__(self, detail: str | Promise = "", **members: Any) -> None:
        self.detail = detail
        self.members = members
        super().__init__(self.code, members)


class InvalidInput(DomainError):
    """The request is well-formed JSON, and one of its values cannot be used."""

    code = "invalid-input"
    title = _("The request has values that cannot be used.")
    status = HTTPStatus.BAD_REQUEST

    def __init__(self, pointer: str, detail: str | Promise, *, reason: str = "invalid") -> None:
        super().__init__(errors=[{"pointer": pointer, "detail": detail, "code": reason}])

    @classmethod
    def of_many(cls, refusals: Sequence[tuple[str, str | Promise, str]]) -> Self:
        """Return one error for several values, each as (pointer, detail, reason)."""
        errors = [cls(pointer, detail, reason=reason) for pointer, detail, reason in refusals]
        errors[0].members["errors"] = [e for error in errors for e in error.members["errors"]]
        return errors[0]


class NotFound(DomainError):
    """Nothing of that name exists, or it is not the caller's to see."""

    code = "not-found"
    title = _("There is nothing here under that name.")
    status = HTTPStatus.NOT_FOUND


class CodeTaken(DomainError):
    """Codes are unique, and something else has this one."""

    code = "code-taken"
    title = _("Something else has this code already.")


class PermissionDenied(DomainError):
    """The thing is visible to the caller, and the action is not theirs."""

    code = "permission-denied"
    title = _("You may not do this.")
    status = HTTPStatus.FORBIDDEN


class RateLimited(DomainError):
    """Too many attempts; `retry_after_seconds` says when to come back."""

    code = "rate-limited"
    title = _("Too many attempts; try again later.")
    status = HTTPStatus.TOO_MANY_REQUESTS
