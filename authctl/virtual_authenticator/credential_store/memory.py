"""A store that lives as long as the process."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from authctl.virtual_authenticator.credential_store.state import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.virtual_authenticator.authenticator.counters import CounterPolicy
    from authctl.virtual_authenticator.credential_store.interface import Credential, Imported


class MemoryStore:
    """A CredentialStore in memory; threads may share it."""

    def __init__(self) -> None:
        self._state = State()
        self._lock = Lock()

    def add(self, credential: Credential) -> None:
        """Keeps a new credential in place of what it replaces."""
        with self._lock:
            self._state.add(credential)

    def take_in(self, credentials: Sequence[Credential]) -> list[Imported]:
        """Keeps credentials from elsewhere, all or none; of those that are there the higher count counts."""
        with self._lock:
            return self._state.take_in(credentials)

    def candidates(self, rp_id: str, credential_ids: Sequence[bytes] | None) -> list[Credential]:
        """The credentials of the RP id among those ids, or its discoverable ones."""
        with self._lock:
            return self._state.candidates(rp_id, credential_ids)

    def count_signature(self, credential_id: bytes, policy: CounterPolicy | None = None) -> int | None:
        """Moves the counter; None when there is no such credential."""
        with self._lock:
            return self._state.count_signature(credential_id, policy)

    def keep_large_blob(self, credential_id: bytes, blob: bytes) -> bool:
        """Keeps the blob with the credential; False when that is gone."""
        with self._lock:
            return self._state.keep_large_blob(credential_id, blob)

    def shared_count(self) -> int:
        """The counter that all credentials share."""
        return self._state.shared_count

    def all(self) -> list[Credential]:
        """Every credential, newest first."""
        with self._lock:
            return self._state.newest_first()

    def remove(self, credential_id: bytes) -> bool:
        """Forgets a credential; False when there was none."""
        with self._lock:
            return self._state.credentials.pop(credential_id, None) is not None
