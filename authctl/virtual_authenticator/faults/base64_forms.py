"""Faults of base64url in the envelope: the same bytes in a form that only some decoders take."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.faults.drafts import AssertionDraft, Draft, RegistrationDraft, text
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.interface import Alter

fault = partial(any_fault, Layer.ENVELOPE)

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_OLD: Final = str.maketrans("-_", "+/")
_BINARY: Final = ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle")


def in_every_part(draft: Draft, change: Callable[[str], str]) -> None:
    """Sends the message with all the binary parts of its response written in another way."""
    document = draft.put_together()
    response = document["response"]
    response |= {name: change(response[name]) for name in _BINARY if isinstance(response.get(name), str)}
    draft.send(document)


def padded(value: str) -> str:
    """With the padding of RFC 4648."""
    return value + "=" * (-len(value) % 4)


def in_the_old_alphabet(value: str) -> str:
    """With + and / for the two characters that URLs do not like."""
    return value.translate(_OLD)


def with_spare_bits(value: str) -> str:
    """With the bits set that stand for nothing; the value must not come out even."""
    return value[:-1] + _ALPHABET[_ALPHABET.index(value[-1]) + 1]


def with_one_left_over(value: str) -> str:
    """Cut short, so that a single character is left over, which stands for no byte."""
    return value[: (len(value) - 1) // 4 * 4 + 1]


@fault("reg.env.padded-base64url")
@fault("auth.env.padded-base64url")
def with_padding(draft: Draft) -> None:
    """Every part padded."""
    in_every_part(draft, padded)


@fault("reg.env.std-base64")
def registration_in_the_old_alphabet(draft: RegistrationDraft) -> None:
    """Every part in the alphabet with + and /."""
    in_every_part(draft, in_the_old_alphabet)


@fault("auth.env.std-base64")
def assertion_in_the_old_alphabet(draft: AssertionDraft) -> None:
    """Every part in the alphabet with + and /, of which the signature has one."""
    draft.seal()
    while not {"-", "_"} & {*text(draft.signature or b"")}:
        draft.seal()
    in_every_part(draft, in_the_old_alphabet)


@fault("reg.env.base64-whitespace")
@fault("auth.env.base64-whitespace")
def with_line_breaks(draft: Draft) -> None:
    """A line break in every part."""
    in_every_part(draft, lambda value: value[:8] + "\n" + value[8:])


def _one_part(name: str, change: Callable[[str], str]) -> Alter:
    def alter(draft: RegistrationDraft | AssertionDraft) -> None:
        draft.respond(**{name: change(draft.put_together()["response"][name])})

    return alter


@fault("reg.env.base64-spare-bits", "rawId")
@fault("auth.env.base64-spare-bits", "rawId")
def id_with_spare_bits(draft: Draft) -> None:
    """The id in its other spelling."""
    draft.envelope["id"] = draft.envelope["rawId"] = with_spare_bits(draft.envelope["rawId"])


@fault("reg.env.base64-spare-bits", "attestationObject")
def attestation_object_with_spare_bits(draft: RegistrationDraft) -> None:
    """The attestation object in its other spelling."""
    while len(draft.attestation_object()) % 3 == 0:
        draft.rename(draft.credential_id + b"\x01")
    draft.respond(attestationObject=with_spare_bits(text(draft.attestation_object())))


@fault("auth.env.base64-spare-bits", "signature")
def signature_with_spare_bits(draft: AssertionDraft) -> None:
    """The signature in its other spelling."""
    draft.seal()
    while len(draft.signature or b"") % 3 == 0:
        draft.seal()
    draft.respond(signature=with_spare_bits(text(draft.signature or b"")))


fault("auth.env.base64-spare-bits", "authenticatorData")(_one_part("authenticatorData", with_spare_bits))
for case_id, part in (
    ("auth.env.base64-truncated", "signature"),
    ("reg.env.base64-truncated", "attestationObject"),
):
    fault(case_id, part)(_one_part(part, with_one_left_over))
