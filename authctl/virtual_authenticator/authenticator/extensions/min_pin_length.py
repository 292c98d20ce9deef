"""minPinLength (CTAP 2.1 §12.4): tells the relying party how short a PIN may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authctl.virtual_authenticator.authenticator.extensions.interface import NOTHING, Output

if TYPE_CHECKING:
    from authctl.virtual_authenticator.authenticator.extensions.interface import Operation
    from authctl.virtual_authenticator.credential_store.extension_state import ExtensionState


class MinPinLength:
    """Every relying party may know it here; a real authenticator has a list of those that may."""

    identifier = "minPinLength"

    def make(self, value: Any, operation: Operation) -> Output:
        """Says the length."""
        return Output(operation.authenticator.profile.min_pin_length) if value is True else NOTHING

    def get(self, value: Any, state: ExtensionState, operation: Operation) -> Output:
        """Has no input in an assertion."""
        return NOTHING
