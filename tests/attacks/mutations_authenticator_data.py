"""Defects of the authenticator data, signed again after the change."""

from __future__ import annotations

import secrets
from hashlib import sha256

from tests.attacks.drafts import AssertionDraft, Draft, Flag, RegistrationDraft, encode, with_extensions
from tests.attacks.malformed_cbor import map_of, single_precision
from tests.attacks.registry import mutation

HEAD_BYTES = 37


@mutation("reg.ad.rpid-hash-wrong")
@mutation("auth.ad.rpid-hash-wrong")
def another_rp_id(draft: Draft) -> None:
    draft.rp_id_hash = sha256(b"attacker.test").digest()


@mutation("reg.ad.up-clear")
@mutation("auth.ad.up-clear")
def user_not_present(draft: Draft) -> None:
    draft.flags &= ~Flag.UP


@mutation("reg.ad.uv-clear-preferred")
@mutation("auth.ad.uv-clear-required")
@mutation("auth.ad.uv-clear-preferred")
def user_not_verified(draft: Draft) -> None:
    draft.flags &= ~Flag.UV


@mutation("auth.ad.up-uv-clear-preferred")
def user_neither_present_nor_verified(draft: AssertionDraft) -> None:
    draft.flags &= ~(Flag.UP | Flag.UV)


@mutation("auth.ad.bs-without-be")
def backed_up_but_not_eligible(draft: AssertionDraft) -> None:
    draft.flags |= Flag.BS


@mutation("auth.ad.be-appears")
def backup_eligibility_appears(draft: AssertionDraft) -> None:
    draft.flags |= Flag.BE


@mutation("auth.ad.be-disappears")
def backup_eligibility_disappears(draft: AssertionDraft) -> None:
    draft.flags &= ~(Flag.BE | Flag.BS)


@mutation("auth.ad.bs-toggles")
def backup_state_changes(draft: AssertionDraft) -> None:
    draft.flags ^= Flag.BS


@mutation("reg.ad.be-bs")
def backed_up(draft: RegistrationDraft) -> None:
    draft.flags |= Flag.BE | Flag.BS


@mutation("reg.ad.at-clear-with-data")
def attested_data_without_its_flag(draft: RegistrationDraft) -> None:
    draft.flags &= ~Flag.AT


@mutation("reg.ad.trailing-bytes")
@mutation("auth.ad.trailing-bytes")
def bytes_after_the_end(draft: Draft) -> None:
    draft.trailing = b"\x00"


@mutation("reg.ad.short")
def shorter_than_a_head(draft: RegistrationDraft) -> None:
    draft.authenticator_bytes = draft.authenticator_data()[: HEAD_BYTES - 1]


@mutation("reg.ad.empty")
def empty(draft: RegistrationDraft) -> None:
    draft.authenticator_bytes = b""


@mutation("reg.ad.ed-set-without-data")
def extensions_announced_and_absent(draft: RegistrationDraft) -> None:
    draft.flags |= Flag.ED


@mutation("reg.ad.ed-clear-with-data")
def extensions_not_announced(draft: RegistrationDraft) -> None:
    draft.extensions = encode({"credProtect": 2})


@mutation("reg.ad.ed-not-map")
@mutation("auth.ad.ed-not-map")
def extensions_in_an_array(draft: Draft) -> None:
    with_extensions(draft, ["credProtect", 2])


@mutation("reg.ad.ed-valid")
def creation_with_extension_outputs(draft: RegistrationDraft) -> None:
    with_extensions(draft, {"credProtect": 2})


@mutation("auth.ad.ed-valid")
def assertion_with_extension_outputs(draft: AssertionDraft) -> None:
    with_extensions(draft, {"uvm": [[2, 4, 2]]})


@mutation("auth.ad.ed-float-smuggle")
def bytes_hidden_behind_a_short_float(draft: AssertionDraft) -> None:
    # A reader that measures the map by writing it anew writes the float four bytes longer, and these four vanish.
    with_extensions(draft, map_of([("a", single_precision(b"\x3f\x80\x00\x00"))]))
    draft.trailing = b"evil"


@mutation("reg.ad.credid-overrun")
def credential_id_beyond_the_end(draft: RegistrationDraft) -> None:
    draft.id_length = 0xFFFF


@mutation("reg.ad.credid-empty")
def credential_id_empty(draft: RegistrationDraft) -> None:
    draft.rename(b"")


@mutation("reg.ad.credid-1023")
def credential_id_of_1023_bytes(draft: RegistrationDraft) -> None:
    draft.rename(secrets.token_bytes(1023))


@mutation("reg.ad.credid-1024")
def credential_id_of_1024_bytes(draft: RegistrationDraft) -> None:
    draft.rename(secrets.token_bytes(1024))


@mutation("auth.ad.counter-lower")
def count_goes_back(draft: AssertionDraft) -> None:
    draft.sign_count -= 2


@mutation("auth.ad.counter-to-zero")
def count_falls_to_zero(draft: AssertionDraft) -> None:
    draft.sign_count = 0


@mutation("ok.reg-none")
@mutation("ok.login")
@mutation("reg.packed.self-ok")
@mutation("reg.ad.aaguid-nonzero-none")
@mutation("auth.ad.counter-both-zero")
def nothing(draft: Draft) -> None:
    """These are whole ceremonies; what is special about them is what they need."""
