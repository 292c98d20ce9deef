"""Chromium's virtual authenticator, with a person at it who touches it only when the test says so."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Command(Protocol):
    """Sends a command of the DevTools Protocol."""

    def __call__(self, command: str, **members: Any) -> dict[str, Any]:
        """What the browser answers."""
        ...


OPTIONS = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": False,
    "defaultBackupEligibility": True,
    "defaultBackupState": True,
}
_AUTOFILL_WAITS = """(async () => {
  const pause = time => new Promise(done => setTimeout(done, time));
  while (document.body?.dataset.autofill === "asking") await pause(10);
  if (document.body?.dataset.autofill !== "waiting") return;
  await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable();
  await pause(100);
})()"""
"""The second question goes the way of the first and behind it: its answer shows that the browser has both. How long it
takes from there to the authenticator cannot be asked."""


class Authenticator:
    """A platform authenticator with synced passkeys, until something else is asked for.

    Nobody touches it at first. A request that comes while nobody does waits for ever, also after somebody has come; so
    the waiting request of passkey autofill stays without an answer, and a prompt is answered when it opens inside
    `touched`.
    """

    def __init__(self, cdp: Command, **options: Any) -> None:
        self._cdp = cdp
        self.id = ""
        self.replace(**options)

    @contextmanager
    def touched(self) -> Iterator[None]:
        """A person is there who answers what is asked meanwhile, but not what autofill is about to ask."""
        self._cdp("Runtime.evaluate", expression=_AUTOFILL_WAITS, awaitPromise=True)
        self._present(is_there=True)
        try:
            yield
        finally:
            self._present(is_there=False)

    def verifies(self, *, is_user: bool) -> None:
        """Whether the person is recognised."""
        self._cdp("WebAuthn.setUserVerified", authenticatorId=self.id, isUserVerified=is_user)

    def passkeys(self) -> list[dict[str, Any]]:
        """What it keeps."""
        kept: list[dict[str, Any]] = self._cdp("WebAuthn.getCredentials", authenticatorId=self.id)["credentials"]
        return kept

    def put(self, credential: dict[str, Any]) -> None:
        """Puts a passkey in."""
        self._cdp("WebAuthn.addCredential", authenticatorId=self.id, credential=credential)

    def forget(self) -> None:
        """Throws every passkey away."""
        self._cdp("WebAuthn.clearCredentials", authenticatorId=self.id)

    def replace(self, **options: Any) -> None:
        """Another device, empty, in the place of this one."""
        self.remove()
        self.id = self._cdp("WebAuthn.addVirtualAuthenticator", options={**OPTIONS, **options})["authenticatorId"]

    def remove(self) -> None:
        """Leaves the machine without one."""
        if self.id:
            self._cdp("WebAuthn.removeVirtualAuthenticator", authenticatorId=self.id)
            self.id = ""

    def _present(self, *, is_there: bool) -> None:
        if self.id:
            self._cdp("WebAuthn.setAutomaticPresenceSimulation", authenticatorId=self.id, enabled=is_there)
