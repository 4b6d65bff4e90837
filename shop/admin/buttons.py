"""Buttons of the back office: each asks first, then calls one flow and tells what it did."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from shop.kernel.errors import DomainError

Text = str | Promise
Run = Callable[[Any, HttpRequest, Any, dict[str, Any]], Text | HttpResponse]
DIALOG = "unfold/helpers/dialog.html"


@dataclass(frozen=True, kw_only=True, slots=True)
class Button:
    """What a button asks, and who may press it when.

    The permission is Django's code; besides, the row must be the person's to change (unless the
    button is `for_readers` too), and `when` must hold for it to be offered. Flows check once more:
    two people may press at the same time.
    """

    label: Text
    question: Text
    permission: str
    form: type[BaseDialogForm] = BaseDialogForm
    when: Callable[[Any], bool] = lambda row: True
    for_readers: bool = False

    def is_allowed(self, page: Any, request: HttpRequest, row: Any) -> bool:
        """Tell whether this person may press it on this row at all."""
        has_permission: bool = request.user.has_perm(self.permission)
        return has_permission and (self.for_readers or page.may_write(request, row))

    def is_offered(self, page: Any, request: HttpRequest, row: Any) -> bool:
        """Tell whether to show it."""
        return self.is_allowed(page, request, row) and self.when(row)

    def dialog(
        self, request: HttpRequest, form: BaseDialogForm, *, status: int = 200
    ) -> HttpResponse:
        """Return the question with its form."""
        context = {
            "dialog": {"title": self.label, "description": self.question},
            "form": form,
            "form_submit_text": self.label,
        }
        return render(request, DIALOG, context, status=status)


def button(
    asks: Button, *, icon: str, variant: ActionVariant = ActionVariant.DEFAULT
) -> Callable[[Run], Callable[..., HttpResponse]]:
    """Make a method of a page a button on the page of a row.

    The method gets the request, the row and the cleaned answers, calls one flow, and returns what
    to tell (or a response of its own). A refusal of the flow is told as an error.
    """

    def decorate(run: Run) -> Callable[..., HttpResponse]:
        @wraps(run)
        def view(page: Any, request: HttpRequest, object_id: str) -> HttpResponse:
            row = page.get_object(request, object_id)
            if row is None:
                raise Http404
            if not asks.is_allowed(page, request, row):
                raise PermissionDenied
            form = asks.form(data=request.POST or None, request=request, object_id=object_id)
            if request.method != "POST" or not form.is_valid():
                return asks.dialog(request, form)
            said = tell(request, lambda: run(page, request, row, form.cleaned_data))
            return said or back(request, address(page, row))

        return _described(view, asks, icon=icon, variant=variant)

    return decorate


def list_button(
    asks: Button, *, icon: str, variant: ActionVariant = ActionVariant.DEFAULT
) -> Callable[[Run], Callable[..., HttpResponse]]:
    """Make a method of a page a button above its list; it gets no row."""

    def decorate(run: Run) -> Callable[..., HttpResponse]:
        @wraps(run)
        def view(page: Any, request: HttpRequest) -> HttpResponse:
            if not asks.is_allowed(page, request, None):
                raise PermissionDenied
            form = asks.form(data=request.POST or None, request=request)
            if request.method != "POST" or not form.is_valid():
                return asks.dialog(request, form)
            said = tell(request, lambda: run(page, request, None, form.cleaned_data))
            return said or back(request, address(page))

        return _described(view, asks, icon=icon, variant=variant)

    return decorate


def tell(request: HttpRequest, run: Callable[[], Text | HttpResponse]) -> HttpResponse | None:
    """Run a flow and tell its outcome; return only a response of its own."""
    try:
        said = run()
    except DomainError as error:
        messages.error(request, explain(error))
        return None
    if isinstance(said, HttpResponse):
        return said
    messages.success(request, str(said))
    return None


def explain(error: DomainError) -> str:
    """Return a refusal as one text: what, and why as far as the flow says."""
    reasons = [error.title, error.detail, *(e["detail"] for e in error.members.get("errors", []))]
    return " ".join(str(reason) for reason in reasons if reason)


def address(page: Any, row: Any = None) -> str:
    """Return where a page lists its rows, or shows one."""
    name = f"admin:{page.model._meta.app_label}_{page.model._meta.model_name}"
    if row is None:
        return reverse(f"{name}_changelist")
    return reverse(f"{name}_change", args=[row.pk])


def back(request: HttpRequest, url: str) -> HttpResponse:
    """Go to a page, out of a dialog too: that one is loaded in place, and would stay."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)


def _described(
    view: Callable[..., HttpResponse], asks: Button, *, icon: str, variant: ActionVariant
) -> Callable[..., HttpResponse]:
    """Say on the view what unfold draws a button from."""
    marks = {
        "button": asks,
        "short_description": asks.label,
        "icon": icon,
        "variant": variant,
        "attrs": {},
        "dialog": {"title": asks.label, "description": asks.question},
    }
    for name, value in marks.items():
        setattr(view, name, value)
    return view
