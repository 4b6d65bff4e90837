"""Members: joining, signing in, being recognised at the till. The only module that writes them."""

import hmac
import secrets
from datetime import date, datetime, timedelta
from http import HTTPStatus
from uuid import UUID, uuid4

import phonenumbers
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shop.kernel import crypto, identifiers, locks
from shop.kernel.errors import DomainError, InvalidInput, NotFound, RateLimited
from shop.kernel.principals import Kind, Principal, scope
from shop.models import LoginCode, Member, MemberCode, MemberSession, Store

LOGIN_CODE_LIVES = timedelta(minutes=5)
LOGIN_CODE_TRIES = 5
LOGIN_CODES_PER_HOUR = 5
LOGIN_CODE_PAUSE = timedelta(seconds=30)
SESSION_LIVES = timedelta(days=30)
YEAR = timedelta(days=365)
MEMBER_CODE_LIVES = timedelta(seconds=30)
DEFAULT_REGION = "CN"


class MemberExists(DomainError):
    """Somebody with this phone is a member already."""

    code = "member-exists"
    title = _("This phone number belongs to a member already.")


class MemberNotActive(DomainError):
    """The membership is frozen or closed."""

    code = "member-not-active"
    title = _("This membership is frozen or closed.")


class BirthdayFixed(DomainError):
    """The birthday was changed within the last year; `changeable_at` says when it may be again."""

    code = "birthday-fixed"
    title = _("A birthday can be changed once a year.")


class LoginCodeWrong(DomainError):
    """The code is wrong, used up or too old; all look the same from outside."""

    code = "login-code-wrong"
    title = _("This code is not valid; ask for a new one.")
    status = HTTPStatus.UNAUTHORIZED


def parse_phone(text: str, *, pointer: str = "/phone") -> str:
    """Return a phone number in E.164 form; numbers without a country code are Chinese.

    Raises:
        InvalidInput: no such number can exist.

    >>> parse_phone("138 0013 8000")
    '+8613800138000'
    """
    try:
        number = phonenumbers.parse(text, DEFAULT_REGION)
    except phonenumbers.NumberParseException as error:
        raise InvalidInput(pointer, _("This is not a phone number."), reason="phone") from error
    if not phonenumbers.is_possible_number(number):
        raise InvalidInput(pointer, _("This is not a phone number."), reason="phone")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def register(
    *,
    phone: str,
    store: Store,
    now: datetime,
    name: str = "",
    birthday: date | None = None,
    joined_before: bool = False,
) -> Member:
    """Create a member with this E.164 phone.

    Raises:
        MemberExists: the phone is a living member's; two at once make one.
    """
    public_id = uuid4()
    member = Member(
        public_id=public_id,
        name=name,
        phone_sealed=crypto.encrypt(phone, context=f"member:{public_id}"),
        phone_hash=crypto.lookup_hash(phone),
        phone_last4=phone[-4:],
        birthday=birthday,
        store=store,
        joined_at=now,
        joined_before=joined_before,
    )
    try:
        with transaction.atomic():
            member.save(force_insert=True)
    except IntegrityError as error:
        raise MemberExists from error
    return member


def change_birthday(member: Member, *, birthday: date, now: datetime) -> None:
    """Set a member's birthday: the first time at will, then once a year.

    Raises:
        BirthdayFixed, MemberNotActive
        InvalidInput: a day that is yet to come.
    """
    ensure_active(member)
    if birthday > now.date():
        raise InvalidInput("/birthday", _("This day is yet to come."), reason="future")
    free = Q(birthday=None) | Q(birthday_changed_at=None) | Q(birthday_changed_at__lte=now - YEAR)
    changed = Member.objects.filter(free, pk=member.pk).update(
        birthday=birthday, birthday_changed_at=now
    )
    if changed != 1:
        member.refresh_from_db(fields=["birthday_changed_at"])
        changed_at = member.birthday_changed_at or now
        raise BirthdayFixed(changeable_at=(changed_at + YEAR).isoformat())


def get_active(public_id: UUID) -> Member:
    """Return an active member.

    Raises:
        NotFound, MemberNotActive
    """
    member = Member.objects.filter(public_id=public_id).first()
    if member is None:
        raise NotFound
    ensure_active(member)
    return member


def successor_of(public_id: UUID) -> UUID:
    """Return the id of the membership that another was merged into; of any other, its own."""
    merged = Member.objects.filter(public_id=public_id, merged_into__isnull=False)
    successor = merged.values_list("merged_into__public_id", flat=True).first()
    return successor or public_id


