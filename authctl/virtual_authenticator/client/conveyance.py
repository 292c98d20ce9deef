"""How much of an attestation the client passes on (WebAuthn Level 3 §5.1.3, attestation conveyance)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from authctl.virtual_authenticator.authenticator.make_credential import MadeCredential

_NO_MODEL: Final = bytes(16)


def conveyed(made: MadeCredential, preference: str) -> MadeCredential:
    """The credential with its statement, or without it when the relying party prefers `none`.

    `indirect` and `direct` get what the authenticator made; so does `enterprise`, for which no policy here allows more.
    """
    if preference != "none":
        return made
    attested = made.authenticator_data.attested
    is_anonymous_self_attestation = (
        attested is not None
        and attested.aaguid == _NO_MODEL
        and made.format == "packed"
        and "x5c" not in made.statement
    )
    # Self attestation of no particular model identifies nothing, so the standard lets it through.
    return made if is_anonymous_self_attestation else replace(made, format="none", statement={})
