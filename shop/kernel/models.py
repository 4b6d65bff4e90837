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


class Version(models.Model):
    """The version of something that processes keep copies of; see `shop.kernel.versions`."""

    name = models.CharField(_("name"), max_length=32, primary_key=True)
    value = models.BigIntegerField(_("version"))

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")

    def __str__(self) -> str:
        return f"{self.name} {self.value}"


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


class InboundCallback(models.Model):
    """What another server told us, kept as it came before anything is done about it.

    Invariants:
        At most one per (provider, external_id): a notice that comes again does nothing.
    """

    provider = models.CharField(_("from"), max_length=16)
    external_id = models.CharField(_("their number"), max_length=128)
    event = models.CharField(_("event"), max_length=64, blank=True, default="")
    body = models.TextField(_("content"))
    received_at = models.DateTimeField(_("received"))

    class Meta:
        verbose_name = _("notice from outside")
        verbose_name_plural = _("notices from outside")
        constraints = [
            models.UniqueConstraint(
                name="inbound_callback_once", fields=["provider", "external_id"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.external_id}"


class Job(models.Model):
    """Long work that a worker does slice by slice, with its progress.

    Invariants:
        waiting → running → done, failed or cancelled. A slice and the progress it makes commit
        together, so a worker that dies leaves the job where the next one goes on.
        At most one per key: what is started twice is done once.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=64)
    key = models.CharField(_("key"), max_length=128, unique=True, null=True)
    params = models.JSONField(_("what to do"), default=dict)
    cursor = models.JSONField(_("where it stands"), default=dict)
    result = models.JSONField(_("result"), default=dict)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.WAITING)
    done = models.PositiveBigIntegerField(_("done"), default=0)
    total = models.PositiveBigIntegerField(_("of"), null=True)
    requested_by = models.CharField(_("asked by"), max_length=64)
    attempts = models.PositiveSmallIntegerField(_("failed attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=300, blank=True, default="")
    available_at = models.DateTimeField(_("due"))
    created_at = models.DateTimeField(_("created"))
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        constraints = [
            models.CheckConstraint(
                name="job_finished_has_a_time",
                condition=Q(state__in=["waiting", "running"], finished_at__isnull=True)
                | Q(state__in=["done", "failed", "cancelled"], finished_at__isnull=False),
            )
        ]
        indexes = [
            models.Index(
                name="job_due",
                fields=["available_at"],
                condition=Q(state__in=["waiting", "running"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.done}/{self.total or '?'}"

    @property
    def percent(self) -> int | None:
        """Return how far it is, 0 to 100; None while nobody knows how much there is to do."""
        if self.state == self.State.DONE:
            return 100
        if not self.total:
            return None
        return min(self.done * 100 // self.total, 100)
