"""hmac-secret (CTAP 2.1 §12.5): a secret of the credential that a client turns salts into keys with.

hmac-secret-mc (CTAP 2.2) does so when the credential is made already.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.authenticator.extensions.interface import NOTHING, Output
from authctl.virtual_authenticator.errors import OptionsInvalid

if TYPE_CHECKING:
    from authctl.virtual_authenticator.authenticator.extensions.interface import Operation
    from authctl.virtual_authenticator.authenticator.pin_protocol import SharedSecret
    from authctl.virtual_authenticator.credential_store.extension_state import ExtensionState

SALT_BYTES: Final = 32


class Salts:
    """One or two salts on their way to the authenticator, under the secret that it shares with the client."""

    def __init__(self, secret: SharedSecret, encrypted: bytes, code: bytes) -> None:
        self.secret = secret
        self.encrypted = encrypted
        self.code = code

    def opened(self) -> list[bytes]:
        """The salts; OptionsInvalid when the code or their length is wrong."""
        if not hmac.compare_digest(self.secret.authenticate(self.encrypted), self.code):
            raise OptionsInvalid("The salts of hmac-secret were not sent by who shares the secret")
        plain = self.secret.decrypt(self.encrypted)
        if len(plain) not in (SALT_BYTES, 2 * SALT_BYTES):
            raise OptionsInvalid("hmac-secret takes one or two salts of 32 bytes")
        return [plain[at : at + SALT_BYTES] for at in range(0, len(plain), SALT_BYTES)]


def evaluated(secret: bytes, salts: list[bytes]) -> bytes:
    """HMAC-SHA-256 of each salt under the credential's secret, one after the other."""
    return b"".join(hmac.digest(secret, salt, "sha256") for salt in salts)


class HmacSecret:
    """Two secrets for each credential: one for verified users, one for the others."""

    identifier = "hmac-secret"

    def make(self, value: Any, operation: Operation) -> Output:
        """Makes the secrets."""
        if value is not True:
            return NOTHING
        random = operation.authenticator.random
        return Output(True, {"hmac_secrets": (random.take(32), random.take(32))})

    def get(self, value: Any, state: ExtensionState, operation: Operation) -> Output:
        """Answers the salts, encrypted as they came."""
        return _answered(value, state, operation)


class HmacSecretAtCreation:
    """Uses the secrets that hmac-secret has just made for the new credential."""

    identifier = "hmac-secret-mc"

    def make(self, value: Any, operation: Operation) -> Output:
        """Answers the salts; without hmac-secret beside it there are no secrets, and no answer."""
        return _answered(value, operation.state, operation)

    def get(self, value: Any, state: ExtensionState, operation: Operation) -> Output:
        """Has no part in logins."""
        return NOTHING


def _answered(value: Any, state: ExtensionState, operation: Operation) -> Output:
    if not isinstance(value, Salts) or state.hmac_secrets is None:
        return NOTHING
    with_verification, without = state.hmac_secrets
    secret = with_verification if operation.is_user_verified else without
    return Output(value.secret.encrypt(evaluated(secret, value.opened()), operation.authenticator.random))
