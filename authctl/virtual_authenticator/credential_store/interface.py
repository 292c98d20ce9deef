"""What a credential is, and what every store of credentials promises."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from authctl.virtual_authenticator.credential_store.extension_state import NO_EXTENSIONS, ExtensionState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from authctl.virtual_authenticator.authenticator.counters import CounterPolicy
    from authctl.virtual_authenticator.authenticator.keys import CredentialKey


@dataclass(frozen=True, slots=True)
class Credential:
    """A public key credential source (WebAuthn Level 3 §4) with its counter, and what the client shows of it."""

    credential_id: bytes
    rp_id: str
    user_handle: bytes
    user_name: str
    user_display_name: str
    key: CredentialKey
    counter: CounterPolicy
    created_at: datetime
    sign_count: int = 0
    is_discoverable: bool = True
    is_backup_eligible: bool = False
    is_backed_up: bool = False
    attachment: str = "platform"
    transports: tuple[str, ...] = field(default=("internal",))
    extensions: ExtensionState = NO_EXTENSIONS

    def is_replaced_by(self, other: Credential) -> bool:
        """Whether storing the other drops this one: an authenticator holds one discoverable credential per account."""
        return (
            self.is_discoverable
            and other.is_discoverable
            and (self.rp_id, self.user_handle) == (other.rp_id, other.user_handle)
        )


class Imported(StrEnum):
    """What became of a passkey that was to be imported."""

    ADDED = "added"
    KNOWN = "already there"
    COUNTED = "already there, with a lower count"
    REPLACED = "added in place of this account's older one"


class CredentialStore(Protocol):
    """Keeps credentials and their counters. All lists are newest first."""

    def add(self, credential: Credential) -> None:
        """Keeps a new credential; one that `is_replaced_by` it goes."""
        ...

    def take_in(self, credentials: Sequence[Credential]) -> list[Imported]:
        """Keeps credentials that come from elsewhere; of those that are there the higher of both counts counts.

        All or none: StoreConflict when another credential has the id of one of them. Nothing that another process does
        comes in between.
        """
        ...

    def candidates(self, rp_id: str, credential_ids: Sequence[bytes] | None) -> list[Credential]:
        """The credentials of the RP id among those ids, or its discoverable ones when None is given."""
        ...

    def count_signature(self, credential_id: bytes, policy: CounterPolicy | None = None) -> int | None:
        """Moves the counter by the given or the credential's own policy and returns it once it is kept for good.

        None when there is no such credential any more.
        """
        ...

    def keep_large_blob(self, credential_id: bytes, blob: bytes) -> bool:
        """Keeps the blob with the credential; False when that is gone."""
        ...

    def shared_count(self) -> int:
        """The counter that all credentials share."""
        ...

    def all(self) -> list[Credential]:
        """Every credential."""
        ...

    def remove(self, credential_id: bytes) -> bool:
        """Forgets a credential; False when there was none."""
        ...
