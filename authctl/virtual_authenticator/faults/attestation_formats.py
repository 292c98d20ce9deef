"""Faults of the statements of TPMs, Android key stores, U2F tokens and Apple devices, outside of their certificates."""

from __future__ import annotations

import secrets
from functools import partial
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec

from authctl.virtual_authenticator.attestation.tpm import sized
from authctl.virtual_authenticator.authenticator.algorithms.eddsa import EDDSA
from authctl.virtual_authenticator.authenticator.algorithms.rsa import RS1, RS256
from authctl.virtual_authenticator.authenticator.keys import ES256, CredentialKey
from authctl.virtual_authenticator.faults.attestation_statement import altered_after_attestation, flipped
from authctl.virtual_authenticator.faults.cose_key import CRV, P384, X, Y
from authctl.virtual_authenticator.faults.drafts import ABSENT, RegistrationDraft
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault
from authctl.virtual_authenticator.faults.statement import Certified
from authctl.virtual_authenticator.faults.tpm import CertifyInformation, PublicArea, TpmStatement
from authctl.virtual_authenticator.randomness import SystemRandom

if TYPE_CHECKING:
    from collections.abc import Callable

fault = partial(any_fault, Layer.ATTESTATION_STATEMENT)

_QUOTE = 0x8018
_P384_OF_TPM = 0x0004


def _member(case_id: str, name: str, value: object, variant: str = "") -> None:
    fault(case_id, variant)(lambda draft: draft.statement.changes.update({name: value}))


def _tpm(case_id: str, change: Callable[[TpmStatement], object], variant: str = "") -> None:
    """One part of the TPM's statement, before anything is signed."""
    fault(case_id, variant)(lambda draft: change(draft.statement))


def _certified(case_id: str, change: Callable[[CertifyInformation], object], variant: str = "") -> None:
    """One field of what the TPM certified."""
    _tpm(case_id, lambda statement: setattr(statement, "on_information", change), variant)


def _area(case_id: str, change: Callable[[PublicArea], object], variant: str = "") -> None:
    """One field of the key's public area."""
    _tpm(case_id, lambda statement: change(statement.area), variant)


for name in ("u2f", "tpm", "android", "apple"):
    _member(f"reg.{name}.x5c-missing", "x5c", ABSENT)
    _member(f"reg.{name}.x5c-empty", "x5c", [])
    _member(f"reg.{name}.x5c-garbage", "x5c", [b"not a certificate"])
    if name != "apple":
        _member(f"reg.{name}.sig-missing", "sig", ABSENT)
        _member(f"reg.{name}.sig-empty", "sig", b"")
        fault(f"reg.{name}.sig-bad")(flipped)
    fault(f"reg.{name}.authdata-altered")(altered_after_attestation)

_member("reg.tpm.ver", "ver", "1.2")
_member("reg.tpm.ver-missing", "ver", ABSENT)
_member("reg.tpm.ver-number", "ver", 2.0)
_member("reg.tpm.alg-missing", "alg", ABSENT)
_member("reg.tpm.alg-mismatch", "alg", RS256)
_member("reg.tpm.certinfo-missing", "certInfo", ABSENT)
_member("reg.tpm.certinfo-text", "certInfo", "certified")
_member("reg.tpm.pubarea-missing", "pubArea", ABSENT)
_member("reg.tpm.pubarea-text", "pubArea", "public")
_tpm("reg.tpm.certinfo-empty", lambda statement: setattr(statement, "information", b""))
_tpm("reg.tpm.certinfo-garbage", lambda statement: setattr(statement, "information", secrets.token_bytes(161)))
_tpm("reg.tpm.pubarea-empty", lambda statement: setattr(statement, "written", b""))
_tpm("reg.tpm.pubarea-garbage", lambda statement: setattr(statement, "written", secrets.token_bytes(86)))
_tpm("reg.tpm.pubarea-truncated", lambda statement: setattr(statement, "written", statement.area.encode()[:-1]))
_certified("reg.tpm.magic", lambda information: setattr(information, "magic", b"\xff\x54\x43\x48"))
_certified("reg.tpm.type", lambda information: setattr(information, "type", _QUOTE))
_certified("reg.tpm.extradata", lambda information: setattr(information, "extra_data", secrets.token_bytes(32)))
_certified("reg.tpm.extradata-empty", lambda information: setattr(information, "extra_data", b""))
_certified("reg.tpm.name", lambda information: setattr(information, "name", b"\x00\x0b" + secrets.token_bytes(32)))
_certified("reg.tpm.name-empty", lambda information: setattr(information, "name", b""))
_certified("reg.tpm.name-digest", lambda information: setattr(information, "name", b"\x00\x04" + information.name[2:]))
_certified("reg.tpm.certinfo-trailing", lambda information: setattr(information, "trailing", b"\x00"))
_certified("reg.tpm.clock-unsafe", lambda information: setattr(information, "clock", bytes(17)))
_certified("reg.tpm.signer", lambda information: setattr(information, "signer", b"\x00\x0b" + bytes(32)))
_area("reg.tpm.pubarea-trailing", lambda area: setattr(area, "trailing", b"\x00"))
_area("reg.tpm.attrs-not-signing", lambda area: setattr(area, "attributes", area.attributes & ~0x00040000))
_area("reg.tpm.attrs-decrypt", lambda area: setattr(area, "attributes", area.attributes | 0x00020000))
_area("reg.tpm.pubarea-type", lambda area: setattr(area, "kind", 0x0001))
_area("reg.tpm.pubarea-name-alg", lambda area: setattr(area, "name_algorithm", 0x0010))
_area("reg.tpm.curve", lambda area: setattr(area, "parameters", _on_p384(area.parameters)))
_area("reg.tpm.unique-empty", lambda area: setattr(area, "unique", sized(b"") * 2))


