"""A store in a private file that several processes may use at once (R-CL-05)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from authctl.virtual_authenticator.credential_store import file_format
from authctl.virtual_authenticator.credential_store.private_files import exclusive, read_private, replace_private
from authctl.virtual_authenticator.credential_store.state import State
from authctl.virtual_authenticator.errors import StoreDamaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from authctl.virtual_authenticator.authenticator.counters import CounterPolicy
    from authctl.virtual_authenticator.credential_store.interface import Credential, Imported

_T = TypeVar("_T")


class FileStore:
    """A CredentialStore in a file of mode 0600, which appears with the first change.

    Every change is one locked read-modify-write and on the disk when it returns, so a counter is stored before the
    signature that it counts leaves. All methods raise StoreUnusable or a subclass of it.
    """

    def __init__(self, path: Path | str, *, lock_seconds: float = 10.0) -> None:
        self.path = Path(path)
        self._lock_seconds = lock_seconds

    def __repr__(self) -> str:
        return f"<FileStore {self.path}>"

    def add(self, credential: Credential) -> None:
        """Keeps a new credential in place of what it replaces."""
        self._change(lambda state: state.add(credential))

    def add_all(self, credentials: Iterable[Credential]) -> None:
        """Keeps many new credentials with one change."""

        def change(state: State) -> None:
            for credential in credentials:
                state.add(credential)

        self._change(change)

    def take_in(self, credentials: Sequence[Credential]) -> list[Imported]:
        """Keeps credentials from elsewhere, all or none; of those that are there the higher count counts."""
        return self._change(lambda state: state.take_in(credentials))

    def candidates(self, rp_id: str, credential_ids: Sequence[bytes] | None) -> list[Credential]:
        """The credentials of the RP id among those ids, or its discoverable ones."""
        return self._read().candidates(rp_id, credential_ids)

    def count_signature(self, credential_id: bytes, policy: CounterPolicy | None = None) -> int | None:
        """Moves the counter on the disk; None when there is no such credential."""
        return self._change(lambda state: state.count_signature(credential_id, policy))

    def keep_large_blob(self, credential_id: bytes, blob: bytes) -> bool:
        """Keeps the blob with the credential on the disk; False when that is gone."""
        return self._change(lambda state: state.keep_large_blob(credential_id, blob))

    def shared_count(self) -> int:
        """The counter that all credentials share."""
        return self._read().shared_count

    def all(self) -> list[Credential]:
        """Every credential, newest first."""
        return self._read().newest_first()

    def remove(self, credential_id: bytes) -> bool:
        """Forgets a credential; False when there was none."""
        return self._change(lambda state: state.credentials.pop(credential_id, None) is not None)

    def _read(self) -> State:
        content = read_private(self.path)
        return State() if content is None else self._parse(content)

    def _change(self, change: Callable[[State], _T]) -> _T:
        with exclusive(self.path, initial=file_format.dump(State()), seconds=self._lock_seconds):
            state = self._read()
            before = file_format.dump(state)
            result = change(state)
            after = file_format.dump(state)
            if after != before:
                replace_private(self.path, after)
        return result

    def _parse(self, content: bytes) -> State:
        try:
            return file_format.parse(content)
        except StoreDamaged as error:
            hint = error.hint or f"Restore {self.path}, or move it away: a new one is made"
            raise StoreDamaged(f"{self.path}: {error.detail}", hint=hint, debug=error.debug) from error
