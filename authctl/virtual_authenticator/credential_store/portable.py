"""Passkeys on their way to another program: exported files, plain or under a passphrase, and what may be imported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.credential_store import file_format, sealed
from authctl.virtual_authenticator.credential_store.chromium import from_browser, to_browser
from authctl.virtual_authenticator.credential_store.state import State
from authctl.virtual_authenticator.errors import PassphraseWrong, StoreDamaged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from authctl.virtual_authenticator.credential_store.chromium import BrowserForm
    from authctl.virtual_authenticator.credential_store.interface import Credential

BROWSER_FORMAT: Final = "authctl-browser-credentials"
BROWSER_VERSION: Final = 1
_MARK: Final = "test-only"
_BROWSER_NOTE: Final = (
    "Private keys in plain text. For tests: nothing of value may depend on these passkeys. "
    "Each of `credentials` is what a browser's virtual authenticator takes."
)


def export_own(credentials: Sequence[Credential]) -> dict[str, Any]:
    """A file of passkeys with these and no others."""
    state = State({credential.credential_id: credential for credential in credentials})
    document: dict[str, Any] = json.loads(file_format.dump(state))
    return document


def export_for_browser(credentials: Sequence[Credential], form: BrowserForm) -> dict[str, Any]:
    """A document whose `credentials` a browser's virtual authenticator takes one by one."""
    return {
        "format": BROWSER_FORMAT,
        "version": BROWSER_VERSION,
        "mark": _MARK,
        "note": _BROWSER_NOTE,
        "for": form.value,
        "credentials": [to_browser(credential, form) for credential in credentials],
    }


def read(content: bytes, now: datetime, passphrase: str | None = None) -> list[Credential]:
    """The passkeys of an export, of a file of passkeys, or of what a browser's virtual authenticator answered.

    StoreDamaged for anything else, PassphraseWrong where a passphrase is missing or another one was used.
    """
    document = _json(content)
    if isinstance(document, dict) and document.get("format") == sealed.FORMAT:
        if passphrase is None:
            raise PassphraseWrong(
                "The passkeys are encrypted", hint="Name a file with the passphrase: --passphrase-file FILE"
            )
        content = sealed.unseal(document, passphrase)
        document = _json(content)
    if isinstance(document, dict) and document.get("format") not in (None, BROWSER_FORMAT):
        return list(file_format.parse(content).credentials.values())
    return [from_browser(entry, now) for entry in _browser_entries(document)]


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise StoreDamaged("The file is not JSON") from None


def _browser_entries(document: Any) -> list[dict[str, Any]]:
    if isinstance(document, dict) and document.get("format") == BROWSER_FORMAT:
        version = document.get("version")
        if version != BROWSER_VERSION:
            hint = "Update authctl" if isinstance(version, int) and version > BROWSER_VERSION else None
            raise StoreDamaged(f"Credentials for browsers of version {version!r} are not known here", hint=hint)
    if isinstance(document, dict):
        # One credential, or the answer of WebAuthn.getCredentials.
        document = [document] if "privateKey" in document else document.get("credentials")
    if not isinstance(document, list) or not all(isinstance(entry, dict) for entry in document):
        raise StoreDamaged("The file holds no passkeys that are known here")
    return document
