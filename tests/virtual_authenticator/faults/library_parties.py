"""Servers in this process that leave everything to one library, to see what it lets through and that cases hold."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import webauthn
from cryptography.exceptions import InvalidSignature as CryptographySaysNo
from fido2.attestation.base import (
    AttestationVerifier,
    InvalidData,
    InvalidSignature,
    UnsupportedType,
    UntrustedAttestation,
)
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationConveyancePreference, AttestedCredentialData, PublicKeyCredentialRpEntity
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AttestationFormat

from authctl.virtual_authenticator.authenticator.keys import algorithm_named
from authctl.virtual_authenticator.faults.needs import CAPABILITIES
from authctl.virtual_authenticator.faults.stage import Lab
from authctl.virtual_authenticator.harness.accounts import Account
from authctl.virtual_authenticator.harness.relying_party import Reaction, Verdict
from authctl.virtual_authenticator.json_text import write
from authctl.virtual_authenticator.randomness import SystemRandom

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.attestation.authority import Authority
    from authctl.virtual_authenticator.faults.needs import Needs

ORIGIN: Final = "https://example.org"
RELATED: Final = "https://example.net"
RP_ID: Final = "example.org"
OFFERED: Final = (-7, -8, -257)
RANDOM: Final = SystemRandom()
FORMATS: Final = ("packed", "fido-u2f", "tpm", "android-key", "apple")
STATE: Final = frozenset(
    {"second-passkey", "another-registration", "accounts", "expiry", "delete-passkey", "disable-user", "delete-user"}
)
"""What libraries leave to who uses them."""

_numbers = count(1)


@dataclass
class LibraryVisit:
    """One person; a subclass asks its library."""

    party: LibraryParty
    account: Account
    challenge: bytes = b""
    handle: bytes = field(default_factory=lambda: RANDOM.take(32))
    credential: Any = None

    def begin_registration(self) -> Mapping[str, Any]:
        """Creation options."""
        self.challenge = RANDOM.take(32)
        return {
            "challenge": websafe_encode(self.challenge),
            "rp": {"id": RP_ID, "name": "Library"},
            "user": {"id": websafe_encode(self.handle), "name": self.account.email, "displayName": "Pat"},
            "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in self.party.offered],
            "authenticatorSelection": {"userVerification": self.party.verification},
            "attestation": "direct",
        }

    def begin_login(self, *, named: bool = True) -> Mapping[str, Any]:
        """Request options."""
        self.challenge = RANDOM.take(32)
        return {
            "challenge": websafe_encode(self.challenge),
            "rpId": RP_ID,
            "userVerification": self.party.verification,
            "allowCredentials": [{"type": "public-key", "id": self.known_id()}] if named and self.credential else [],
        }

    def finish_registration(self, credential: object) -> Reaction:
        """The library's reaction."""
        return self._react(self.register, credential)

    def finish_login(self, assertion: object) -> Reaction:
        """The library's reaction."""
        return self._react(self.authenticate, assertion)

    def branch(self, account: Account | None = None) -> LibraryVisit:
        """The same person."""
        return self

    def close(self) -> None:
        """Nothing is kept."""

    def known_id(self) -> str:
        """The id of the credential, as options have it."""
        raise AssertionError

    def register(self, text: str) -> None:
        """Has the library judge a registration."""
        raise AssertionError

    def authenticate(self, text: str) -> None:
        """Has the library judge an assertion."""
        raise AssertionError

    def _react(self, judge: Any, message: object) -> Reaction:
        try:
            judge(write(message))
        except self.party.refusals as error:
            return Reaction(Verdict.REFUSED, 400, type(error).__name__, 0.0, str(error))
        except Exception as error:
            return Reaction(Verdict.CRASHED, 500, type(error).__name__, 0.0, str(error))
        return Reaction(Verdict.ACCEPTED, 200, "", 0.0)


