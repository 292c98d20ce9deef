"""Faults of the authenticator data outside of the attested credential, signed again after the change."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.faults.drafts import AssertionDraft, Draft, Flag, RegistrationDraft, encode
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.interface import Alter

fault = partial(any_fault, Layer.AUTHENTICATOR_DATA)

HEAD_BYTES: Final = 37
LARGEST_COUNT: Final = 0xFFFFFFFF
"""Four bytes hold no more."""


def both(name: str, alter: Alter, variant: str = "") -> None:
    """Enters a fault for both ceremonies."""
    for ceremony in ("reg", "auth"):
        fault(f"{ceremony}.ad.{name}", variant)(alter)


def _hash(make: Callable[[Draft], bytes]) -> Alter:
    return lambda draft: setattr(draft, "rp_id_hash", make(draft))


def _set(flags: int) -> Alter:
    return lambda draft: setattr(draft, "flags", draft.flags | flags)


def _clear(flags: int) -> Alter:
    return lambda draft: setattr(draft, "flags", draft.flags & ~flags)


def _finished(make: Callable[[bytes], bytes]) -> Alter:
    return lambda draft: setattr(draft, "authenticator_bytes", make(draft.authenticator_data()))


def _count(make: Callable[[int], int]) -> Alter:
    return lambda draft: setattr(draft, "sign_count", make(draft.sign_count))


def nothing(draft: Draft) -> None:
    """A whole ceremony; what is special about it is what it needs."""


def _rp_id(draft: Draft) -> str:
    if isinstance(draft, RegistrationDraft):
        return str(draft.options.get("rp", {}).get("id", draft.host))
    return str(draft.options.get("rpId", draft.host))


both("rpid-hash-wrong", _hash(lambda _: sha256(b"attacker.test").digest()))
both("rpid-hash-of-origin", _hash(lambda draft: sha256(draft.origin.encode()).digest()))
both("rpid-hash-zero", _hash(lambda _: bytes(32)))
both("rpid-hash-case", _hash(lambda draft: sha256(_rp_id(draft).upper().encode()).digest()))
both("rpid-hash-subdomain", _hash(lambda draft: sha256(f"www.{_rp_id(draft)}".encode()).digest()))
both("rpid-hash-last-byte", _hash(lambda draft: draft.rp_id_hash[:-1] + bytes([draft.rp_id_hash[-1] ^ 1])))
both("up-clear", _clear(Flag.UP))
both("flags-zero", _clear(Flag.UP | Flag.UV | Flag.BE | Flag.BS))
both("uv-clear-required", _clear(Flag.UV))
both("uv-clear-preferred", _clear(Flag.UV))
both("bs-without-be", lambda draft: setattr(draft, "flags", draft.flags & ~Flag.BE | Flag.BS))
both("rfu-bits", _set(0x02 | 0x20))
both("trailing-bytes", lambda draft: setattr(draft, "trailing", b"\x00"))
both("short", _finished(lambda data: data[: HEAD_BYTES - 1]))
both("empty", _finished(lambda _: b""))
both("one-byte", _finished(lambda data: data[:1]))

fault("reg.ad.up-clear-conditional")(_clear(Flag.UP))
fault("reg.ad.be-only")(lambda draft: setattr(draft, "flags", draft.flags & ~Flag.BS | Flag.BE))
fault("reg.ad.be-bs")(_set(Flag.BE | Flag.BS))
fault("reg.ad.at-clear-with-data")(_clear(Flag.AT))
fault("reg.ad.counter-max")(_count(lambda _: LARGEST_COUNT))
fault("reg.ad.head-only")(_finished(lambda data: data[:HEAD_BYTES]))
fault("reg.ad.no-credential")(
    lambda draft: setattr(draft, "authenticator_bytes", draft.rp_id_hash + bytes([draft.flags & ~Flag.AT]) + bytes(4))
)
fault("reg.ad.trailing-bytes", "a second key")(lambda draft: setattr(draft, "trailing", draft.public_key()))

fault("auth.ad.up-uv-clear-preferred")(_clear(Flag.UP | Flag.UV))
fault("auth.ad.uv-set-discouraged")(_set(Flag.UV))
fault("auth.ad.be-appears")(_set(Flag.BE))
fault("auth.ad.be-disappears")(_clear(Flag.BE | Flag.BS))
fault("auth.ad.bs-toggles")(lambda draft: setattr(draft, "flags", draft.flags ^ Flag.BS))
fault("auth.ad.counter-lower")(_count(lambda count: count - 2))
fault("auth.ad.counter-equal")(_count(lambda count: count - 1))
fault("auth.ad.counter-to-zero")(_count(lambda _: 0))
fault("auth.ad.counter-jump")(_count(lambda count: count + 1_000_000))
fault("auth.ad.counter-both-zero")(nothing)
for algorithm in (
    "es256",
    "es384",
    "es512",
    "es256k",
    "eddsa",
    "ed25519",
    "ed448",
    "esp256",
    "rs256",
    "rs384",
    "rs512",
):
    fault(f"alg.{algorithm}")(nothing)
for algorithm in ("ps256", "ps384", "ps512", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"):
    fault(f"alg.{algorithm}")(nothing)
fault("ok.reg-none")(nothing)
fault("ok.login")(nothing)
fault("ok.login-usernameless")(nothing)


@fault("auth.ad.at-set")
def credential_in_an_assertion(draft: AssertionDraft) -> None:
    """Attested credential data, with its flag, where only registrations have any."""
    draft.flags |= Flag.AT
    key = draft.private.public_cose()
    draft.attested_bytes = bytes(16) + (32).to_bytes(2, "big") + bytes(32) + key


@fault("auth.ad.at-set", "without data")
def credential_announced_in_an_assertion(draft: AssertionDraft) -> None:
    """The flag of attested credential data alone."""
    draft.flags |= Flag.AT


@fault("auth.ad.at-data-unflagged")
def credential_in_an_assertion_unannounced(draft: AssertionDraft) -> None:
    """Attested credential data without its flag."""
    draft.attested_bytes = bytes(16) + (32).to_bytes(2, "big") + bytes(32) + draft.private.public_cose()


@fault("auth.ad.long")
def kilobytes_of_authenticator_data(draft: AssertionDraft) -> None:
    """Thirty kilobytes after the head."""
    draft.trailing = bytes(30_000)


@fault("auth.ad.ctap-bytes")
def authenticator_data_as_a_cbor_string(draft: AssertionDraft) -> None:
    """The authenticator data inside a CBOR byte string, as CTAP hands it on."""
    draft.authenticator_bytes = encode(draft.authenticator_data())


@fault("auth.ad.swapped-count")
def count_in_the_other_byte_order(draft: AssertionDraft) -> None:
    """The count with its least byte first, which makes it jump."""
    draft.sign_count = int.from_bytes(draft.sign_count.to_bytes(4, "little"), "big")
