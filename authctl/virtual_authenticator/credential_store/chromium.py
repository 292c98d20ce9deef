"""The form in which browsers' virtual authenticators give and take a credential: CDP, WebDriver and Playwright.

Chrome's DevTools Protocol (`WebAuthn.addCredential`) writes bytes as base64, WebDriver (WebAuthn Level 3 §11.7) the
same members with base64url. Playwright's own authenticator (`BrowserContext.credentials`) has fewer and other names.
Reading takes any of them.
"""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator import base64url
from authctl.virtual_authenticator.authenticator.counters import PER_CREDENTIAL
from authctl.virtual_authenticator.authenticator.keys import CredentialKey
from authctl.virtual_authenticator.credential_store.extension_state import NO_EXTENSIONS, ExtensionState
from authctl.virtual_authenticator.credential_store.interface import Credential
from authctl.virtual_authenticator.errors import StoreDamaged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime


SIGNED_BY_BROWSERS: Final = frozenset({"ES256", "ESP256", "EdDSA", "Ed25519", "RS256"})
"""Algorithms whose keys Chromium's virtual authenticator takes and signs with as the relying party expects."""


class BrowserForm(StrEnum):
    """For whom a credential is written."""

    CHROMIUM = "chromium"
    WEBDRIVER = "webdriver"
    PLAYWRIGHT = "playwright"


def obstacles(credential: Credential, form: BrowserForm) -> Iterator[str]:
    """What keeps the passkey from working there, a sentence each."""
    name = credential.key.algorithm.name
    if name not in (("ES256", "ESP256") if form is BrowserForm.PLAYWRIGHT else SIGNED_BY_BROWSERS):
        yield f"a browser's virtual authenticator does not sign with {name}: make the passkey with --algorithm ES256"
    if credential.extensions.hmac_secrets is not None:
        yield "values of the prf extension differ there: no form carries the secret behind them"
    if form is BrowserForm.PLAYWRIGHT and credential.is_backup_eligible:
        yield "Playwright never says that a passkey is backup eligible, as this one did: a server refuses it"


def to_browser(credential: Credential, form: BrowserForm = BrowserForm.CHROMIUM) -> dict[str, Any]:
    """What adds the credential to a browser's virtual authenticator. The private key is in it."""
    if form is BrowserForm.PLAYWRIGHT:
        return {
            "id": base64url.encode(credential.credential_id),
            "rpId": credential.rp_id,
            "userHandle": base64url.encode(credential.user_handle),
            "privateKey": base64url.encode(credential.key.to_pkcs8()),
            "publicKey": base64url.encode(credential.key.public_spki()),
            "signCount": credential.sign_count,
        }
    encode = _base64 if form is BrowserForm.CHROMIUM else base64url.encode
    blob = credential.extensions.large_blob
    return {
        "credentialId": encode(credential.credential_id),
        "isResidentCredential": credential.is_discoverable,
        "rpId": credential.rp_id,
        "privateKey": encode(credential.key.to_pkcs8()),
        "userHandle": encode(credential.user_handle),
        "signCount": credential.sign_count,
        "backupEligibility": credential.is_backup_eligible,
        "backupState": credential.is_backed_up,
        "userName": credential.user_name,
        "userDisplayName": credential.user_display_name,
        # An authenticator without room for blobs refuses the member, so it is there only with a blob.
        **({} if blob is None else {"largeBlob": encode(blob)}),
    }


def from_browser(members: Mapping[str, Any], now: datetime) -> Credential:
    """The credential that is written so; StoreDamaged when none is.

    What the form does not say is taken for what a browser's virtual authenticator does: a counter of its own.
    """
    if "credentialId" not in members:
        # Playwright's form: all of its credentials are discoverable.
        members = {**members, "credentialId": members.get("id"), "isResidentCredential": True}
    is_backed_up = _flag(members, "backupState")
    return Credential(
        credential_id=_bytes(members, "credentialId"),
        rp_id=_text(members, "rpId"),
        user_handle=_bytes(members, "userHandle", is_optional=True),
        user_name=_text(members, "userName", is_optional=True),
        user_display_name=_text(members, "userDisplayName", is_optional=True),
        key=CredentialKey.of_pkcs8(_bytes(members, "privateKey")),
        counter=PER_CREDENTIAL,
        created_at=now,
        sign_count=_count(members),
        is_discoverable=_flag(members, "isResidentCredential"),
        # What is backed up could be: some writers leave the second flag out.
        is_backup_eligible=_flag(members, "backupEligibility") or is_backed_up,
        is_backed_up=is_backed_up,
        extensions=_extensions(members),
    )


def _extensions(members: Mapping[str, Any]) -> ExtensionState:
    if members.get("largeBlob") is None:
        return NO_EXTENSIONS
    return ExtensionState(has_large_blob=True, large_blob=_bytes(members, "largeBlob", is_optional=True))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(members: Mapping[str, Any], name: str, *, is_optional: bool = False) -> bytes:
    text = _text(members, name, is_optional=is_optional)
    # The value is not quoted: it could be a key.
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise StoreDamaged(f"{name} of a browser's credential is neither base64 nor base64url") from None


def _text(members: Mapping[str, Any], name: str, *, is_optional: bool = False) -> str:
    value = members.get(name)
    if value is None and is_optional:
        return ""
    if not isinstance(value, str) or not (value or is_optional):
        raise StoreDamaged(f"{name} of a browser's credential is missing or no text")
    return value


def _flag(members: Mapping[str, Any], name: str) -> bool:
    value = members.get(name, False)
    if not isinstance(value, bool):
        raise StoreDamaged(f"{name} of a browser's credential is neither true nor false")
    return value


def _count(members: Mapping[str, Any]) -> int:
    value = members.get("signCount", 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 0xFFFFFFFF:
        raise StoreDamaged("signCount of a browser's credential is no count of 32 bits")
    return value
