"""A valid message taken apart, so that one thing of it can be changed before it is put together and signed again.

Each layer has a structured form; a layer given as finished bytes replaces what its parts would make.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self

import cbor2

from authctl.virtual_authenticator import AuthenticatorData, Flag
from authctl.virtual_authenticator.authenticator.cbor import Encodable, Encoded, encode
from authctl.virtual_authenticator.base64url import decode
from authctl.virtual_authenticator.base64url import encode as text

if TYPE_CHECKING:
    from authctl.virtual_authenticator.authenticator.keys import CredentialKey


@dataclass
class Draft:
    """What both ceremonies have.

    envelope      the message as the client made it: what goes out beside the parts below
    client        the members of the client data
    client_bytes  the client data, finished
    private       the credential's key, which signs whatever the draft has become
    signature     a finished signature; None means that the draft is signed when it is put together
    """

    envelope: dict[str, Any]
    private: CredentialKey
    client: dict[str, Any] = field(init=False)
    client_bytes: bytes | None = None
    signature: bytes | None = None
    rp_id_hash: bytes = b""
    flags: int = 0
    sign_count: int = 0
    extensions: bytes = b""
    trailing: bytes = b""
    authenticator_bytes: bytes | None = None

    def __post_init__(self) -> None:
        self.client = json.loads(decode(self.envelope["response"]["clientDataJSON"]))

    def client_json(self) -> bytes:
        """The client data's bytes."""
        if self.client_bytes is not None:
            return self.client_bytes
        return json.dumps(self.client, separators=(",", ":"), ensure_ascii=False).encode()

    def authenticator_data(self) -> bytes:
        """The authenticator data's bytes."""
        if self.authenticator_bytes is not None:
            return self.authenticator_bytes
        return self._head() + self._attested() + self.extensions + self.trailing

    def sign(self) -> bytes:
        """The credential's signature over the draft as it is."""
        return self.private.sign(self.authenticator_data() + sha256(self.client_json()).digest())

    def seal(self) -> None:
        """Keeps the signature over the draft as it is, whatever is changed after this."""
        self.signature = self.sign()

    def _head(self) -> bytes:
        return self.rp_id_hash + bytes([self.flags]) + self.sign_count.to_bytes(4, "big")

    def _attested(self) -> bytes:
        return b""

    def _take_head(self, data: AuthenticatorData) -> None:
        self.rp_id_hash, self.flags, self.sign_count = data.rp_id_hash, int(data.flags), data.sign_count


@dataclass
class RegistrationDraft(Draft):
    """A registration.

    cose             the members of the public key; `cose_bytes` is the key, finished
    id_length        what the authenticator data says of the id's length, when that is not true
    statement        the attestation statement; in one of packed self attestation `sig` is made anew
    """

    aaguid: bytes = b""
    credential_id: bytes = b""
    id_length: int | None = None
    cose: dict[int, Any] = field(default_factory=dict)
    cose_bytes: bytes | None = None
    members: dict[str, Any] = field(default_factory=dict)
    object_bytes: bytes | None = None
    is_signed: bool = False

    @classmethod
    def of(cls, valid: dict[str, Any], private: CredentialKey) -> Self:
        """The draft that makes the valid message, but for the order of JSON members and the nonce of a signature."""
        members = cbor2.loads(decode(valid["response"]["attestationObject"]))
        data = AuthenticatorData(members["authData"])
        attested = data.attested
        assert attested is not None
        draft = cls(valid, private, aaguid=attested.aaguid, credential_id=attested.credential_id, members=members)
        draft.cose = cbor2.loads(attested.public_key)
        draft.is_signed = members["fmt"] == "packed"
        draft._take_head(data)
        return draft

    @property
    def statement(self) -> dict[str, Any]:
        """The attestation statement."""
        statement: dict[str, Any] = self.members["attStmt"]
        return statement

    def state(self, fmt: str, statement: dict[str, Any]) -> None:
        """Replaces format and statement, signature included."""
        self.members |= {"fmt": fmt, "attStmt": statement}
        self.is_signed = False

    def public_key(self) -> bytes:
        """The encoded COSE key."""
        return encode(self.cose) if self.cose_bytes is None else self.cose_bytes

    def outer_members(self) -> dict[str, Encodable]:
        """The members of the attestation object as they go out."""
        members = dict(self.members)
        if type(members.get("authData")) is bytes:
            members["authData"] = self.authenticator_data()
        if self.is_signed and "sig" in self.statement:
            members["attStmt"] = {**self.statement, "sig": self.signature or self.sign()}
        return members

    def attestation_object(self) -> bytes:
        """The attestation object's bytes."""
        return encode(self.outer_members()) if self.object_bytes is None else self.object_bytes

    def rename(self, credential_id: bytes) -> None:
        """Another credential id, inside and outside of the authenticator data."""
        self.credential_id = credential_id
        self.envelope = {**self.envelope, "id": text(credential_id), "rawId": text(credential_id)}

    def document(self) -> dict[str, Any]:
        """The message as it goes out."""
        document = deepcopy(self.envelope)
        document["response"]["clientDataJSON"] = text(self.client_json())
        document["response"]["attestationObject"] = text(self.attestation_object())
        return document

    def _attested(self) -> bytes:
        length = len(self.credential_id) if self.id_length is None else self.id_length
        return self.aaguid + length.to_bytes(2, "big") + self.credential_id + self.public_key()


@dataclass
class AssertionDraft(Draft):
    """An assertion."""

    @classmethod
    def of(cls, valid: dict[str, Any], private: CredentialKey) -> Self:
        """The draft that makes the valid message, but for the order of JSON members and the nonce of a signature."""
        draft = cls(valid, private)
        draft._take_head(AuthenticatorData(decode(valid["response"]["authenticatorData"])))
        return draft

    def document(self) -> dict[str, Any]:
        """The message as it goes out."""
        document = deepcopy(self.envelope)
        response = document["response"]
        response["clientDataJSON"] = text(self.client_json())
        response["authenticatorData"] = text(self.authenticator_data())
        response["signature"] = text(self.sign() if self.signature is None else self.signature)
        return document


def with_extensions(draft: Draft, extensions: Encodable) -> None:
    """Extension outputs, with the flag that announces them."""
    draft.flags |= Flag.ED
    draft.extensions = encode(extensions)


__all__ = ["AssertionDraft", "Draft", "Encoded", "Flag", "RegistrationDraft", "encode", "text", "with_extensions"]
