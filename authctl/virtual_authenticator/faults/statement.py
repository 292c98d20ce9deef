"""Attestation statements as parts, made when a draft is put together, so that each is signed after the change."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.attestation.authority import new_key
from authctl.virtual_authenticator.authenticator.keys import ES256, CredentialKey
from authctl.virtual_authenticator.faults.certificates import CertificateDraft, Issuer
from authctl.virtual_authenticator.randomness import SystemRandom

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.attestation.authority import Authority, Extension
    from authctl.virtual_authenticator.faults.drafts import RegistrationDraft

ABSENT: Final = object()
"""A member that is left out."""


@dataclass
class Statement(ABC):
    """One attestation statement.

    format   the value of `fmt`
    changes  members in place of those that are made; ABSENT leaves one out
    """

    format: str
    changes: dict[str, Any] = field(default_factory=dict)

    def members_for(self, draft: RegistrationDraft) -> dict[str, Any]:
        """The statement for a draft, with its changes."""
        return without_absent(self.made(draft) | self.changes)

    @abstractmethod
    def made(self, draft: RegistrationDraft) -> dict[str, Any]:
        """The statement as it should be for the draft."""


@dataclass
class Fixed(Statement):
    """A finished statement, that of `none` among them."""

    members: dict[str, Any] = field(default_factory=dict)

    def __init__(self, fmt: str, members: dict[str, Any]) -> None:
        super().__init__(fmt)
        self.members = members

    def made(self, draft: RegistrationDraft) -> dict[str, Any]:
        """The members."""
        return self.members


class SelfStatement(Statement):
    """Packed self attestation (§8.2): the credential's own key signs; `sealed` keeps a signature."""

    def __init__(self) -> None:
        super().__init__("packed")

    def made(self, draft: RegistrationDraft) -> dict[str, Any]:
        """`alg` and `sig`."""
        signature = draft.sign() if draft.signature is None else draft.signature
        return {"alg": draft.private.algorithm.identifier, "sig": signature}


class Certified(Statement):
    """A statement with certificates, which are issued anew for every draft.

    key          the attestation key, whose certificate comes first in `chain`
    signature    a finished signature; None means that it is made for the draft
    ends_with    certificates after the chain, as they are
    is_reversed  whether the certificates go out last first
    """

    def __init__(self, fmt: str, authority: Authority, key: CredentialKey | None = None) -> None:
        super().__init__(fmt)
        self.authority = authority
        self.key = key or CredentialKey.generate(ES256, SystemRandom())
        self.issuer = Issuer(authority.root.subject, authority.key)
        self.leaf = CertificateDraft(authority.names.of("Authenticator Attestation"), self.key.public(), self.issuer)
        self.chain: list[CertificateDraft] = [self.leaf]
        self.ends_with: list[bytes] = []
        self.signature: bytes | None = None
        self.is_reversed = False

    def put_between(self) -> CertificateDraft:
        """An intermediate certificate between leaf and root."""
        key = new_key(SystemRandom())
        name = self.authority.names.of("Authenticator Attestation CA 2")
        between = CertificateDraft(name, key.public_key(), self.issuer, is_authority=True)
        self.leaf.issuer = Issuer(name, key)
        self.chain.append(between)
        return between

    def x5c(self, draft: RegistrationDraft) -> list[Any]:
        """The chain in DER."""
        own = self.extensions(draft)
        made: dict[int, bytes] = {}
        for certificate in self.chain:
            # One that stands there twice is issued once.
            if id(certificate) not in made:
                made[id(certificate)] = certificate.der(own if certificate is self.leaf else {})
        whole = [made[id(certificate)] for certificate in self.chain] + self.ends_with
        return whole[::-1] if self.is_reversed else whole

    def extensions(self, draft: RegistrationDraft) -> Mapping[str, Extension]:
        """What the format wants in the leaf, by a name of ours."""
        return {}

    def to_be_signed(self, draft: RegistrationDraft) -> bytes:
        """What the attestation key signs."""
        return draft.message()

    def sign(self, draft: RegistrationDraft) -> bytes:
        """The attestation key's signature, or the finished one."""
        return self.key.sign(self.to_be_signed(draft)) if self.signature is None else self.signature

    def made(self, draft: RegistrationDraft) -> dict[str, Any]:
        """`alg`, `sig` and `x5c`."""
        return {"alg": self.key.algorithm.identifier, "sig": self.sign(draft), "x5c": self.x5c(draft)}


def without_absent(members: dict[str, Any]) -> dict[str, Any]:
    """The members but for those that are ABSENT."""
    return {name: value for name, value in members.items() if value is not ABSENT}
