"""Faults of the attestation object and of the statements in it, but for what is wrong inside a certificate."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

from authctl.virtual_authenticator.authenticator.algorithms.ecdsa import ES384
from authctl.virtual_authenticator.authenticator.algorithms.rsa import RS256
from authctl.virtual_authenticator.authenticator.keys import ES256, CredentialKey
from authctl.virtual_authenticator.faults.authenticator_data import nothing
from authctl.virtual_authenticator.faults.drafts import ABSENT, RegistrationDraft, encode
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault
from authctl.virtual_authenticator.faults.malformed_cbor import (
    BYTES,
    MAP,
    broken_text,
    in_chunks,
    indefinite_map,
    long_form,
    long_string,
    map_of,
    nested_arrays,
    tagged,
)
from authctl.virtual_authenticator.faults.statement import SelfStatement
from authctl.virtual_authenticator.randomness import SystemRandom

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.interface import Alter

fault = partial(any_fault, Layer.ATTESTATION_STATEMENT)


def _member(case_id: str, name: str, make: Callable[[RegistrationDraft], Any], variant: str = "") -> None:
    """A member of the attestation object."""
    fault(case_id, variant)(lambda draft: draft.members.update({name: make(draft)}))


def _object(case_id: str, make: Callable[[RegistrationDraft], bytes], variant: str = "") -> None:
    """The attestation object as bytes."""
    fault(case_id, variant)(lambda draft: setattr(draft, "object_bytes", make(draft)))


def _pairs(draft: RegistrationDraft) -> list[tuple[Any, Any]]:
    return list(draft.outer_members().items())


_member("reg.ao.fmt-missing", "fmt", lambda _: ABSENT)
_member("reg.ao.fmt-not-string", "fmt", lambda _: 0)
_member("reg.ao.fmt-null", "fmt", lambda _: None)
_member("reg.ao.fmt-bytes", "fmt", lambda _: b"none")
_member("reg.ao.fmt-empty", "fmt", lambda _: "")
_member("reg.ao.fmt-nul", "fmt", lambda _: "none\0")
_member("reg.ao.fmt-case", "fmt", lambda draft: draft.statement.format.title())
_member("reg.ao.fmt-broken-text", "fmt", lambda _: broken_text(b"non\xff"))
fault("reg.ao.fmt-compound-empty")(lambda draft: draft.members.update(fmt="compound", attStmt=[]))
_member("reg.ao.unknown-fmt", "fmt", lambda _: "homemade")
_member("reg.ao.unknown-fmt", "fmt", lambda _: "x" * 10_000, "10 000 letters")
_member("reg.ao.attstmt-missing", "attStmt", lambda _: ABSENT)
_member("reg.ao.attstmt-text", "attStmt", lambda _: "")
_member("reg.ao.attstmt-array", "attStmt", lambda _: [])
_member("reg.ao.attstmt-null", "attStmt", lambda _: None)
_member("reg.ao.authdata-missing", "authData", lambda _: ABSENT)
_member("reg.ao.authdata-not-bytes", "authData", lambda draft: draft.authenticator_data().hex(), "text")
_member("reg.ao.authdata-not-bytes", "authData", lambda draft: list(draft.authenticator_data()), "array")
_member("reg.ao.authdata-null", "authData", lambda _: None)
_member("reg.ao.authdata-wrapped", "authData", lambda draft: encode(draft.authenticator_data()))
_member("reg.ao.authdata-chunks", "authData", lambda draft: in_chunks(draft.authenticator_data()))
_member("reg.ao.extra-member", "extra", lambda _: 1)
_member("reg.ao.ep-att", "epAtt", lambda _: True)
_member("reg.ao.deep-nesting", "attStmt", lambda _: {"x": nested_arrays(100_000)})
_member("reg.ao.deep-nesting", "attStmt", lambda _: {"x": nested_arrays(40_000)}, "40 000 levels")
_member("reg.ao.exotic-tag", "attStmt", lambda _: {"x": tagged(35, "(a+)+$")})
_member("reg.ao.exotic-tag", "attStmt", lambda _: {"x": tagged(0, "yesterday")}, "date")
_member("reg.ao.exotic-tag", "attStmt", lambda _: {"x": tagged(2, b"\xff" * 10_000)}, "bignum")
_member("reg.ao.exotic-tag", "attStmt", lambda _: {"x": tagged(4, [1_000_000_000, 1])}, "decimal")
_member("reg.ao.shared-ref-cycle", "attStmt", lambda _: {"x": tagged(28, [tagged(29, 0)])})
_object("reg.ao.not-cbor", lambda draft: b"\xff" + secrets.token_bytes(len(draft.attestation_object())))
_object("reg.ao.not-map", lambda draft: encode([value for pair in _pairs(draft) for value in pair]))
_object("reg.ao.json", lambda _: b'{"fmt":"none","attStmt":{},"authData":""}')
_object("reg.ao.ctap-keys", lambda draft: map_of(zip((1, 3, 2), dict(_pairs(draft)).values(), strict=True)))
_object("reg.ao.dup-keys", lambda draft: map_of([*_pairs(draft), ("authData", draft.authenticator_data())]))
_object("reg.ao.dup-keys", lambda draft: map_of([("fmt", "packed"), *_pairs(draft)]), "fmt")
_object("reg.ao.indefinite", lambda draft: indefinite_map(_pairs(draft)))
_object("reg.ao.unsorted", lambda draft: map_of(reversed(_pairs(draft))))
_object("reg.ao.nonminimal", lambda draft: long_form(MAP, 3, 1) + draft.attestation_object()[1:])
_object("reg.ao.trailing-bytes", lambda draft: draft.attestation_object() + b"\x00")
_object("reg.ao.two-objects", lambda draft: draft.attestation_object() * 2)
_object("reg.ao.truncated", lambda draft: draft.attestation_object()[:-1])
_object("reg.ao.tagged", lambda draft: tagged(55799, _whole(draft)))
_object("reg.ao.many-declared", lambda draft: long_form(MAP, 1 << 40, 8) + draft.attestation_object()[1:])


def _whole(draft: RegistrationDraft) -> dict[str, Any]:
    return draft.outer_members()


_member("reg.ao.huge-length", "authData", lambda draft: _too_long(draft, 1 << 60))
_member("reg.ao.huge-length", "authData", lambda draft: _too_long(draft, (1 << 64) - 1), "2^64 - 1")
_member("reg.ao.authdata-long-head", "authData", lambda draft: long_string(draft.authenticator_data(), 8))


def _too_long(draft: RegistrationDraft, length: int) -> Any:
    return type(tagged(0, 0))(long_form(BYTES, length, 8) + draft.authenticator_data())


def _none(case_id: str, make: Callable[[RegistrationDraft], dict[str, Any]], variant: str = "") -> None:
    fault(case_id, variant)(lambda draft: draft.state("none", make(draft)))


_none("reg.none.full-stmt", lambda draft: {"alg": draft.private.algorithm.identifier, "sig": draft.sign()})
_none("reg.none.unknown-member", lambda _: {"note": "nothing is stated"})
_none("reg.none.null-member", lambda _: {"sig": None})
_none("reg.none.policy", lambda _: {})


def _changed(case_id: str, name: str, value: object, variant: str = "") -> None:
    """A member of the statement, whatever its format."""
    fault(case_id, variant)(lambda draft: draft.statement.changes.update({name: value}))


def _signed_by(make: Callable[[RegistrationDraft], CredentialKey]) -> Alter:
    """A signature by a key that the statement does not name."""
    return lambda draft: draft.statement.changes.update(sig=make(draft).sign(_to_be_signed(draft)))


def _to_be_signed(draft: RegistrationDraft) -> bytes:
    made: bytes = getattr(draft.statement, "to_be_signed", lambda whole: whole.message())(draft)
    return made


def _new_key(_: RegistrationDraft) -> CredentialKey:
    return CredentialKey.generate(ES256, SystemRandom())


def flipped(draft: RegistrationDraft) -> None:
    """One bit of the statement's signature."""
    signature: bytes = draft.statement.made(draft)["sig"]
    draft.statement.changes["sig"] = signature[:-1] + bytes([signature[-1] ^ 1])


