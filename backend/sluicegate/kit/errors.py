"""The one family of expected errors. Each edge renders them in its own dialect."""

from __future__ import annotations


class AppError(Exception):
    """An expected refusal: stable `code`, HTTP `status`, a `message` that is safe to show, the `field` at fault."""

    code = "error"
    status = 400

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(AppError):
    """A value that cannot be taken; names the field, the problem and the way out."""

    code = "invalid_input"
    status = 400

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


class NotFound(AppError):
    """No such thing, or none that the caller may see."""

    code = "not_found"
    status = 404

    def __init__(self, what: str, *, field: str | None = "id") -> None:
        super().__init__(f"There is no such {what}.", field=field)


class Conflict(AppError):
    """The change contradicts what is there, such as a name in use."""

    code = "conflict"
    status = 409


class StaleVersion(AppError):
    """Somebody else edited the same meanwhile; nothing was overwritten."""

    code = "stale_version"
    status = 409


class Unauthenticated(AppError):
    """Nobody is signed in, or the credential is no longer good."""

    code = "unauthenticated"
    status = 401


class Forbidden(AppError):
    """Signed in, but not allowed."""

    code = "forbidden"
    status = 403


class Later(AppError):
    """The same request may be taken once `retry_after` seconds have passed."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Throttled(Later):
    """Too many tries."""

    code = "throttled"
    status = 429


class Unavailable(Later):
    """Something that the server needs, such as its database, does not answer."""

    code = "unavailable"
    status = 503
