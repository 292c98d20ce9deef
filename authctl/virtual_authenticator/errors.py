"""What the authenticator, its client, its file and the harness refuse with, one class per rule."""

from __future__ import annotations

from authctl.errors import (
    AuthctlError,
    AuthenticatorError,
    CeremonyFailed,
    ServerUnreachable,
    SettingsError,
    StorageError,
    UsageError,
)


class OptionsInvalid(AuthenticatorError):
    """The options of the server are not what the standard describes (TypeError in a browser)."""

    slug = "authenticator-options"
    default_detail = "The options of the server cannot be used"


class OriginNotAllowed(AuthenticatorError):
    """Origin and RP id do not belong together, or the origin is not secure (SecurityError in a browser)."""

    slug = "authenticator-security"
    default_detail = "The origin may not use this RP id"


class NotAllowed(AuthenticatorError):
    """No credential fits, or the user did not consent or could not be verified (NotAllowedError in a browser)."""

    slug = "authenticator-not-allowed"
    default_detail = "The authenticator has nothing to answer with"


class NoCredential(NotAllowed):
    """No credential is held that the server would take."""

    slug = "authenticator-no-credential"
    default_detail = "The authenticator has no passkey that fits"


class CredentialExcluded(AuthenticatorError):
    """The authenticator already holds a credential of the exclude list (InvalidStateError in a browser)."""

    slug = "authenticator-excluded"
    default_detail = "The authenticator already holds a passkey for this account"


class NotSupported(AuthenticatorError):
    """None of the algorithms or formats asked for is known (NotSupportedError in a browser)."""

    slug = "authenticator-not-supported"
    default_detail = "The authenticator knows none of the algorithms asked for"


class ConstraintNotMet(AuthenticatorError):
    """A resident key or user verification is demanded and cannot be given (ConstraintError in a browser)."""

    slug = "authenticator-constraint"
    default_detail = "The authenticator cannot do what the server demands"


class StoreUnusable(StorageError, AuthenticatorError):
    """The file of passkeys cannot be read, written or locked."""

    slug = "passkeys-unusable"
    default_detail = "The file of passkeys cannot be used"


class StoreNotPrivate(StoreUnusable):
    """The file of passkeys, or its directory, is open to others."""

    slug = "passkeys-not-private"
    default_detail = "The file of passkeys is open to others"


class StoreDamaged(StoreUnusable):
    """The file of passkeys is not one, or is of a newer version."""

    slug = "passkeys-damaged"
    default_detail = "The file of passkeys is damaged"


class PassphraseWrong(AuthenticatorError):
    """Encrypted passkeys, and no passphrase or another one; or somebody changed the file."""

    slug = "passkeys-passphrase"
    default_detail = "The passphrase is not that of the file, or the file was changed"


class StoreConflict(AuthenticatorError):
    """Another passkey with the same id is in the store."""

    slug = "passkeys-conflict"
    default_detail = "Another passkey with the same id is there already"


class CeremonyError(CeremonyFailed):
    """A ceremony against a server did not end as it should."""

    slug = "ceremony"
    default_detail = "The ceremony failed"

    def __init__(self, detail: str | None = None, *, hint: str | None = None, debug: str | None = None) -> None:
        AuthctlError.__init__(self, detail, hint=hint, debug=debug)
        self.reason = self.slug


class CeremonyRefused(CeremonyError):
    """The server answered and said no."""

    slug = "ceremony-refused"
    default_detail = "The server refused"


class UnexpectedAnswer(CeremonyError):
    """The server answered with something that is not of this interface: a page, a redirect, a crash, broken JSON."""

    slug = "unexpected-answer"
    default_detail = "The server's answer cannot be used"


class TooManyRequests(CeremonyRefused):
    """The server limits the rate, for longer than there is patience."""

    slug = "too-many-requests"
    default_detail = "The server answers 429: too many requests"


class ClientRefused(CeremonyError):
    """The client or the authenticator would not answer what the server asked, as a browser would not."""

    slug = "client-refused"
    default_detail = "The client refused what the server asked for"


class NoPasskey(ClientRefused):
    """The authenticator has no passkey that the server would take."""

    slug = "no-passkey"
    default_detail = "The authenticator has no passkey that fits"


class NothingListens(ServerUnreachable):
    """Nothing is there to connect to, which says nothing about a request that was never sent."""

    slug = "nothing-listens"


class MessageCutOff(ServerUnreachable):
    """The server closed the connection over a very large message, as it may (RFC 9110 §15.5.14)."""

    slug = "message-cut-off"


class ConnectionDropped(ServerUnreachable):
    """The server took the connection, or had it from before, and closed it without a proper answer."""

    slug = "connection-dropped"


class TimedOut(ServerUnreachable):
    """The server did not answer in time."""

    slug = "timed-out"


class RecipeInvalid(SettingsError):
    """A recipe that cannot be used; `problems` lists all that is wrong with it."""

    slug = "recipe"
    default_detail = "The recipe cannot be used"


class CannotTest(UsageError):
    """The server does not even accept a ceremony with nothing wrong, so that a refusal would show nothing."""

    slug = "cannot-test"
    default_detail = "The server cannot be tested"
