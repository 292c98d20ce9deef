"""One ceremony, made once and judged by three libraries that share no code with the authenticator or each other."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import webauthn
from cryptography.exceptions import InvalidSignature
from fido2.attestation.base import Attestation, InvalidData, UnsupportedType
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    RegistrationResponse,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AttestationFormat

from authctl.virtual_authenticator import PLATFORM, Client, VirtualAuthenticator
from authctl.virtual_authenticator.attestation.formats import format_named
from authctl.virtual_authenticator.authenticator.keys import algorithm_named
from authctl.virtual_authenticator.base64url import decode
from tests.targets.programs import node_command, node_project
from tests.virtual_authenticator.relying_party import ORIGIN, RP_ID, creation_options, request_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CHALLENGE = creation_options()["challenge"]
NODE_PROGRAM = Path(__file__).with_name("simplewebauthn_verifier.mjs")
UNCERTIFIED = ("none", "packed")


@dataclass(frozen=True)
class Ceremony:
    """A registration and a login after it, with what a relying party knows when it verifies them."""

    algorithm: int
    attestation: str
    registration: dict[str, Any]
    login: dict[str, Any]
    root: bytes
    is_verified: bool = True

    @property
    def format(self) -> str:
        return format_named(self.attestation).identifier

    @property
    def roots(self) -> list[bytes]:
        return [] if self.attestation in UNCERTIFIED else [self.root]


@cache
def ceremony(algorithm: str, attestation: str) -> Ceremony:
    """With one algorithm and one format on a platform authenticator; a U2F attestation is of no model."""
    aaguid = bytes(16) if attestation == "fido-u2f" else PLATFORM.aaguid
    number = algorithm_named(algorithm).identifier
    profile = replace(PLATFORM, algorithms=(number,), attestation_formats=(attestation,), aaguid=aaguid)
    return performed(VirtualAuthenticator(profile), number, attestation)


def performed(authenticator: VirtualAuthenticator, algorithm: int, attestation: str) -> Ceremony:
    """A registration and a login; an authenticator that cannot verify its user is asked for presence alone."""
    is_verified = authenticator.profile.can_verify_user
    wanted = "required" if is_verified else "discouraged"
    client = Client(authenticator, ORIGIN)
    options = creation_options(
        pubKeyCredParams=[{"type": "public-key", "alg": algorithm}],
        attestation="none" if attestation == "none" else "direct",
        authenticatorSelection={"userVerification": wanted},
    )
    registration = client.create(options, attestation=attestation)
    login = client.get(request_options(registration["id"], userVerification=wanted))
    root = authenticator.authority.root_pem()
    return Ceremony(algorithm, attestation, registration, login, root, is_verified)


Verdict = tuple[str, str]
"""Why a library refuses the registration, and why it refuses the login; empty where it accepts."""


def judged_by_webauthn(made: Ceremony) -> Verdict:
    """The verdict of `webauthn`."""
    expected: dict[str, Any] = {
        "expected_challenge": decode(CHALLENGE),
        "expected_rp_id": RP_ID,
        "expected_origin": ORIGIN,
        "require_user_verification": made.is_verified,
    }
    credential: list[Any] = []

    def register() -> None:
        algorithm = COSEAlgorithmIdentifier(made.algorithm)
        roots = {AttestationFormat(made.format): made.roots} if made.roots else None
        found = webauthn.verify_registration_response(
            credential=json.dumps(made.registration),
            supported_pub_key_algs=[algorithm],
            pem_root_certs_bytes_by_fmt=roots,
            **expected,
        )
        credential.append(found)

    def log_in() -> None:
        webauthn.verify_authentication_response(
            credential=json.dumps(made.login),
            credential_public_key=credential[0].credential_public_key,
            credential_current_sign_count=credential[0].sign_count,
            **expected,
        )

    return _verdict(register, log_in)


def judged_by_fido2(made: Ceremony) -> Verdict:
    """The verdict of the server of `fido2`, and of its statement verifiers, which it leaves to whoever asks."""
    server = Fido2Server(PublicKeyCredentialRpEntity(id=RP_ID, name="Test"), verify_origin=ORIGIN.__eq__)
    kind = PublicKeyCredentialType.PUBLIC_KEY
    server.allowed_algorithms = [PublicKeyCredentialParameters(type=kind, alg=made.algorithm)]
    state = {"challenge": CHALLENGE, "user_verification": "required" if made.is_verified else "discouraged"}
    credentials: list[AttestedCredentialData] = []

    def register() -> None:
        response = RegistrationResponse.from_dict(made.registration)
        data = server.register_complete(state, response)
        stated = response.response.attestation_object
        Attestation.for_type(stated.fmt)().verify(stated.att_stmt, stated.auth_data, response.response.client_data.hash)
        if data.credential_data is not None:
            credentials.append(data.credential_data)

    def log_in() -> None:
        server.authenticate_complete(state, credentials, AuthenticationResponse.from_dict(made.login))

    return _verdict(register, log_in)


def _verdict(register: Callable[[], None], log_in: Callable[[], None]) -> Verdict:
    refused = _refusal(register)
    return (refused, "") if refused else ("", _refusal(log_in))


def _refusal(verify: Callable[[], None]) -> str:
    try:
        verify()
    except (
        ValueError,
        NotImplementedError,
        WebAuthnException,
        InvalidSignature,
        InvalidData,
        UnsupportedType,
    ) as error:
        return str(error) or type(error).__name__
    return ""


def judged_by_simplewebauthn(ceremonies: Sequence[Ceremony]) -> list[Verdict]:
    """The verdicts of @simplewebauthn/server, all of them by one process of Node."""
    lines = [
        json.dumps(
            {
                "algorithm": made.algorithm,
                "challenge": CHALLENGE,
                "format": made.format,
                "login": made.login,
                "origin": ORIGIN,
                "registration": made.registration,
                "roots": [root.decode() for root in made.roots],
                "rpId": RP_ID,
                "verification": made.is_verified,
            }
        )
        for made in ceremonies
    ]
    ended = subprocess.run(
        node_command(str(NODE_PROGRAM)),
        cwd=node_project("simplewebauthn"),
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    verdicts = [tuple(json.loads(line)) for line in ended.stdout.splitlines()]
    if len(verdicts) != len(ceremonies):
        raise RuntimeError(ended.stderr)
    return verdicts