def sealed(draft: RegistrationDraft) -> None:
    """Keeps the statement as it is, whatever is changed after this."""
    draft.statement.changes |= draft.statement.made(draft)


for name in ("reg.packed.self-ok", "reg.packed.x5c-ok", "reg.u2f.ok", "reg.tpm.ok", "reg.apple.ok", "reg.android.ok"):
    fault(name)(nothing)

fault("reg.packed.stmt-empty")(lambda draft: draft.state("packed", {}))
_changed("reg.packed.alg-missing", "alg", ABSENT)
_changed("reg.packed.alg-not-number", "alg", "ES256")
_changed("reg.packed.alg-bytes", "alg", b"\x26")
_changed("reg.packed.sig-missing", "sig", ABSENT)
_changed("reg.packed.sig-empty", "sig", b"")
_changed("reg.packed.sig-not-bytes", "sig", "signature")
_changed("reg.packed.sig-null", "sig", None)
_changed("reg.packed.self-alg-mismatch", "alg", RS256)
_changed("reg.packed.self-alg-mismatch", "alg", ES384, "same family")
_changed("reg.packed.ecdaa", "ecdaaKeyId", b"\x01" * 32)
_changed("reg.packed.unknown-member", "extra", 1)
_changed("reg.packed.x5c-empty", "x5c", [])
_changed("reg.packed.x5c-null", "x5c", None)
_changed("reg.packed.x5c-not-array", "x5c", b"\x30\x00")
_changed("reg.packed.x5c-member-garbage", "x5c", [b"not a certificate"])
_changed("reg.packed.x5c-member-text", "x5c", ["not a certificate"])
_changed("reg.packed.x5c-sig-missing", "sig", ABSENT)
_changed("reg.packed.x5c-alg-wrong-type", "alg", RS256)
fault("reg.packed.self-sig-bad")(flipped)
fault("reg.packed.x5c-sig-bad")(flipped)
fault("reg.packed.self-other-key")(_signed_by(_new_key))
fault("reg.packed.x5c-sig-other-key")(_signed_by(_new_key))
fault("reg.packed.x5c-signed-by-credential")(_signed_by(lambda draft: draft.private))


