"""Chromium's protocol, here through Playwright: every flag of a passkey goes in and comes out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import CDPSession, Page

AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def add_authenticator(page: Page, *, large_blob: bool = False, prf: bool = False) -> tuple[CDPSession, str]:
    """An authenticator in the page's browser: the session that speaks of it, and its id."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {**AUTHENTICATOR, "hasLargeBlob": large_blob, "hasPrf": prf}
    added = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, added["authenticatorId"]


def put_passkeys(session: CDPSession, authenticator: str, exported: Path) -> None:
    """What `authctl passkeys export ID --chromium --unencrypted-for-tests --output FILE` wrote."""
    for members in json.loads(exported.read_text())["credentials"]:
        session.send("WebAuthn.addCredential", {"authenticatorId": authenticator, "credential": members})


def take_passkeys(session: CDPSession, authenticator: str, path: Path) -> None:
    """For `authctl passkeys import FILE`, which wants a file that nobody else can read."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(session.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})))