def _on_p384(parameters: bytes) -> bytes:
    return parameters[:4] + _P384_OF_TPM.to_bytes(2, "big") + parameters[6:]


@fault("reg.tpm.certinfo-truncated")
def information_without_its_end(draft: RegistrationDraft) -> None:
    """CertInfo that lacks its last bytes."""
    statement = tpm_of(draft)
    statement.information = statement.certified(draft)[:-4]


@fault("reg.tpm.certinfo-overrun")
def information_with_a_length_beyond_its_end(draft: RegistrationDraft) -> None:
    """CertInfo whose nonce is said to be longer than all that follows."""
    statement = tpm_of(draft)
    made = statement.certified(draft)
    statement.information = made[:8] + b"\xff\xff" + made[10:]


@fault("reg.tpm.unique")
def area_of_another_key(draft: RegistrationDraft) -> None:
    """The public area of a key that is not the credential's."""
    tpm_of(draft).area = PublicArea.of(_key(ES256).public())


@fault("reg.tpm.signed-by-credential")
def certified_by_the_credential(draft: RegistrationDraft) -> None:
    """CertInfo signed by the credential's own key."""
    draft.statement.changes["sig"] = draft.private.sign(tpm_of(draft).certified(draft))


@fault("reg.tpm.ok-rs1")
def signed_with_sha1(draft: RegistrationDraft) -> None:
    """An attestation key that signs with SHA-1, as old TPMs have it."""
    statement = tpm_of(draft)
    statement.key = _key(RS1)
    statement.leaf.public = statement.key.public()
    statement.digest = sha1


def tpm_of(draft: RegistrationDraft) -> TpmStatement:
    """The statement, which is a TPM's."""
    if not isinstance(draft.statement, TpmStatement):
        raise TypeError("the draft has no statement of a TPM")
    return draft.statement


def certified_of(draft: RegistrationDraft) -> Any:
    """The statement, which has certificates."""
    if not isinstance(draft.statement, Certified):
        raise TypeError("the draft's statement has no certificates")
    return draft.statement


def _key(algorithm: int) -> CredentialKey:
    return CredentialKey.generate(algorithm, SystemRandom())


@fault("reg.u2f.aaguid-nonzero")
def token_with_a_model(draft: RegistrationDraft) -> None:
    """An AAGUID, which U2F tokens have none of."""
    draft.aaguid = secrets.token_bytes(16)


@fault("reg.u2f.cred-not-p256")
def credential_of_another_algorithm(draft: RegistrationDraft) -> None:
    """A credential key that is no point on P-256."""
    certified_of(draft).sign(draft)
    draft.private = _key(EDDSA)
    draft.cose_bytes = draft.private.public_cose()


@fault("reg.u2f.cred-p384")
def credential_on_another_curve(draft: RegistrationDraft) -> None:
    """A credential key on P-384 that is labelled ES256."""
    numbers = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
    draft.cose |= {CRV: P384, X: numbers.x.to_bytes(48, "big"), Y: numbers.y.to_bytes(48, "big")}


@fault("reg.u2f.short-coordinate")
def credential_with_a_short_coordinate(draft: RegistrationDraft) -> None:
    """A coordinate that lacks a byte, in the key and in what was signed."""
    draft.cose[X] = draft.cose[X][1:]


@fault("reg.u2f.sig-of-packed")
def signed_as_packed(draft: RegistrationDraft) -> None:
    """A signature over what packed statements sign."""
    statement = certified_of(draft)
    statement.signature = statement.key.sign(draft.message())


@fault("reg.u2f.sig-other-key")
@fault("reg.tpm.sig-other-key")
@fault("reg.android.sig-other-key")
def signed_by_a_key_without_certificate(draft: RegistrationDraft) -> None:
    """A signature of a key that is not in the certificate."""
    statement = certified_of(draft)
    statement.signature = _key(ES256).sign(statement.to_be_signed(draft))


@fault("reg.android.alg-mismatch")
def android_of_another_algorithm(draft: RegistrationDraft) -> None:
    """An algorithm that is not the key's."""
    draft.statement.changes["alg"] = RS256


@fault("reg.android.alg-missing")
def android_without_algorithm(draft: RegistrationDraft) -> None:
    """No alg."""
    draft.statement.changes["alg"] = ABSENT


@fault("reg.apple.key")
def certificate_for_another_key(draft: RegistrationDraft) -> None:
    """A certificate of a key that is not the credential's."""
    certified_of(draft).leaf.public = _key(ES256).public()


@fault("reg.apple.unknown-member")
def apple_with_another_member(draft: RegistrationDraft) -> None:
    """A member that the format does not have."""
    draft.statement.changes["ecdaaKeyId"] = b"\x01"