class LibraryParty:
    """A server on one library, set up as a case needs it."""

    origin = ORIGIN
    name: str
    refusals: tuple[type[Exception], ...]
    visitor: type[LibraryVisit]

    def __init__(self, needs: Needs, authority: Authority) -> None:
        self.needs = needs
        self.authority = authority
        own = algorithm_named(needs.algorithm).identifier
        self.offered = (own, *(number for number in OFFERED if number != own))
        self.verification = next(iter(sorted(needs.uv)), "preferred")

    def visit(self, account: Account | None = None) -> LibraryVisit:
        """Somebody new."""
        return self.visitor(self, account or Account(f"subject-{next(_numbers)}@example.org"))

    def close(self) -> None:
        """Nothing is kept."""

    def lab(self) -> Lab:
        """The library with all that can be configured."""
        return Lab(self, frozenset(CAPABILITIES) - STATE, related=RELATED, authority=self.authority)


class PyWebauthnVisit(LibraryVisit):
    """The library `webauthn`."""

    def known_id(self) -> str:
        return websafe_encode(self.credential.credential_id)

    def register(self, text: str) -> None:
        anchors = [] if "no-anchors" in self.party.needs.can else [self.party.authority.root_pem()]
        self.credential = webauthn.verify_registration_response(
            credential=text,
            expected_challenge=self.challenge,
            expected_rp_id=RP_ID,
            expected_origin=[ORIGIN, RELATED],
            require_user_presence="conditional-create" not in self.party.needs.can,
            require_user_verification=self.party.verification == "required",
            supported_pub_key_algs=list(self.party.offered),  # type: ignore[arg-type]
            pem_root_certs_bytes_by_fmt={AttestationFormat(name): anchors for name in FORMATS},
        )

    def authenticate(self, text: str) -> None:
        verified = webauthn.verify_authentication_response(
            credential=text,
            expected_challenge=self.challenge,
            expected_rp_id=RP_ID,
            expected_origin=[ORIGIN, RELATED],
            credential_public_key=self.credential.credential_public_key,
            credential_current_sign_count=self.credential.sign_count,
            require_user_verification=self.party.verification == "required",
        )
        self.credential.sign_count = verified.new_sign_count


class PyWebauthnParty(LibraryParty):
    """A server on `webauthn`."""

    name = "webauthn"
    refusals = (WebAuthnException,)
    visitor = PyWebauthnVisit


class _Verifier(AttestationVerifier):
    def __init__(self, root: bytes) -> None:
        super().__init__()
        self._root = root

    def ca_lookup(self, attestation_result: object, auth_data: object) -> bytes:
        return self._root


class Fido2Visit(LibraryVisit):
    """The server of `fido2`."""

    def known_id(self) -> str:
        return websafe_encode(self.credential.credential_id)

    def register(self, text: str) -> None:
        data = self._server().register_complete(self._state(), json.loads(text))
        assert data.credential_data is not None
        self.credential = AttestedCredentialData(data.credential_data)

    def authenticate(self, text: str) -> None:
        self._server().authenticate_complete(self._state(), [self.credential], json.loads(text))

    def _server(self) -> Fido2Server:
        needs = self.party.needs
        is_attested = needs.attestation is not None
        return Fido2Server(
            PublicKeyCredentialRpEntity(id=RP_ID, name="Library"),
            attestation=AttestationConveyancePreference.DIRECT if is_attested else None,
            verify_origin={ORIGIN, RELATED}.__contains__,
            verify_attestation=_Verifier(self.party.authority.root_der()),
        )

    def _state(self) -> dict[str, Any]:
        return {"challenge": websafe_encode(self.challenge), "user_verification": self.party.verification}


class Fido2Party(LibraryParty):
    """A server on `fido2`."""

    name = "fido2"
    refusals = (ValueError, CryptographySaysNo, InvalidData, InvalidSignature, UnsupportedType, UntrustedAttestation)
    visitor = Fido2Visit


PARTIES: Final = (PyWebauthnParty, Fido2Party)

__all__ = ["PARTIES", "Fido2Party", "PyWebauthnParty"]
