"""Faults of an assertion's signature: made by another key, over something else, or not written as it has to be."""

from __future__ import annotations

import secrets
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512

from authctl.virtual_authenticator.attestation import der
from authctl.virtual_authenticator.authenticator.algorithms.rsa import sign_pss
from authctl.virtual_authenticator.authenticator.keys import CredentialKey
from authctl.virtual_authenticator.faults.authenticator_data import nothing
from authctl.virtual_authenticator.faults.certificates import private_of
from authctl.virtual_authenticator.faults.drafts import text
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault
from authctl.virtual_authenticator.faults.weak_keys import IDENTITY
from authctl.virtual_authenticator.randomness import SystemRandom

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from authctl.virtual_authenticator.faults.drafts import AssertionDraft

fault = partial(any_fault, Layer.SIGNATURE)

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_SCALAR_BYTES: Final = 32


def _finished(case_id: str, make: Callable[[AssertionDraft], bytes], variant: str = "") -> None:
    fault(case_id, variant)(lambda draft: setattr(draft, "signature", make(draft)))


def _form(case_id: str, change: Callable[[bytes], bytes], variant: str = "") -> None:
    """The right signature, written in another way."""
    _finished(case_id, lambda draft: change(draft.sign()), variant)


def _numbers(case_id: str, change: Callable[[int, int], tuple[int, int]], variant: str = "") -> None:
    """Other numbers in the frame of an ECDSA signature."""
    _form(case_id, lambda signature: _in_der(*change(*decode_dss_signature(signature))), variant)


def _in_der(*numbers: int) -> bytes:
    """A sequence of numbers, negative ones too."""
    signed = (number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True) for number in numbers)
    return der.tlv(der.SEQUENCE, *(der.tlv(der.INTEGER, number) for number in signed))


def _over(case_id: str, make: Callable[[AssertionDraft], bytes]) -> None:
    """A signature of the right key over something else."""
    _finished(case_id, lambda draft: draft.private.sign(make(draft)))


