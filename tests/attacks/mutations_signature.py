"""Signatures that do not hold, or are not written as they have to be, and the user handle beside them."""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from authctl.virtual_authenticator import SystemRandom
from authctl.virtual_authenticator.authenticator.keys import CredentialKey
from tests.attacks.drafts import AssertionDraft, text
from tests.attacks.registry import mutation

ED25519_ORDER: Final = 2**252 + 27742317777372353535851937790883648493


@mutation("auth.sig.bit-flip")
def one_bit(draft: AssertionDraft) -> None:
    signature = draft.sign()
    draft.signature = signature[:-1] + bytes([signature[-1] ^ 1])


@mutation("auth.sig.other-key")
def another_key(draft: AssertionDraft) -> None:
    draft.private = CredentialKey.generate(draft.private.algorithm.identifier, SystemRandom())


@mutation("auth.sig.trailing-byte")
def byte_after_the_end(draft: AssertionDraft) -> None:
    draft.signature = draft.sign() + b"\x00"


@mutation("auth.sig.raw-rs")
def two_numbers_without_their_frame(draft: AssertionDraft) -> None:
    draft.signature = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(draft.sign()))


@mutation("auth.sig.zero-rs")
def both_numbers_zero(draft: AssertionDraft) -> None:
    draft.signature = encode_dss_signature(0, 0)


@mutation("auth.sig.psychic-empty")
def frame_without_numbers(draft: AssertionDraft) -> None:
    draft.signature = b"\x30\x00"


@mutation("auth.sig.ed-malleable")
def scalar_beyond_the_order(draft: AssertionDraft) -> None:
    signature = draft.sign()
    scalar = int.from_bytes(signature[32:], "little") + ED25519_ORDER
    draft.signature = signature[:32] + scalar.to_bytes(32, "little")


@mutation("auth.id.userhandle-mismatch")
def user_handle_of_somebody_else(draft: AssertionDraft) -> None:
    draft.envelope["response"]["userHandle"] = text(secrets.token_bytes(64))


@mutation("auth.id.userhandle-too-long")
def user_handle_of_65_bytes(draft: AssertionDraft) -> None:
    draft.envelope["response"]["userHandle"] = text(secrets.token_bytes(65))


@mutation("auth.id.userhandle-missing-named")
@mutation("auth.id.userhandle-missing-discoverable")
def user_handle_missing(draft: AssertionDraft) -> None:
    del draft.envelope["response"]["userHandle"]
