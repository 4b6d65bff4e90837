"""Rows of the kernel: remembered answers and messages still to deliver."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class IdempotencyRecord(models.Model):
    """The answer that a caller got for a key, kept so that a retry gets the same bytes.

    Invariants:
        Written in the transaction of the effects it answers for; so none is ever without an answer.
        At most one per (principal, key).
    """

    principal = models.CharField(_("caller"), max_length=64)
    key = models.CharField(_("key"), max_length=128)
    route = models.CharField(_("request"), max_length=200)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(_("status"))
    content_type = models.CharField(_("content type"), max_length=64)
    body = models.BinaryField()
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"), db_index=True)

    class Meta:
        verbose_name = _("remembered answer")
        verbose_name_plural = _("remembered answers")
        constraints = [
            models.UniqueConstraint(
                name="idempotency_once_per_principal_and_key", fields=["principal", "key"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"


class OutboxMessage(models.Model):
    """Something to tell the outside, written with the facts and delivered later, at least once.

    Invariants:
        `state` decides what is delivered next, never the id: rows may commit out of order.
        At most one per (topic, key): a flow that runs twice tells once.
    """

    class State(models.TextChoices):
        NEW = "new", _("To deliver")
        SENT = "sent", _("Delivered")
        DEAD = "dead", _("Given up")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    topic = models.CharField(_("topic"), max_length=64)
    key = models.CharField(_("about"), max_length=128)
    payload = models.JSONField(_("content"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.NEW)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    available_at = models.DateTimeField(_("due"))
    created_at = models.DateTimeField(_("created"))
    sent_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("outbox message")
        verbose_name_plural = _("outbox messages")
        constraints = [
            models.UniqueConstraint(name="outbox_once_per_topic_and_key", fields=["topic", "key"])
        ]
        indexes = [
            models.Index(name="outbox_due", fields=["available_at"], condition=Q(state="new"))
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"


class InboxReceipt(models.Model):
    """Proof that a consumer has had a message, so that a second delivery does nothing."""

    consumer = models.CharField(max_length=64)
    message_id = models.UUIDField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="inbox_once_per_consumer_and_message", fields=["consumer", "message_id"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.consumer} {self.message_id}"
