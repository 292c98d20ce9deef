"""largeBlob (WebAuthn Level 3 §10.1.5): a blob that the relying party keeps with a credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator import base64url
from authctl.virtual_authenticator.client.extensions.plan import CreatePlan, GetPlan
from authctl.virtual_authenticator.client.extensions.values import bytes_of, members_of
from authctl.virtual_authenticator.errors import NotAllowed, NotSupported, OptionsInvalid

if TYPE_CHECKING:
    from authctl.virtual_authenticator.authenticator.get_assertion import Assertion
    from authctl.virtual_authenticator.client.extensions.plan import Context

_CTAP: Final = "largeBlobKey"


def create(value: Any, context: Context) -> CreatePlan:
    """Asks for room: `required` or `preferred`."""
    members = members_of(value, "largeBlob")
    # Client processing for registration, step 1.
    if "read" in members or "write" in members:
        raise NotSupported("largeBlob can be read or written in a login only")
    support = members.get("support")
    if support not in (None, "required", "preferred"):
        raise OptionsInvalid(f"largeBlob.support {support!r} is not known")
    # Step 2: an authenticator without room for blobs is no candidate.
    if support == "required" and not (context.has(_CTAP) and context.is_discoverable):
        raise NotAllowed("The server demands room for a large blob, which this authenticator does not have")
    return CreatePlan({_CTAP: True}, result=lambda made: {"supported": made.credential.extensions.has_large_blob})


def get(value: Any, context: Context) -> GetPlan:
    """Reads the blob, or writes it to the one credential that is named."""
    members = members_of(value, "largeBlob")
    # Client processing for authentication, steps 1 and 2.
    if "support" in members:
        raise NotSupported("largeBlob.support is for registrations only")
    if "read" in members and "write" in members:
        raise NotSupported("largeBlob is either read or written")
    if "write" in members:
        # Step 4: a blob is written to one credential that is known beforehand.
        if len(context.named) != 1:
            raise NotSupported("largeBlob is written to exactly one credential of allowCredentials")
        blob = bytes_of(members["write"], "largeBlob.write")
        return GetPlan(result=lambda assertion: _written(assertion, blob, context))
    # Step 3.
    return GetPlan(result=_read) if members.get("read") is True else GetPlan(result=lambda _: {})


def _read(assertion: Assertion) -> dict[str, Any]:
    blob = assertion.credential.extensions.large_blob
    return {} if blob is None else {"blob": base64url.encode(blob)}


def _written(assertion: Assertion, blob: bytes, context: Context) -> dict[str, Any]:
    return {"written": context.authenticator.write_large_blob(assertion.credential.credential_id, blob)}
