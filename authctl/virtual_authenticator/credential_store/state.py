"""Everything a store holds, and the changes to it, shared by the stores in memory and on disk."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from authctl.virtual_authenticator import base64url
from authctl.virtual_authenticator.authenticator.counters import Counts
from authctl.virtual_authenticator.credential_store.interface import Imported
from authctl.virtual_authenticator.errors import StoreConflict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.virtual_authenticator.authenticator.counters import CounterPolicy
    from authctl.virtual_authenticator.credential_store.interface import Credential


@dataclass(slots=True)
class State:
    """Credentials by id, oldest first, and the counter they share."""

    credentials: dict[bytes, Credential] = field(default_factory=dict)
    shared_count: int = 0

    def add(self, credential: Credential) -> None:
        """Adds a credential in place of what it replaces."""
        for other in [known for known in self.credentials.values() if known.is_replaced_by(credential)]:
            del self.credentials[other.credential_id]
        self.credentials[credential.credential_id] = credential

    def take_in(self, credentials: Sequence[Credential]) -> list[Imported]:
        """What CredentialStore.take_in promises."""
        for credential in credentials:
            known = self.credentials.get(credential.credential_id)
            if known is not None and _identity(known) != _identity(credential):
                name = base64url.encode(credential.credential_id)
                raise StoreConflict(f"Another passkey with the id {name} is there already; nothing was taken in")
        return [self._take_in(credential) for credential in credentials]

    def _take_in(self, credential: Credential) -> Imported:
        known = self.credentials.get(credential.credential_id)
        if known is None:
            count = len(self.credentials)
            self.add(credential)
            return Imported.ADDED if len(self.credentials) > count else Imported.REPLACED
        if credential.sign_count <= known.sign_count:
            return Imported.KNOWN
        self.credentials[known.credential_id] = replace(known, sign_count=credential.sign_count)
        return Imported.COUNTED

    def candidates(self, rp_id: str, credential_ids: Sequence[bytes] | None) -> list[Credential]:
        """What CredentialStore.candidates promises."""
        if credential_ids is None:
            return [known for known in self.newest_first() if known.rp_id == rp_id and known.is_discoverable]
        credentials = self.credentials
        found = [credentials[wanted] for wanted in credential_ids if wanted in credentials]
        if len(found) > 1:
            found.sort(key=lambda credential: credential.created_at, reverse=True)
        return [credential for credential in found if credential.rp_id == rp_id]

    def count_signature(self, credential_id: bytes, policy: CounterPolicy | None) -> int | None:
        """What CredentialStore.count_signature promises, without the keeping."""
        credential = self.credentials.get(credential_id)
        if credential is None:
            return None
        counts = (policy or credential.counter).next(Counts(credential.sign_count, self.shared_count))
        if counts.own != credential.sign_count:
            self.credentials[credential_id] = replace(credential, sign_count=counts.own)
        self.shared_count = counts.shared
        return counts.own

    def keep_large_blob(self, credential_id: bytes, blob: bytes) -> bool:
        """What CredentialStore.keep_large_blob promises, without the keeping."""
        credential = self.credentials.get(credential_id)
        if credential is None:
            return False
        kept = replace(credential.extensions, large_blob=blob)
        self.credentials[credential_id] = replace(credential, extensions=kept)
        return True

    def newest_first(self) -> list[Credential]:
        """Every credential, the latest addition first."""
        return list(reversed(self.credentials.values()))


def _identity(credential: Credential) -> tuple[str, bytes]:
    return credential.rp_id, credential.key.public_spki()
