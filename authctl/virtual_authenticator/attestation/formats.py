"""The table of attestation statement formats; a new one is a file and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.attestation.android_key import AndroidKey
from authctl.virtual_authenticator.attestation.apple import Apple
from authctl.virtual_authenticator.attestation.fido_u2f import FidoU2f
from authctl.virtual_authenticator.attestation.none import NoAttestation
from authctl.virtual_authenticator.attestation.packed import PackedCertified, PackedSelf
from authctl.virtual_authenticator.attestation.tpm import Tpm
from authctl.virtual_authenticator.errors import NotSupported

if TYPE_CHECKING:
    from authctl.virtual_authenticator.attestation.interface import AttestationFormat

_ALL: Final[tuple[AttestationFormat, ...]] = (
    NoAttestation(),
    PackedSelf(),
    PackedCertified(),
    FidoU2f(),
    Tpm(),
    AndroidKey(),
    Apple(),
)
FORMATS: Final[dict[str, AttestationFormat]] = {made.name: made for made in _ALL}
"""By name: `packed` is self attestation, `packed-x5c` comes with a certificate; the others are named by their `fmt`."""


def format_named(name: str) -> AttestationFormat:
    """The format of that name; NotSupported when there is none."""
    try:
        return FORMATS[name]
    except KeyError:
        known = ", ".join(FORMATS)
        raise NotSupported(f"The attestation format {name!r} is not known here", hint=f"One of: {known}") from None
