"""Faults of the members of the client data, in both ceremonies; everything is signed again after the change."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.base64url import decode
from authctl.virtual_authenticator.faults.base64_forms import padded, with_spare_bits
from authctl.virtual_authenticator.faults.drafts import Draft, text
from authctl.virtual_authenticator.faults.interface import Layer, Unlucky
from authctl.virtual_authenticator.faults.interface import fault as any_fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.interface import Alter

fault = partial(any_fault, Layer.CLIENT_DATA)

PORTAL: Final = "https://portal.example.net"
"""A page that a server may be told to be framed by."""

_OTHER: Final = {"webauthn.create": "webauthn.get", "webauthn.get": "webauthn.create"}


def _without(name: str) -> Alter:
    return lambda draft: draft.client.pop(name)


def _with(name: str, value: object) -> Alter:
    return lambda draft: draft.client.update({name: value})


def _changed(name: str, change: Callable[[str], object]) -> Alter:
    return lambda draft: draft.client.update({name: change(draft.client[name])})


for member in ("type", "challenge", "origin"):
    fault(f"cd.{member}-missing")(_without(member))
    fault(f"cd.{member}-is-null")(_with(member, None))
    fault(f"cd.{member}-empty")(_with(member, ""))

fault("cd.type-not-string", "number")(_with("type", 1))
fault("cd.type-not-string", "array")(_changed("type", lambda value: [value]))
fault("cd.type-wrong")(_with("type", "webauthn.sign"))
fault("cd.type-payment")(_with("type", "payment.get"))
fault("cd.type-swapped")(_changed("type", lambda value: _OTHER[value]))
fault("cd.type-case")(_changed("type", str.upper))
fault("cd.type-suffix", "NUL")(_changed("type", lambda value: value + "\0"))
fault("cd.type-suffix", "space")(_changed("type", lambda value: value + " "))
fault("cd.type-suffix", "more")(_changed("type", lambda value: value + ".now"))
fault("cd.type-prefix")(_changed("type", lambda value: value[: len("webauthn.")]))
fault("cd.type-u2f")(
    _changed(
        "type",
        lambda value: {"webauthn.create": "navigator.id.finishEnrollment"}.get(value, "navigator.id.getAssertion"),
    )
)

fault("cd.challenge-array")(_changed("challenge", lambda value: [value]))
fault("cd.challenge-object")(_changed("challenge", lambda value: {"challenge": value}))
fault("cd.challenge-number")(_with("challenge", 0))
fault("cd.challenge-wrong")(lambda draft: _challenge(draft, secrets.token_bytes(32)))
fault("cd.challenge-zero")(lambda draft: _challenge(draft, bytes(len(_issued(draft)))))
fault("cd.challenge-prefix")(lambda draft: _challenge(draft, _issued(draft)[:-1]))
fault("cd.challenge-extended")(lambda draft: _challenge(draft, _issued(draft) + b"\0"))
fault("cd.challenge-bit-flip")(lambda draft: _challenge(draft, bytes([_issued(draft)[0] ^ 1]) + _issued(draft)[1:]))
fault("cd.challenge-twice-encoded")(_changed("challenge", lambda value: text(value.encode())))
fault("cd.challenge-hex")(lambda draft: draft.client.update(challenge=_issued(draft).hex()))
fault("cd.challenge-case")(_changed("challenge", str.swapcase))
fault("cd.challenge-padded")(_changed("challenge", lambda value: padded(value) if len(value) % 4 else value + "===="))
fault("cd.challenge-junk-chars")(_changed("challenge", lambda value: value + "!!!!"))
fault("cd.challenge-whitespace")(_changed("challenge", lambda value: f" {value}\n"))


@fault("cd.challenge-spare-bits")
def challenge_with_spare_bits(draft: Draft) -> None:
    """The right challenge in a spelling that was never issued; one that comes out even gets foreign characters."""
    value = draft.client["challenge"]
    draft.client["challenge"] = with_spare_bits(value) if len(value) % 4 else value + "!!!!"


@fault("cd.challenge-std-alphabet")
def challenge_in_the_old_alphabet(draft: Draft) -> None:
    """The right challenge in the alphabet with + and /, of which it has to have one."""
    value = draft.client["challenge"]
    changed = value.translate(str.maketrans("-_", "+/"))
    if changed == value:
        raise Unlucky("The challenge has no character that the other alphabet writes otherwise")
    draft.client["challenge"] = changed


def _challenge(draft: Draft, value: bytes) -> None:
    draft.client["challenge"] = text(value)


def _issued(draft: Draft) -> bytes:
    return decode(draft.client["challenge"])


fault("cd.cross-origin-true")(_with("crossOrigin", True))
fault("cd.cross-origin-string")(_with("crossOrigin", "false"))
fault("cd.cross-origin-string", "true")(_with("crossOrigin", "true"))
fault("cd.cross-origin-number")(_with("crossOrigin", 1))
fault("cd.cross-origin-null")(_with("crossOrigin", None))
fault("cd.cross-origin-absent")(_without("crossOrigin"))
fault("cd.top-origin-without-cross")(_with("crossOrigin", False))
fault("cd.top-origin-mismatch")(_with("topOrigin", "https://attacker.test"))
fault("cd.top-origin-not-string")(_changed("topOrigin", lambda value: [value]))
fault("cd.top-origin-empty")(_with("topOrigin", ""))
fault("cd.top-origin-null")(_with("topOrigin", None))
fault("cd.top-origin-subdomain")(_changed("topOrigin", lambda value: value.replace("://", "://elsewhere.")))
fault("cd.top-origin-suffix-trick")(_changed("topOrigin", lambda value: value + ".attacker.test"))
fault("cd.top-origin-http")(_changed("topOrigin", lambda value: "http:" + value.partition(":")[2]))


@fault("cd.cross-origin-true-expected")
def cross_origin_where_it_is_expected(draft: Draft) -> None:
    """Nothing: the client is in a frame, and says so."""


@fault("cd.top-origin-unexpected")
def framed(draft: Draft) -> None:
    """In a frame, and the page around it named."""
    draft.client |= {"crossOrigin": True, "topOrigin": PORTAL}


@fault("cd.top-origin-own")
def framed_by_itself(draft: Draft) -> None:
    """A top origin that is the server's own, beside a crossOrigin that denies the frame."""
    draft.client |= {"crossOrigin": False, "topOrigin": draft.origin}


fault("cd.tokenbinding-not-object")(_with("tokenBinding", "none"))
fault("cd.tokenbinding-bad-status")(_with("tokenBinding", {"status": "imagined"}))
fault("cd.tokenbinding-no-status")(_with("tokenBinding", {"id": text(bytes(32))}))
fault("cd.tokenbinding-present")(_with("tokenBinding", {"status": "present", "id": text(bytes(32))}))
fault("cd.tokenbinding-unsupported")(_with("tokenBinding", {"status": "not-supported"}))
fault("cd.extra-members")(_with("extraData", "clients may add members, as they did before"))
