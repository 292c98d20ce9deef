"""A TPM's statement (§8.3) as parts: what was certified, the public area of the key, and the AIK certificate."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Self

from cryptography import x509

from authctl.virtual_authenticator.attestation.authority import Extension
from authctl.virtual_authenticator.attestation.tpm import AIK_USE, NAMES, certify_information, public_area, sized
from authctl.virtual_authenticator.faults.statement import Certified

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.x509.oid import ObjectIdentifier

    from authctl.virtual_authenticator.attestation.authority import Authority
    from authctl.virtual_authenticator.faults.drafts import RegistrationDraft

USE: Final = "extendedKeyUsage"
ALTERNATIVE: Final = "subjectAlternativeName"
_ECC: Final = 0x0023
_CLOCK_BYTES, _FIRMWARE_BYTES = 17, 8


@dataclass
class CertifyInformation:
    """TPMS_ATTEST; `trailing` are bytes after its end."""

    magic: bytes
    type: int
    signer: bytes
    extra_data: bytes
    clock: bytes
    firmware: bytes
    name: bytes
    qualified_name: bytes
    trailing: bytes = b""

    @classmethod
    def of(cls, extra_data: bytes, area: bytes) -> Self:
        """What a TPM certifies of the key with this public area."""
        made = certify_information(extra_data, area)
        signer, rest = _sized_at(made, 6)
        extra, rest = _sized_at(made, rest)
        clock_end = rest + _CLOCK_BYTES
        firmware_end = clock_end + _FIRMWARE_BYTES
        name, end = _sized_at(made, firmware_end)
        qualified, _ = _sized_at(made, end)
        kind = int.from_bytes(made[4:6], "big")
        clock, firmware = made[rest:clock_end], made[clock_end:firmware_end]
        return cls(made[:4], kind, signer, extra, clock, firmware, name, qualified)

    def encode(self) -> bytes:
        """The structure's bytes."""
        certified = sized(self.name) + sized(self.qualified_name)
        head = self.magic + self.type.to_bytes(2, "big") + sized(self.signer) + sized(self.extra_data)
        return head + self.clock + self.firmware + certified + self.trailing


@dataclass
class PublicArea:
    """TPMT_PUBLIC; `parameters` and `unique` as bytes, `trailing` are bytes after its end."""

    kind: int
    name_algorithm: int
    attributes: int
    policy: bytes
    parameters: bytes
    unique: bytes
    trailing: bytes = b""

    @classmethod
    def of(cls, key: Any) -> Self:
        """The area of a public key."""
        made = public_area(key)
        kind, name_algorithm = int.from_bytes(made[:2], "big"), int.from_bytes(made[2:4], "big")
        policy, rest = _sized_at(made, 8)
        middle = rest + (8 if kind == _ECC else 10)
        attributes = int.from_bytes(made[4:8], "big")
        return cls(kind, name_algorithm, attributes, policy, made[rest:middle], made[middle:])

    def encode(self) -> bytes:
        """The structure's bytes."""
        head = self.kind.to_bytes(2, "big") + self.name_algorithm.to_bytes(2, "big")
        return (
            head
            + self.attributes.to_bytes(4, "big")
            + sized(self.policy)
            + self.parameters
            + self.unique
            + self.trailing
        )


class TpmStatement(Certified):
    """What a TPM signs about a key that it holds.

    area                  of the credential's key, before it is named
    on_information        changes what was certified, before it is signed
    information, written  finished bytes of certInfo and pubArea
    names                 of the TPM in its certificate
    """

    def __init__(self, authority: Authority, draft: RegistrationDraft) -> None:
        super().__init__("tpm", authority)
        self.area = PublicArea.of(draft.private.public())
        self.digest: Callable[[bytes], Any] = sha256
        self.on_information: Callable[[CertifyInformation], None] | None = None
        self.information: bytes | None = None
        self.written: bytes | None = None
        self.names: dict[ObjectIdentifier, str] = dict(NAMES)
        self.leaf.subject = x509.Name([])

    def extensions(self, draft: RegistrationDraft) -> Mapping[str, Extension]:
        """§8.3.1: the key's use, and the TPM's names, critical since the subject is empty."""
        return {USE: Extension(x509.ExtendedKeyUsage([AIK_USE])), ALTERNATIVE: self.alternative_name(critical=True)}

    def alternative_name(self, *, critical: bool) -> Extension:
        """The TPM's names, each in a set of its own."""
        sets = [x509.RelativeDistinguishedName([x509.NameAttribute(oid, value)]) for oid, value in self.names.items()]
        return Extension(x509.SubjectAlternativeName([x509.DirectoryName(x509.Name(sets))]), critical=critical)

    def public_area(self) -> bytes:
        """The bytes of pubArea."""
        return self.area.encode() if self.written is None else self.written

    def certified(self, draft: RegistrationDraft) -> bytes:
        """The bytes of certInfo."""
        if self.information is not None:
            return self.information
        information = CertifyInformation.of(self.digest(draft.message()).digest(), self.public_area())
        if self.on_information is not None:
            self.on_information(information)
        return information.encode()

    def to_be_signed(self, draft: RegistrationDraft) -> bytes:
        """CertInfo."""
        return self.certified(draft)

    def made(self, draft: RegistrationDraft) -> dict[str, Any]:
        """`ver`, `alg`, `x5c`, `sig`, `certInfo` and `pubArea`."""
        return super().made(draft) | {
            "ver": "2.0",
            "certInfo": self.certified(draft),
            "pubArea": self.public_area(),
        }


def _sized_at(data: bytes, start: int) -> tuple[bytes, int]:
    end = start + 2 + int.from_bytes(data[start : start + 2], "big")
    return data[start + 2 : end], end
