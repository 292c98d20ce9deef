"""largeBlobKey (CTAP 2.1 §12.3): room for a blob beside a discoverable credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.authenticator.extensions.interface import NOTHING, Output

if TYPE_CHECKING:
    from authctl.virtual_authenticator.authenticator.extensions.interface import Operation
    from authctl.virtual_authenticator.credential_store.extension_state import ExtensionState

LARGEST_BLOB: Final = 4096


class LargeBlobKey:
    """The key itself never leaves: blobs go through VirtualAuthenticator.write_large_blob. Nothing of it is signed."""

    identifier = "largeBlobKey"

    def make(self, value: Any, operation: Operation) -> Output:
        """Reserves the room."""
        if value is not True or not operation.is_discoverable:
            return NOTHING
        return Output(state={"has_large_blob": True})

    def get(self, value: Any, state: ExtensionState, operation: Operation) -> Output:
        """Has no signed output."""
        return NOTHING
