"""Faults of the attested credential data: AAGUID, length and id; the key inside has a file of its own."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.drafts import RegistrationDraft

fault = partial(any_fault, Layer.ATTESTED_CREDENTIAL)

_AAGUID_BYTES, _LENGTH_BYTES = 16, 2
_HEAD_BYTES: Final = 37


def _renamed(case_id: str, make: Callable[[], bytes], variant: str = "") -> None:
    fault(case_id, variant)(lambda draft: draft.rename(make()))


def _cut(case_id: str, end: Callable[[RegistrationDraft], int]) -> None:
    def alter(draft: RegistrationDraft) -> None:
        draft.authenticator_bytes = draft.authenticator_data()[: end(draft)]

    fault(case_id)(alter)


def _until_id(draft: RegistrationDraft) -> int:
    return _HEAD_BYTES + _AAGUID_BYTES + _LENGTH_BYTES + len(draft.credential_id)


_renamed("reg.ad.credid-empty", lambda: b"")
_renamed("reg.ad.credid-one-byte", lambda: b"\x01")
_renamed("reg.ad.credid-15", lambda: secrets.token_bytes(15))
_renamed("reg.ad.credid-16", lambda: secrets.token_bytes(16))
_renamed("reg.ad.credid-1023", lambda: secrets.token_bytes(1023))
_renamed("reg.ad.credid-1024", lambda: secrets.token_bytes(1024))
_renamed("reg.ad.credid-65535", lambda: secrets.token_bytes(65535))
_renamed("reg.ad.credid-30000", lambda: secrets.token_bytes(30_000))

_cut("reg.ad.truncated-aaguid", lambda _: _HEAD_BYTES + _AAGUID_BYTES - 1)
_cut("reg.ad.truncated-length", lambda _: _HEAD_BYTES + _AAGUID_BYTES + 1)
_cut("reg.ad.truncated-id", lambda draft: _until_id(draft) - 1)
_cut("reg.ad.key-missing", _until_id)
_cut("reg.ad.truncated-key", lambda draft: len(draft.authenticator_data()) - 1)


@fault("reg.ad.credid-overrun")
def id_beyond_the_end(draft: RegistrationDraft) -> None:
    """A length that is more than all that follows."""
    draft.id_length = 0xFFFF


@fault("reg.ad.credid-understated")
def id_said_to_be_shorter(draft: RegistrationDraft) -> None:
    """A length that ends inside the id, so that the key begins with the id's last byte, here the number four."""
    draft.rename(draft.credential_id[:-1] + b"\x04")
    draft.id_length = len(draft.credential_id) - 1


@fault("reg.ad.credid-byte-order")
def length_in_the_other_byte_order(draft: RegistrationDraft) -> None:
    """The length with its least byte first."""
    draft.id_length = int.from_bytes(len(draft.credential_id).to_bytes(2, "little"), "big")


@fault("reg.ad.aaguid-nonzero-none")
def model_with_attestation_none(draft: RegistrationDraft) -> None:
    """An AAGUID beside attestation none."""
    draft.aaguid = secrets.token_bytes(16)


@fault("reg.ad.aaguid-zero-none")
def no_model_with_attestation_none(draft: RegistrationDraft) -> None:
    """An AAGUID of zeros beside attestation none."""
    draft.aaguid = bytes(16)


@fault("reg.ad.aaguid-missing")
def no_aaguid_at_all(draft: RegistrationDraft) -> None:
    """Attested credential data that begins with the length."""
    draft.attested_bytes = draft.attested()[_AAGUID_BYTES:]
