"""Lets the device of `soft-webauthn`, an independent implementation, answer a server's JSON options, for cross-checks.

The device never sets the user-verified flag, holds one credential, knows ES256 and attestation `none` only. What a
client does before it asks a device, such as looking at the lists of credentials, is done here.
"""

from __future__ import annotations

from dataclasses import asdict
from importlib import import_module
from typing import Any

from authctl.virtual_authenticator import base64url
from authctl.virtual_authenticator.client.options import OptionsInput, parse_creation_options, parse_request_options
from authctl.virtual_authenticator.errors import CredentialExcluded, NoCredential, NotSupported


class SoftDevice:
    """A SoftWebauthnDevice with the interface of Client; soft-webauthn is imported when one is made."""

    def __init__(self, origin: str) -> None:
        try:
            module = import_module("soft_webauthn")
        except ImportError as error:
            raise NotSupported("soft-webauthn is not installed", hint="`make test` installs it") from error
        self.origin = origin
        self.device = module.SoftWebauthnDevice()

    def create(self, options: OptionsInput) -> dict[str, Any]:
        """Registers: RegistrationResponseJSON, as far as the device fills it; what it held before is gone."""
        parsed = parse_creation_options(options)
        if self.device.credential_id in parsed.exclude:
            raise CredentialExcluded
        public_key = {
            "challenge": parsed.challenge,
            "rp": {"id": parsed.rp_id, "name": parsed.rp_name},
            "user": asdict(parsed.user),
            "pubKeyCredParams": [{"alg": algorithm, "type": "public-key"} for algorithm in parsed.algorithms],
            "attestation": "none",
        }
        try:
            return _json(self.device.create({"publicKey": public_key}, self.origin))
        except ValueError as error:
            raise NotSupported("soft-webauthn cannot do what is asked for", debug=str(error)) from error

    def get(self, options: OptionsInput) -> dict[str, Any]:
        """Logs in: AuthenticationResponseJSON, as far as the device fills it."""
        parsed = parse_request_options(options)
        if parsed.allow is not None and self.device.credential_id not in parsed.allow:
            raise NoCredential
        public_key = {"challenge": parsed.challenge, "rpId": parsed.rp_id}
        try:
            return _json(self.device.get({"publicKey": public_key}, self.origin))
        except ValueError as error:
            raise NoCredential("soft-webauthn has nothing for this RP id", debug=str(error)) from error


def _json(credential: dict[str, Any]) -> dict[str, Any]:
    identifier = base64url.encode(credential["rawId"])
    return {
        "id": identifier,
        "rawId": identifier,
        "type": credential["type"],
        "response": {name: base64url.encode(value) for name, value in credential["response"].items()},
        "clientExtensionResults": {},
    }
