"""What may be shown of a passkey, over HTTP and at the terminal alike: everything but its key and its address."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final

import orjson

from authctl.server.accounts.authenticators import authenticator_name

if TYPE_CHECKING:
    from authctl.server.storage.tables import WebauthnCredential

ALGORITHMS: Final = {-7: "ES256", -8: "EdDSA", -257: "RS256"}
"""Names of COSE algorithms (IANA); those that are offered, and a test holds them against that."""


def credential_document(credential: WebauthnCredential) -> dict[str, Any]:
    """The promised members and no other."""
    return {
        "id": credential.id,
        "credential_id": urlsafe_b64encode(credential.credential_id).rstrip(b"=").decode(),
        "name": credential.name,
        "created_at": credential.created_at,
        "last_used_at": credential.last_used_at,
        "aaguid": credential.aaguid,
        "authenticator": authenticator_name(credential.aaguid),
        "algorithm": ALGORITHMS.get(credential.algorithm, str(credential.algorithm)),
        "transports": orjson.loads(credential.transports),
        "backup_eligible": credential.backup_eligible,
        "backed_up": credential.backup_state,
    }
