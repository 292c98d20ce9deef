"""Selenium: passkeys of authctl's into Chromium, and Chromium's out of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from selenium import webdriver
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

if TYPE_CHECKING:
    from pathlib import Path


def open_chromium() -> webdriver.Chrome:
    """Chromium without a window, with an authenticator in it."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    authenticator = VirtualAuthenticatorOptions(
        transport=VirtualAuthenticatorOptions.Transport.INTERNAL,
        has_resident_key=True,
        has_user_verification=True,
        is_user_verified=True,
    )
    driver.add_virtual_authenticator(authenticator)
    return driver


def put_passkeys(driver: webdriver.Chrome, exported: Path) -> None:
    """What `authctl passkeys export ID --webdriver --unencrypted-for-tests --output FILE` wrote."""
    for members in json.loads(exported.read_text())["credentials"]:
        # Selenium's own class leaves out names and backup flags, which a server holds against the passkey.
        driver.execute("addCredential", {**members, "authenticatorId": driver.virtual_authenticator_id})


def take_passkeys(driver: webdriver.Chrome, path: Path) -> None:
    """For `authctl passkeys import FILE`, which wants a file that nobody else can read."""
    answer = driver.execute("getCredentials", {"authenticatorId": driver.virtual_authenticator_id})
    path.touch(mode=0o600)
    path.write_text(json.dumps(answer["value"]))