@fault("reg.packed.self-authdata-altered")
@fault("reg.packed.x5c-authdata-altered")
def altered_after_attestation(draft: RegistrationDraft) -> None:
    """A count that was not attested."""
    sealed(draft)
    draft.sign_count += 1


@fault("reg.packed.self-key-swapped")
@fault("reg.packed.x5c-key-swapped")
def key_that_was_not_attested(draft: RegistrationDraft) -> None:
    """Another key than the one that was attested."""
    sealed(draft)
    draft.private = CredentialKey.generate(draft.private.algorithm.identifier, SystemRandom())
    draft.cose_bytes = draft.private.public_cose()


@fault("reg.packed.self-of-certified-model")
def self_statement_of_a_model_that_has_certificates(draft: RegistrationDraft) -> None:
    """A statement by the credential alone, under the AAGUID of a model whose tokens attest with certificates."""
    draft.statement = SelfStatement()


@fault("reg.packed.self-under-other-fmt")
def self_statement_as_another_format(draft: RegistrationDraft) -> None:
    """A packed statement that claims to be of a TPM."""
    draft.members["fmt"] = "tpm"


@fault("reg.u2f.under-packed")
def u2f_statement_as_packed(draft: RegistrationDraft) -> None:
    """A fido-u2f statement that claims to be packed."""
    draft.members["fmt"] = "packed"
