"""The table of attestation statement formats; a new one is a file and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.attestation.none import NoAttestation
from authctl.virtual_authenticator.attestation.packed import PackedSelf
from authctl.virtual_authenticator.errors import NotSupported

if TYPE_CHECKING:
    from authctl.virtual_authenticator.attestation.interface import AttestationFormat

FORMATS: Final[dict[str, AttestationFormat]] = {made.identifier: made for made in (NoAttestation(), PackedSelf())}


def format_named(identifier: str) -> AttestationFormat:
    """The format of that identifier; NotSupported when there is none."""
    try:
        return FORMATS[identifier]
    except KeyError:
        known = ", ".join(FORMATS)
        raise NotSupported(
            f"The attestation format {identifier!r} is not known here", hint=f"One of: {known}"
        ) from None