_form("auth.sig.bit-flip", lambda signature: signature[:-1] + bytes([signature[-1] ^ 1]))
_form("auth.sig.first-byte", lambda signature: bytes([signature[0] ^ 0x80]) + signature[1:])
_form("auth.sig.truncated", lambda signature: signature[: len(signature) // 2])
_form("auth.sig.last-byte-missing", lambda signature: signature[:-1])
_form("auth.sig.trailing-byte", lambda signature: signature + b"\x00")
_form("auth.sig.doubled", lambda signature: signature * 2)
_form("auth.sig.reversed", lambda signature: signature[::-1])
_form("auth.sig.hex", lambda signature: signature.hex().encode())
_finished("auth.sig.random", lambda draft: secrets.token_bytes(len(draft.sign())))
_finished("auth.sig.zeros", lambda draft: bytes(len(draft.sign())))
_finished("auth.sig.huge", lambda _: secrets.token_bytes(20_000))
_finished("auth.sig.psychic-empty", lambda _: b"\x30\x00")


def _raw(signature: bytes) -> bytes:
    return b"".join(number.to_bytes(_SCALAR_BYTES, "big") for number in decode_dss_signature(signature))


def _long_length(signature: bytes) -> bytes:
    """The length of the sequence in a byte more than it takes."""
    return signature[:1] + b"\x81" + signature[1:]


def _padded_number(signature: bytes) -> bytes:
    """A zero before the first number that it does not need."""
    length = signature[3]
    first = b"\x02" + bytes([length + 2]) + b"\x00\x00" + signature[4 : 4 + length]
    return der.tlv(der.SEQUENCE, first, signature[4 + length :])


def _inside(signature: bytes) -> bytes:
    """A third number inside the sequence."""
    return der.tlv(der.SEQUENCE, signature[2:], der.integer(1))


_form("auth.sig.raw-rs", _raw)
_form("auth.sig.der-long-length", _long_length)
_form("auth.sig.der-padded-number", _padded_number)
_form("auth.sig.der-third-number", _inside)
_form("auth.sig.der-set", lambda signature: b"\x31" + signature[1:])
_form("auth.sig.der-indefinite", lambda signature: b"\x30\x80" + signature[2:] + b"\x00\x00")
_form("auth.sig.der-only-r", lambda signature: der.tlv(der.SEQUENCE, signature[2 : 4 + signature[3]]))
_numbers("auth.sig.zero-rs", lambda _r, _s: (0, 0))
_numbers("auth.sig.zero-rs", lambda _r, s: (0, s), "r")
_numbers("auth.sig.zero-rs", lambda r, _s: (r, 0), "s")
_numbers("auth.sig.order-rs", lambda _r, _s: (P256_ORDER, P256_ORDER))
_numbers("auth.sig.one-rs", lambda _r, _s: (1, 1))
_numbers("auth.sig.s-plus-order", lambda r, s: (r, s + P256_ORDER))
_numbers("auth.sig.r-plus-order", lambda r, s: (r + P256_ORDER, s))
_numbers("auth.sig.negative", lambda r, s: (r, s - P256_ORDER))
_numbers("auth.sig.swapped-rs", lambda r, s: (s, r))
_numbers("auth.sig.high-s", lambda r, s: (r, max(s, P256_ORDER - s)))
_numbers("auth.sig.low-s", lambda r, s: (r, min(s, P256_ORDER - s)))

_over("auth.sig.only-authdata", lambda draft: draft.authenticator_data())
_over("auth.sig.only-hash", lambda draft: draft.client_hash())
_over("auth.sig.swapped", lambda draft: draft.client_hash() + draft.authenticator_data())
_over("auth.sig.unhashed", lambda draft: draft.authenticator_data() + draft.client_json())
_over("auth.sig.twice-hashed", lambda draft: draft.authenticator_data() + sha256(draft.client_hash()).digest())
_over("auth.sig.prehashed", lambda draft: sha256(draft.message()).digest())
_over("auth.sig.challenge-only", lambda draft: draft.client["challenge"].encode())
_over("auth.sig.empty-message", lambda _: b"")


@fault("auth.sig.other-key")
def another_key(draft: AssertionDraft) -> None:
    """A key that nobody registered."""
    draft.private = CredentialKey.generate(draft.private.algorithm.identifier, SystemRandom())


@fault("auth.sig.other-message")
def counted_after_signing(draft: AssertionDraft) -> None:
    """A higher count than was signed."""
    draft.seal()
    draft.sign_count += 1


@fault("auth.sig.flags-after-signing")
def verified_after_signing(draft: AssertionDraft) -> None:
    """UV set after a signature without it."""
    flags = draft.flags
    draft.flags &= ~0x04
    draft.seal()
    draft.flags = flags | 0x04


def _ecdsa_with(case_id: str, digest: HashAlgorithm) -> None:
    """ECDSA over another digest."""
    _finished(case_id, lambda draft: private_of(draft.private).sign(draft.message(), ec.ECDSA(digest)))


_ecdsa_with("auth.sig.sha1", SHA1())  # noqa: S303 - the weak digest is the fault
_ecdsa_with("auth.sig.sha512", SHA512())


def _rsa(case_id: str, scheme: padding.AsymmetricPadding, digest: HashAlgorithm) -> None:
    """RSA with another padding or another digest."""
    _finished(case_id, lambda draft: private_of(draft.private).sign(draft.message(), scheme, digest))


_PKCS1: Final = padding.PKCS1v15()
_PSS: Final = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)

_rsa("auth.sig.rsa-sha1", _PKCS1, SHA1())  # noqa: S303 - the weak digest is the fault
_rsa("auth.sig.rsa-sha384", _PKCS1, SHA384())
_rsa("auth.sig.rsa-pss-for-pkcs1", _PSS, SHA256())
_rsa("auth.sig.rsa-pkcs1-for-pss", _PKCS1, SHA256())
_rsa("auth.sig.pss-mgf-sha1", padding.PSS(padding.MGF1(SHA1()), padding.PSS.DIGEST_LENGTH), SHA256())  # noqa: S303
_form("auth.sig.rsa-leading-zero", lambda signature: b"\x00" + signature)
_finished("auth.sig.rsa-plus-modulus", lambda draft: _plus_modulus(draft))
_finished(
    "auth.sig.pss-no-salt", lambda draft: sign_pss(private_of(draft.private), draft.message(), SHA256(), salt_bytes=0)
)
_finished("auth.sig.rsa-bleichenbacher", lambda draft: _with_room_at_the_end(draft))
_finished("auth.sig.rsa-bare-hash", lambda draft: _padded(draft, sha256(draft.message()).digest()))
fault("auth.sig.ps256-ok")(nothing)


def _plus_modulus(draft: AssertionDraft) -> bytes:
    """The same signature a modulus further; in 256 bytes where that fits, or in 257."""
    numbers = private_of(draft.private).public_key().public_numbers()
    number: int = int.from_bytes(draft.sign(), "big") + numbers.n
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


_SHA256_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420")


def _encrypted(key: rsa.RSAPrivateKey, block: bytes) -> bytes:
    numbers = key.private_numbers()
    return pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(key.key_size // 8, "big")


def _padded(draft: AssertionDraft, content: bytes) -> bytes:
    """PKCS #1 v1.5 around content that lacks the name of its digest."""
    return _encrypted(private_of(draft.private), b"\x00\x01" + b"\xff" * (256 - 3 - len(content)) + b"\x00" + content)


def _with_room_at_the_end(draft: AssertionDraft) -> bytes:
    """A short padding and bytes after the digest, which with an exponent of three anybody could fill."""
    content = _SHA256_INFO + sha256(draft.message()).digest()
    block = b"\x00\x01" + b"\xff" * 8 + b"\x00" + content
    return _encrypted(private_of(draft.private), block + bytes(256 - len(block)))


@fault("auth.sig.ed-malleable")
def scalar_beyond_the_order(draft: AssertionDraft) -> None:
    """The scalar with the order of the group added."""
    signature = draft.sign()
    scalar = int.from_bytes(signature[_SCALAR_BYTES:], "little") + ED25519_ORDER
    draft.signature = signature[:_SCALAR_BYTES] + scalar.to_bytes(_SCALAR_BYTES, "little")


_form("auth.sig.ed-zero-scalar", lambda signature: signature[:_SCALAR_BYTES] + bytes(_SCALAR_BYTES))
_finished("auth.sig.ed-constant", lambda _: IDENTITY + bytes(_SCALAR_BYTES))
_form("auth.sig.ed-long", lambda signature: signature + b"\x00")
_form("auth.sig.mldsa-short", lambda signature: signature[:-1])


@fault("auth.id.userhandle-mismatch")
def user_handle_of_somebody_else(draft: AssertionDraft) -> None:
    """A user handle of nobody."""
    draft.response["userHandle"] = text(secrets.token_bytes(64))


@fault("auth.id.userhandle-empty")
def user_handle_empty(draft: AssertionDraft) -> None:
    """A user handle of no bytes."""
    draft.response["userHandle"] = ""


@fault("auth.id.userhandle-prefix")
def user_handle_shortened(draft: AssertionDraft) -> None:
    """The right user handle without its end."""
    draft.response["userHandle"] = draft.response["userHandle"][:4]


@fault("auth.id.userhandle-too-long")
def user_handle_of_65_bytes(draft: AssertionDraft) -> None:
    """A user handle that is longer than any may be."""
    draft.response["userHandle"] = text(secrets.token_bytes(65))


@fault("auth.id.userhandle-missing-named")
@fault("auth.id.userhandle-missing-discoverable")
def user_handle_missing(draft: AssertionDraft) -> None:
    """No user handle."""
    draft.response.pop("userHandle", None)


@fault("auth.id.userhandle-null")
def user_handle_null(draft: AssertionDraft) -> None:
    """Null where the user handle would be."""
    draft.response["userHandle"] = None


@fault("auth.id.unknown-credential")
def id_of_nobody(draft: AssertionDraft) -> None:
    """An id that nobody registered."""
    draft.envelope["id"] = draft.envelope["rawId"] = text(secrets.token_bytes(32))
