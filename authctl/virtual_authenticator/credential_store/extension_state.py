"""What extensions keep with a credential."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final


class Protection(IntEnum):
    """The levels of credProtect (CTAP 2.1 §12.1)."""

    OPTIONAL = 1
    OPTIONAL_WITH_ID = 2
    REQUIRED = 3


@dataclass(frozen=True, slots=True)
class ExtensionState:
    """The part of a credential that its extensions own.

    hmac_secrets    the keys of hmac-secret with and without user verification; None: it was not asked for
    has_large_blob  whether there is room for a blob
    large_blob      the blob, once one was written
    """

    protection: Protection = Protection.OPTIONAL
    hmac_secrets: tuple[bytes, bytes] | None = field(default=None, repr=False)
    has_large_blob: bool = False
    large_blob: bytes | None = field(default=None, repr=False)

    def is_hidden(self, *, is_named: bool, is_user_verified: bool) -> bool:
        """Whether an authenticator acts as if it had no such credential."""
        if is_user_verified or self.protection is Protection.OPTIONAL:
            return False
        return self.protection is Protection.REQUIRED or not is_named


NO_EXTENSIONS: Final = ExtensionState()
