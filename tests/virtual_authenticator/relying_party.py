"""A relying party for tests: makes options and has two independent libraries judge the answers."""

from __future__ import annotations

import json
from typing import Any

import webauthn
from fido2.attestation.base import Attestation
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    UserVerificationRequirement,
)
from webauthn.helpers import base64url_to_bytes, options_to_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    PublicKeyCredentialDescriptor,
)

ORIGIN = "http://localhost:8000"
RP_ID = "localhost"
HANDLE = b"user-handle-of-jane"


def creation_options(**changes: Any) -> dict[str, Any]:
    """Creation options as a server sends them; a change of None leaves the member out."""
    options = {
        "challenge": "Y2hhbGxlbmdlLWNoYWxsZW5nZS1jaGFsbGVuZ2UtISE",
        "rp": {"id": RP_ID, "name": "Test"},
        "user": {"id": "dXNlci1oYW5kbGUtb2YtamFuZQ", "name": "jane@example.com", "displayName": "Jane Doe"},
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        "authenticatorSelection": {"residentKey": "preferred", "userVerification": "required"},
        "attestation": "none",
        "timeout": 60000,
        "excludeCredentials": [],
        **changes,
    }
    return {name: value for name, value in options.items() if value is not None}


def request_options(*credential_ids: str, **changes: Any) -> dict[str, Any]:
    """Request options as a server sends them."""
    options = {
        "challenge": "Y2hhbGxlbmdlLWNoYWxsZW5nZS1jaGFsbGVuZ2UtISE",
        "rpId": RP_ID,
        "allowCredentials": [{"type": "public-key", "id": credential_id} for credential_id in credential_ids],
        "userVerification": "required",
        "timeout": 60000,
        **changes,
    }
    return {name: value for name, value in options.items() if value is not None}


class PyWebauthn:
    """The library `webauthn` as relying party."""

    def __init__(
        self, algorithm: int, *, roots: dict[Any, list[bytes]] | None = None, requires_user_verification: bool = True
    ) -> None:
        self._algorithm = COSEAlgorithmIdentifier(algorithm)
        self._roots = roots
        self._requires_user_verification = requires_user_verification
        self._credential: Any = None
        self._challenge = b""

    def registration_options(self, attestation: str) -> str:
        options = webauthn.generate_registration_options(
            rp_id=RP_ID,
            rp_name="Test",
            user_name="jane@example.com",
            user_id=HANDLE,
            attestation=AttestationConveyancePreference(attestation),
            supported_pub_key_algs=[self._algorithm],
        )
        self._challenge = options.challenge
        return options_to_json(options)

    def verify_registration(self, response: dict[str, Any]) -> str:
        self._credential = webauthn.verify_registration_response(
            credential=json.dumps(response),
            expected_challenge=self._challenge,
            expected_rp_id=RP_ID,
            expected_origin=ORIGIN,
            require_user_verification=self._requires_user_verification,
            supported_pub_key_algs=[self._algorithm],
            pem_root_certs_bytes_by_fmt=self._roots,
        )
        return str(getattr(self._credential.fmt, "value", self._credential.fmt))

    def request_options(self) -> str:
        descriptor = PublicKeyCredentialDescriptor(id=self._credential.credential_id)
        options = webauthn.generate_authentication_options(rp_id=RP_ID, allow_credentials=[descriptor])
        self._challenge = options.challenge
        return options_to_json(options)

    def verify_authentication(self, response: dict[str, Any]) -> int:
        verified = webauthn.verify_authentication_response(
            credential=json.dumps(response),
            expected_challenge=self._challenge,
            expected_rp_id=RP_ID,
            expected_origin=ORIGIN,
            credential_public_key=self._credential.credential_public_key,
            credential_current_sign_count=self._credential.sign_count,
            require_user_verification=self._requires_user_verification,
        )
        return verified.new_sign_count


class PythonFido2:
    """The server of `fido2` as relying party."""

    def __init__(self, algorithm: int) -> None:
        self._server = Fido2Server(PublicKeyCredentialRpEntity(id=RP_ID, name="Test"), verify_origin=ORIGIN.__eq__)
        kind = PublicKeyCredentialType.PUBLIC_KEY
        self._server.allowed_algorithms = [PublicKeyCredentialParameters(type=kind, alg=algorithm)]
        self._state: Any = None
        self._credentials: list[AttestedCredentialData] = []

    def registration_options(self, attestation: str) -> dict[str, Any]:
        self._server.attestation = attestation  # type: ignore[assignment]  # accepts the text form
        user = PublicKeyCredentialUserEntity(id=HANDLE, name="jane@example.com", display_name="Jane Doe")
        options, self._state = self._server.register_begin(user, user_verification=UserVerificationRequirement.REQUIRED)
        return dict(options)

    def verify_registration(self, response: dict[str, Any], *, is_attested: bool = False) -> str:
        data = self._server.register_complete(self._state, RegistrationResponse.from_dict(response))
        assert data.credential_data is not None
        self._credentials = [data.credential_data]
        parsed = RegistrationResponse.from_dict(response).response
        made = parsed.attestation_object
        if is_attested:
            Attestation.for_type(made.fmt)().verify(made.att_stmt, made.auth_data, parsed.client_data.hash)
        return str(made.fmt)

    def request_options(self) -> dict[str, Any]:
        options, self._state = self._server.authenticate_begin(
            self._credentials, user_verification=UserVerificationRequirement.REQUIRED
        )
        return dict(options)

    def verify_authentication(self, response: dict[str, Any]) -> int:
        parsed = AuthenticationResponse.from_dict(response)
        self._server.authenticate_complete(self._state, self._credentials, parsed)
        return parsed.response.authenticator_data.counter


def raw(response: dict[str, Any], name: str) -> bytes:
    """The bytes of one member of a response."""
    return base64url_to_bytes(response["response"][name])
