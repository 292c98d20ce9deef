"""credProtect (CTAP 2.1 §12.1): a credential that stays hidden without user verification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authctl.virtual_authenticator.authenticator.extensions.interface import NOTHING, Output
from authctl.virtual_authenticator.credential_store.extension_state import Protection

if TYPE_CHECKING:
    from authctl.virtual_authenticator.authenticator.extensions.interface import Operation
    from authctl.virtual_authenticator.credential_store.extension_state import ExtensionState


class CredProtect:
    """Levels 1 to 3; the level in force is the output."""

    identifier = "credProtect"

    def make(self, value: Any, operation: Operation) -> Output:
        """Keeps the level with the credential."""
        if not isinstance(value, int) or isinstance(value, bool) or value not in list(Protection):
            return NOTHING
        return Output(value, {"protection": Protection(value)})

    def get(self, value: Any, state: ExtensionState, operation: Operation) -> Output:
        """Has no input in an assertion: the level decides before, which credentials there are."""
        return NOTHING
