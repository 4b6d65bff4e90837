"""What is wrong with a rule, said so that a form or an API client can point at the field."""

from collections.abc import Mapping


class InvalidRule(ValueError):
    """A rule that makes no sense, with the place and the kind of its first fault.

    `pointer` is a JSON pointer (RFC 6901) into the rule's JSON form, `reason` a kebab-case code.
    """

    def __init__(self, pointer: str, reason: str, detail: str) -> None:
        super().__init__(f"{pointer or '/'}: {detail}")
        self.pointer = pointer
        self.reason = reason
        self.detail = detail

    def below(self, parent: str) -> "InvalidRule":
        """Return the same fault as seen from further out."""
        return InvalidRule(parent + self.pointer, self.reason, self.detail)


def require(is_valid: object, field: str, reason: str, detail: str) -> None:
    """Raise InvalidRule at the field unless the condition holds."""
    if not is_valid:
        raise InvalidRule(f"/{field}", reason, detail)


def require_at_least(minimum: int, values: Mapping[str, int | None]) -> None:
    """Raise InvalidRule at the first value below the minimum; None is no value and passes."""
    for field, value in values.items():
        require(
            value is None or value >= minimum, field, "out-of-range", f"must be at least {minimum}"
        )


def require_share(field: str, basis_points: int) -> None:
    """Raise InvalidRule unless this is a share above 0 and up to 100 %, in basis points."""
    require(
        0 < basis_points <= 10_000, field, "out-of-range", "must be from 1 to 10000 basis points"
    )
