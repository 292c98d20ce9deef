"""A valid message taken apart, so that one thing of it can be changed before it is put together and signed again.

Each layer has a structured form and a bytes form; one given as finished bytes replaces what its parts would
make. From the outside in: envelope (`envelope`, `instead`), client data (`client`, `client_bytes`), attestation object
(`members`, `object_bytes`), attestation statement (`statement`), authenticator data (fields, `authenticator_bytes`),
attested credential data (`aaguid`, `credential_id`, `id_length`, `attested_bytes`), COSE key (`cose`, `cose_bytes`),
signature (`private`, `signature`).
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Self

import cbor2

from authctl.virtual_authenticator.authenticator.authenticator_data import AuthenticatorData, Flag
from authctl.virtual_authenticator.authenticator.cbor import Encodable, encode
from authctl.virtual_authenticator.base64url import decode
from authctl.virtual_authenticator.base64url import encode as text
from authctl.virtual_authenticator.client.rp_id import parse_origin
from authctl.virtual_authenticator.faults.public_copies import copies_of
from authctl.virtual_authenticator.faults.statement import ABSENT, Fixed, SelfStatement, Statement, without_absent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.authenticator.keys import CredentialKey

_AS_IT_IS: Final = object()


@dataclass
class Draft(ABC):
    """What both ceremonies have.

    envelope      the message as the client made it: what goes out beside the parts below
    options       what the server asked for
    private       the credential's key, which signs whatever the draft has become
    client        the members of the client data; `client_bytes` is the client data, finished
    signature     a finished signature; None means that the draft is signed when it is put together
    related       an origin that the server lists as related, if the harness knows one
    instead       what is sent in place of the whole message, once `send` has been called
    """

    envelope: dict[str, Any]
    options: Mapping[str, Any]
    private: CredentialKey
    client: dict[str, Any] = field(init=False)
    client_bytes: bytes | None = None
    signature: bytes | None = None
    rp_id_hash: bytes = b""
    flags: int = 0
    sign_count: int = 0
    attested_bytes: bytes = b""
    extensions: bytes = b""
    trailing: bytes = b""
    authenticator_bytes: bytes | None = None
    related: str = ""
    instead: object = _AS_IT_IS

    def __post_init__(self) -> None:
        self.client = json.loads(decode(self.envelope["response"]["clientDataJSON"]))

    @property
    def origin(self) -> str:
        """Where the client really is."""
        return str(self.client["origin"])

    @property
    def host(self) -> str:
        """The host of the origin."""
        return parse_origin(self.origin).host

    @property
    def response(self) -> dict[str, Any]:
        """The members of the envelope's response."""
        members: dict[str, Any] = self.envelope["response"]
        return members

    def client_json(self) -> bytes:
        """The client data's bytes."""
        if self.client_bytes is not None:
            return self.client_bytes
        return json.dumps(self.client, separators=(",", ":"), ensure_ascii=False).encode()

    def client_hash(self) -> bytes:
        """The hash of the client data."""
        return sha256(self.client_json()).digest()

    def authenticator_data(self) -> bytes:
        """The authenticator data's bytes."""
        if self.authenticator_bytes is not None:
            return self.authenticator_bytes
        return self.head() + self.attested() + self.extensions + self.trailing

    def head(self) -> bytes:
        """The first 37 bytes of the authenticator data."""
        return self.rp_id_hash + bytes([self.flags]) + self.sign_count.to_bytes(4, "big")

    def attested(self) -> bytes:
        """The attested credential data."""
        return self.attested_bytes

    def message(self) -> bytes:
        """What is signed: authenticator data and hash of the client data."""
        return self.authenticator_data() + self.client_hash()

    def sign(self) -> bytes:
        """The credential's signature over the draft as it is."""
        return self.private.sign(self.message())

    def seal(self) -> None:
        """Keeps the signature over the draft as it is, whatever is changed after this."""
        self.signature = self.sign()

    def announce(self, extensions: Encodable) -> None:
        """Extension outputs, with the flag that announces them."""
        self.flags |= Flag.ED
        self.extensions = encode(extensions)

    def send(self, document: object) -> None:
        """Sends something else in place of the whole message."""
        self.instead = document

    def document(self) -> Any:
        """The message as it goes out."""
        return self.put_together() if self.instead is _AS_IT_IS else self.instead

    @abstractmethod
    def put_together(self) -> dict[str, Any]:
        """The message, whole."""

    def respond(self, **members: object) -> None:
        """Sends the message with other members in its response; ABSENT leaves one out."""
        document = self.put_together()
        document["response"] = without_absent(document["response"] | members)
        self.send(document)

    def take_head(self, data: AuthenticatorData) -> None:
        """Takes the fields of valid authenticator data."""
        self.rp_id_hash, self.flags, self.sign_count = data.rp_id_hash, int(data.flags), data.sign_count


