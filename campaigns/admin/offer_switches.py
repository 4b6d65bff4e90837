"""The buttons that switch an offer: on, off, over to another person, for good."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from campaigns import definitions
from campaigns.admin import history, preview
from campaigns.models.offers import OfferTerms
from shop.admin.buttons import Button, Text, address, back, button
from shop.admin.pages import Page
from shop.models import Staff

Status = OfferTerms.Status


def person_of(request: HttpRequest) -> Staff:
    """Return who is signed in."""
    return cast(Staff, request.user)


def _switched_on(row: Any) -> Text:
    """Return what to tell of an offer that was just approved or activated."""
    if row.status == Status.PAUSED:
        return _("“%(name)s” is ready: its phase switches it on.") % {"name": row.name}
    return _("“%(name)s” is active.") % {"name": row.name}


class OfferSwitches(Page):
    """A page of offers with the buttons that its rows allow."""

    actions_detail = ["activate", "submit", "approve", "reject", "pause", "end", "duplicate"]

    @button(
        Button(
            label=_("Activate"),
            question=_("From now on it is given and used as this offer says."),
            permission="campaigns.change_coupondefinition",
            when=lambda row: row.status in {Status.DRAFT, Status.PAUSED},
        ),
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    def activate(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> Text:
        """Switch an offer on."""
        before = row.status
        try:
            definitions.activate(row, now=timezone.now())
        except definitions.ApprovalNeeded as refusal:
            worst = refusal.members["combinations"][0]
            raise definitions.ApprovalNeeded(preview.told(worst), **refusal.members) from refusal
        history.note_move(self, request, row, before=before)
        return _switched_on(row)

    @button(
        Button(
            label=_("Submit"),
            question=_("Another person is asked to approve it as it is now."),
            permission="campaigns.change_coupondefinition",
            when=lambda row: row.status in {Status.DRAFT, Status.PAUSED},
        ),
        icon="send",
    )
    def submit(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> Text:
        """Ask another person to approve an offer."""
        before = row.status
        definitions.submit(row, by=person_of(request))
        history.note_move(self, request, row, before=before)
        return _("“%(name)s” waits for approval.") % {"name": row.name}

    @button(
        Button(
            label=_("Approve"),
            question=_(
                "You answer for it together with who submitted it: that it runs, and that it may"
                " sell below a floor price as far as the check on this page shows."
            ),
            permission="campaigns.change_coupondefinition",
            when=lambda row: row.status == Status.SUBMITTED,
        ),
        icon="verified",
        variant=ActionVariant.PRIMARY,
    )
    def approve(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> Text:
        """Agree to what another person submitted, and switch it on."""
        before = row.status
        definitions.approve(row, by=person_of(request), now=timezone.now())
        history.note_move(self, request, row, before=before)
        return _switched_on(row)

    @button(
        Button(
            label=_("Reject"),
            question=_("It becomes a draft again."),
            permission="campaigns.change_coupondefinition",
            when=lambda row: row.status == Status.SUBMITTED,
        ),
        icon="block",
        variant=ActionVariant.WARNING,
    )
    def reject(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> Text:
        """Give an offer back to who submitted it."""
        before = row.status
        definitions.reject(row)
        history.note_move(self, request, row, before=before)
        return _("“%(name)s” is a draft again.") % {"name": row.name}

    @button(
        Button(
            label=_("Duplicate"),
            question=_("A draft that gives the same is made; change it as you like."),
            permission="campaigns.change_coupondefinition",
        ),
        icon="content_copy",
    )
    def duplicate(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> Any:
        """Make a draft that gives the same."""
        copy = definitions.duplicate(row)
        self.log_addition(request, copy, [{"added": {}}])
        messages.success(request, _("“%(code)s” is a copy.") % {"code": copy.code})
        return back(request, address(self, copy))

    @button(
        Button(
            label=_("Pause"),
            question=_("Nothing is given or used until it is activated again."),
            permission="campaigns.change_coupondefinition",
            when=lambda row: row.status == Status.ACTIVE,
        ),
        icon="pause",
        variant=ActionVariant.WARNING,
    )
    def pause(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> Text:
        """Switch an offer off for a while."""
        before = row.status
        definitions.pause(row)
        history.note_move(self, request, row, before=before)
        return _("“%(name)s” is paused.") % {"name": row.name}

    @button(
        Button(
            label=_("End"),
            question=_("It is over for good. Coupons that people hold stay theirs to use."),
            permission="campaigns.change_coupondefinition",
            when=lambda row: row.status in {Status.ACTIVE, Status.PAUSED},
        ),
        icon="stop",
        variant=ActionVariant.DANGER,
    )
    def end(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> Text:
        """Switch an offer off for good."""
        before = row.status
        definitions.end(row)
        history.note_move(self, request, row, before=before)
        return _("“%(name)s” has ended.") % {"name": row.name}