def find_visible(public_id: UUID, principal: Principal) -> Member:
    """Return a member whom this caller may see, whatever their status.

    Tills serve every member of the chain; staff see those who joined at their stores.

    Raises:
        NotFound
    """
    rows = Member.objects.select_related("store")
    if principal.kind is not Kind.TILL:
        rows = scope(rows, principal, store="store_id", member="id")
    member = rows.filter(public_id=public_id).first()
    if member is None:
        raise NotFound
    return member


def ensure_active(member: Member) -> None:
    """Check that the membership may be used.

    Raises:
        MemberNotActive
    """
    if member.status != Member.Status.ACTIVE:
        raise MemberNotActive(member=str(member.public_id), member_status=member.status)


def find_by_phone(phone: str) -> Member | None:
    """Return the living member with this E.164 phone."""
    return (
        Member.objects.filter(phone_hash=crypto.lookup_hash(phone))
        .exclude(status=Member.Status.CLOSED)
        .first()
    )


# --- signing in ----------------------------------------------------------------------------------


@transaction.atomic
def new_login_code(*, phone: str, now: datetime) -> str:
    """Return a fresh six-digit code for this phone; earlier codes stop working.

    Raises:
        RateLimited: asked again within 30 seconds, or more than five times in an hour.
    """
    phone_hash = crypto.lookup_hash(phone)
    locks.wait_for(f"login code for {phone_hash.hex()}")  # a burst is counted one by one
    codes = LoginCode.objects.filter(phone_hash=phone_hash)
    recent = list(
        codes.filter(created_at__gt=now - timedelta(hours=1))
        .order_by("-created_at")
        .values_list("created_at", flat=True)[:LOGIN_CODES_PER_HOUR]
    )
    if recent and now - recent[0] < LOGIN_CODE_PAUSE:
        wait = LOGIN_CODE_PAUSE - (now - recent[0])
        raise RateLimited(retry_after_seconds=int(wait.total_seconds()) + 1)
    if len(recent) == LOGIN_CODES_PER_HOUR:
        wait = timedelta(hours=1) - (now - recent[-1])
        raise RateLimited(retry_after_seconds=int(wait.total_seconds()) + 1)
    code = f"{secrets.randbelow(10**6):06d}"
    codes.filter(used_at=None, expires_at__gt=now).update(expires_at=now)
    LoginCode.objects.create(
        phone_hash=phone_hash,
        code_hash=_login_code_hash(phone, code),
        created_at=now,
        expires_at=now + LOGIN_CODE_LIVES,
    )
    return code


@transaction.atomic
def use_login_code(*, phone: str, code: str, now: datetime) -> bool:
    """Use up a code; return whether it was right. The fifth wrong try burns it.

    Returns instead of raising, so that the caller commits the counted try before refusing.
    """
    latest = (
        LoginCode.objects.select_for_update()
        .filter(phone_hash=crypto.lookup_hash(phone), used_at=None, expires_at__gt=now)
        .order_by("-created_at")
        .first()
    )
    if latest is None or latest.attempts >= LOGIN_CODE_TRIES:
        return False
    is_right = hmac.compare_digest(bytes(latest.code_hash), _login_code_hash(phone, code))
    latest.attempts += 1
    latest.used_at = now if is_right else None
    latest.save(update_fields=["attempts", "used_at"])
    return is_right


def _login_code_hash(phone: str, code: str) -> bytes:
    return crypto.lookup_hash(f"{phone}/{code}")


def start_session(member: Member, *, now: datetime) -> str:
    """Return a bearer token for this member; only the hash of its secret is kept."""
    public_id, secret = identifiers.new_secret("mt")
    MemberSession.objects.create(
        member=member,
        public_id=public_id,
        secret_hash=crypto.secret_hash(secret),
        created_at=now,
        expires_at=now + SESSION_LIVES,
    )
    return f"{public_id}_{secret}"


def end_session(session_id: int, *, now: datetime) -> None:
    """Make a token stop working."""
    MemberSession.objects.filter(id=session_id).update(revoked_at=now)


# --- at the till ---------------------------------------------------------------------------------


def new_member_code(member: Member, *, now: datetime) -> MemberCode:
    """Return what the member shows at the till: ten digits that live 30 seconds and work once.

    It starts with 9, so that no till mistakes it for a payment code (18 digits from 10 to 15).
    """
    return MemberCode.objects.create(
        code=f"9{secrets.randbelow(10**9):09d}",
        member=member,
        created_at=now,
        expires_at=now + MEMBER_CODE_LIVES,
    )


def use_member_code(code: str, *, now: datetime) -> int:
    """Use up a shown code and return the member's id.

    Raises:
        NotFound: unknown, used before or too old; the till cannot tell which.
    """
    used = MemberCode.objects.filter(code=code, used_at=None, expires_at__gt=now).update(
        used_at=now
    )
    if used != 1:
        raise NotFound
    return int(MemberCode.objects.values_list("member_id", flat=True).get(code=code))