@dataclass
class RegistrationDraft(Draft):
    """A registration.

    cose       the members of the public key; `cose_bytes` is the key, finished
    valid_key  the key as the authenticator made it
    id_length  what the authenticator data says of the id's length, when that is not true
    statement  makes the attestation statement when the draft is put together
    members    of the attestation object, in place of those that the parts make; ABSENT leaves one out
    """

    aaguid: bytes = b""
    credential_id: bytes = b""
    id_length: int | None = None
    cose: dict[int, Any] = field(default_factory=dict)
    cose_bytes: bytes | None = None
    valid_key: bytes = b""
    statement: Statement = field(default_factory=lambda: Fixed("none", {}))
    members: dict[str, Any] = field(default_factory=dict)
    object_bytes: bytes | None = None

    @classmethod
    def of(cls, valid: dict[str, Any], options: Mapping[str, Any], private: CredentialKey) -> Self:
        """The draft that makes the valid message, but for the order of JSON members and the nonce of a signature."""
        members = cbor2.loads(decode(valid["response"]["attestationObject"]))
        data = AuthenticatorData(members["authData"])
        attested = data.attested
        if attested is None:
            raise ValueError("the registration has no attested credential data")
        draft = cls(valid, options, private, aaguid=attested.aaguid, credential_id=attested.credential_id)
        draft.cose, draft.valid_key = cbor2.loads(attested.public_key), attested.public_key
        draft.statement = SelfStatement() if members["fmt"] == "packed" else Fixed("none", {})
        draft.take_head(data)
        return draft

    def public_key(self) -> bytes:
        """The encoded COSE key."""
        return encode(self.cose) if self.cose_bytes is None else self.cose_bytes

    def attested(self) -> bytes:
        """AAGUID, length and id, and the key."""
        if self.attested_bytes:
            return self.attested_bytes
        length = len(self.credential_id) if self.id_length is None else self.id_length
        return self.aaguid + length.to_bytes(2, "big") + self.credential_id + self.public_key()

    def outer_members(self) -> dict[str, Any]:
        """The members of the attestation object as they go out."""
        made = {
            "fmt": self.statement.format,
            "attStmt": self.statement.members_for(self),
            "authData": self.authenticator_data(),
        }
        return without_absent(made | self.members)

    def attestation_object(self) -> bytes:
        """The attestation object's bytes."""
        return encode(self.outer_members()) if self.object_bytes is None else self.object_bytes

    def state(self, fmt: str, statement: dict[str, Any]) -> None:
        """A finished statement in place of the one that would be made."""
        self.statement = Fixed(fmt, statement)

    def rename(self, credential_id: bytes) -> None:
        """Another credential id, inside and outside of the authenticator data."""
        self.credential_id = credential_id
        self.envelope = {**self.envelope, "id": text(credential_id), "rawId": text(credential_id)}

    def put_together(self) -> dict[str, Any]:
        """RegistrationResponseJSON."""
        document = deepcopy(self.envelope)
        response = document["response"]
        response["clientDataJSON"] = text(self.client_json())
        response["attestationObject"] = text(self.attestation_object())
        # The copies that browsers add follow (§5.2.1.1); a key that they cannot read has none.
        if "authenticatorData" in response:
            response["authenticatorData"] = text(self.authenticator_data())
        if self.public_key() != self.valid_key:
            self._copy_key(response)
        return document

    def _copy_key(self, response: dict[str, Any]) -> None:
        algorithm, spki = copies_of(self.public_key())
        if algorithm is not None and "publicKeyAlgorithm" in response:
            response["publicKeyAlgorithm"] = algorithm
        if spki is None:
            response.pop("publicKey", None)
        elif "publicKey" in response:
            response["publicKey"] = text(spki)


@dataclass
class AssertionDraft(Draft):
    """An assertion."""

    @classmethod
    def of(cls, valid: dict[str, Any], options: Mapping[str, Any], private: CredentialKey) -> Self:
        """The draft that makes the valid message, but for the order of JSON members and the nonce of a signature."""
        draft = cls(valid, options, private)
        draft.take_head(AuthenticatorData(decode(valid["response"]["authenticatorData"])))
        return draft

    def put_together(self) -> dict[str, Any]:
        """AuthenticationResponseJSON."""
        document = deepcopy(self.envelope)
        response = document["response"]
        response["clientDataJSON"] = text(self.client_json())
        response["authenticatorData"] = text(self.authenticator_data())
        response["signature"] = text(self.sign() if self.signature is None else self.signature)
        return document


__all__ = ["ABSENT", "AssertionDraft", "Draft", "Flag", "RegistrationDraft", "encode", "text"]
