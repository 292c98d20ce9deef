"""Every error that authctl raises on purpose: a slug for machines, a sentence to show, a way out, private debug text.

The classes know neither HTTP status nor exit number; each edge has one table for that.
"""

from __future__ import annotations

from typing import ClassVar


class AuthctlError(Exception):
    """The root of the family.

    detail  one sentence that may be shown to anyone
    hint    the way out, for a person at a terminal
    debug   private text for the operational log, never shown
    """

    slug: ClassVar[str] = "error"
    default_detail: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str | None = None, *, hint: str | None = None, debug: str | None = None) -> None:
        self.detail = detail or self.default_detail
        self.hint = hint
        self.debug = debug
        super().__init__(self.detail)


# What the caller said.


class UsageError(AuthctlError):
    """The command or option is not usable as given."""

    slug = "usage"
    default_detail = "That cannot be understood"


class SettingsError(AuthctlError):
    """Wrong, weak or contradictory settings; `problems` lists all of them, one sentence each."""

    slug = "settings"
    default_detail = "The settings are not usable"

    def __init__(self, problems: tuple[str, ...], *, hint: str | None = None) -> None:
        self.problems = problems
        super().__init__("; ".join(problems), hint=hint)


class MalformedBody(AuthctlError):
    """The body is not the JSON that was asked for."""

    slug = "malformed-body"
    default_detail = "The request body is not valid JSON"


class InvalidRequest(AuthctlError):
    """The body is JSON of the wrong shape; `errors` are pairs of field and message."""

    slug = "invalid-request"
    default_detail = "The request is not valid"

    def __init__(self, errors: tuple[tuple[str, str], ...] = (), detail: str | None = None) -> None:
        self.errors = errors
        super().__init__(detail)


class BadRequest(AuthctlError):
    """The HTTP message itself is not acceptable."""

    slug = "bad-request"
    default_detail = "The request is not acceptable"


class BodyTooLarge(AuthctlError):
    """The body is larger than the limit."""

    slug = "body-too-large"
    default_detail = "The request body is too large"


class HeadersTooLarge(AuthctlError):
    """The header section is larger than the limit."""

    slug = "headers-too-large"
    default_detail = "The request header is too large"


class RequestTimeout(AuthctlError):
    """The client took too long to send its request."""

    slug = "request-timeout"
    default_detail = "The request did not arrive in time"


class UnsupportedMediaType(AuthctlError):
    """The body has another content type than application/json."""

    slug = "unsupported-media-type"
    default_detail = "The content type has to be application/json"


class RouteNotFound(AuthctlError):
    """No route has this path."""

    slug = "not-found"
    default_detail = "Not found"


class MethodNotAllowed(AuthctlError):
    """The route exists with other methods, named in `allowed`."""

    slug = "method-not-allowed"
    default_detail = "Method not allowed"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        super().__init__()


class RateLimited(AuthctlError):
    """Too many requests; `retry_after` is in whole seconds."""

    slug = "rate-limited"
    default_detail = "Too many requests"

    def __init__(self, retry_after: int, *, debug: str | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(debug=debug)


# What a ceremony or a token did not prove. The caller learns one thing, the audit trail everything.


class CeremonyFailed(AuthctlError):
    """A ceremony that is refused; `reason` is for the audit trail only."""

    slug = "ceremony-failed"

    def __init__(self, reason: str, *, debug: str | None = None) -> None:
        self.reason = reason
        super().__init__(debug=debug)


class RegistrationFailed(CeremonyFailed):
    """The generic failure of a registration."""

    slug = "registration-failed"
    default_detail = "Registration failed"


class LoginFailed(CeremonyFailed):
    """The generic failure of a login."""

    slug = "login-failed"
    default_detail = "Invalid credentials"


class NotAuthenticated(AuthctlError):
    """No token came with the request."""

    slug = "not-authenticated"
    default_detail = "Not authenticated"


class TokenRejected(AuthctlError):
    """A token that is malformed, expired, revoked or not ours; `reason` is for the audit trail only."""

    slug = "token-rejected"
    default_detail = "Could not validate credentials"

    def __init__(self, reason: str, *, debug: str | None = None) -> None:
        self.reason = reason
        super().__init__(debug=debug)


class AccessDenied(AuthctlError):
    """The caller is known and may not do this."""

    slug = "access-denied"
    default_detail = "You don't have permission to access this resource"


class LoginTooOld(AuthctlError):
    """The token is good, and its login too long ago for what was asked (RFC 9470)."""

    slug = "login-too-old"
    default_detail = "Log in again to do this"


# What is there, or not.


class NotFound(AuthctlError):
    """The thing that was named does not exist."""

    slug = "not-found"
    default_detail = "Not found"


class Conflict(AuthctlError):
    """The thing exists, and its state does not allow what was asked."""

    slug = "conflict"
    default_detail = "The current state does not allow that"


class LastCredential(Conflict):
    """Without this credential nobody could log in to the account."""

    slug = "last-credential"
    default_detail = "This is the only passkey of the account and cannot be removed"


class TooManyCredentials(Conflict):
    """The account has as many credentials as it may have."""

    slug = "too-many-credentials"
    default_detail = "The account has as many passkeys as it may have; remove one first"


class Refused(AuthctlError):
    """authctl will not do this, for a reason that the hint names a way around, if there is one."""

    slug = "refused"
    default_detail = "Refused"


# What the machine did.


class StorageError(AuthctlError):
    """The database cannot be used."""

    slug = "storage"
    default_detail = "The database cannot be used"


class StorageUnavailable(StorageError):
    """The database is locked, full, read-only or away: the same call may succeed later."""

    slug = "storage-unavailable"
    default_detail = "The service is temporarily unavailable"


class StorageDamaged(StorageError):
    """The database file is corrupt, foreign, empty or of another instance: nothing was touched."""

    slug = "storage-damaged"
    default_detail = "The database is damaged or belongs to something else"


class StorageMissing(StorageError):
    """There is no database where one was expected."""

    slug = "storage-missing"
    default_detail = "There is no database here"


class SchemaMismatch(StorageError):
    """The tables are of another version than this program."""

    slug = "schema-mismatch"
    default_detail = "The database has another schema version"


class AlreadyExists(StorageError):
    """A uniqueness rule of the database was about to be broken; `constraint` names what (table.column)."""

    slug = "already-exists"
    default_detail = "That exists already"

    def __init__(self, constraint: str, *, debug: str | None = None) -> None:
        self.constraint = constraint
        super().__init__(debug=debug)


class AuditUnavailable(StorageUnavailable):
    """The audit trail cannot be written, so nothing may happen."""

    slug = "audit-unavailable"


class TrailAltered(AuthctlError):
    """The audit trail does not verify."""

    slug = "trail-altered"
    default_detail = "The audit trail was altered"


class TrailTruncated(AuthctlError):
    """The audit trail has lost its end."""

    slug = "trail-truncated"
    default_detail = "The audit trail is truncated"


class ServerUnreachable(AuthctlError):
    """Nothing answers at the address."""

    slug = "server-unreachable"
    default_detail = "The server cannot be reached"


class AuthenticatorError(AuthctlError):
    """The virtual authenticator, its client or its file refuses; the slug of a subclass says which rule."""

    slug = "authenticator"
    default_detail = "The authenticator refuses"
