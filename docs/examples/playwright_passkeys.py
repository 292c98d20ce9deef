"""Playwright: passkeys of authctl's into a browser context, and the context's out of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext


def put_passkeys(context: BrowserContext, exported: Path) -> None:
    """What `authctl passkeys export ID --playwright --unencrypted-for-tests --output FILE` wrote."""
    context.credentials.install()
    for members in json.loads(exported.read_text())["credentials"]:
        context.credentials.create(
            members["rpId"],
            id=members["id"],
            user_handle=members["userHandle"],
            private_key=members["privateKey"],
            public_key=members["publicKey"],
            sign_count=members["signCount"],
        )


def take_passkeys(context: BrowserContext, path: Path) -> None:
    """For `authctl passkeys import FILE`, which wants a file that nobody else can read."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(context.credentials.get()))
