"""The numbers that providers give payments: each pays for one thing, whatever it is."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import psycopg
from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from shop.kernel.errors import DomainError

PAID_ONCE = "paid_number_once"
"""Among all that can be paid for; written by a trigger on every table of payments."""


class PaymentRefTaken(DomainError):
    """A provider's number names one payment, and this one was taken for another order before."""

    code = "payment-ref-taken"
    title = _("The provider's number of a payment was used for another order.")


@contextmanager
def each_once(refs: Collection[str | None], *, by: str = PAID_ONCE) -> Iterator[None]:
    """Turn the database's refusal of a payment's number into ours; any other refusal stays one.

    `by` is the unique constraint of the caller's own table of payments, which speaks first.

    Raises:
        PaymentRefTaken: the flow rolls back what was begun.
    """
    try:
        yield
    except IntegrityError as error:
        cause = error.__cause__
        if not isinstance(cause, psycopg.Error) or cause.diag.constraint_name not in {
            PAID_ONCE,
            by,
        }:
            raise
        raise PaymentRefTaken(provider_refs=[ref for ref in refs if ref]) from error
