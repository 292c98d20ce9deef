"""The JSON that a browser's `PublicKeyCredential.toJSON()` gives (WebAuthn section 5.1): read once, into bytes.

Unknown members are ignored, for the object grows with browsers, and so is `authenticatorAttachment`, whose unknown
values stand for null. Everything else is exact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies import base64url, client_data
from authctl.server.ceremonies.reasons import Reason

if TYPE_CHECKING:
    from authctl.server.ceremonies.client_data import ClientData

MAX_TRANSPORTS: Final = 8
_TRANSPORT: Final = re.compile(r"[a-z][a-z-]{0,31}")


@dataclass(frozen=True, slots=True)
class RegistrationResponse:
    """The answer of `navigator.credentials.create()`; `client` is `client_data` parsed."""

    credential_id: bytes
    client_data: bytes
    client: ClientData
    attestation_object: bytes
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssertionResponse:
    """The answer of `navigator.credentials.get()`; `client` is `client_data` parsed."""

    credential_id: bytes
    client_data: bytes
    client: ClientData
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None


def read_registration(credential: object) -> RegistrationResponse:
    """The parts of a registration; raises CeremonyFailed with `malformed_response` or `client_data_malformed`."""
    try:
        credential_id, response = _outer(credential)
        collected = _octets(response, "clientDataJSON")
        attestation_object = _octets(response, "attestationObject")
        transports = _transports(response.get("transports"))
    except ValueError as error:
        raise CeremonyFailed(Reason.MALFORMED_RESPONSE, debug=str(error)) from error
    return RegistrationResponse(credential_id, collected, client_data.read(collected), attestation_object, transports)


def read_assertion(credential: object) -> AssertionResponse:
    """The parts of an assertion; raises CeremonyFailed with `malformed_response` or `client_data_malformed`."""
    try:
        credential_id, response = _outer(credential)
        collected = _octets(response, "clientDataJSON")
        authenticator_data, signature = _octets(response, "authenticatorData"), _octets(response, "signature")
        user_handle = None if response.get("userHandle") is None else _octets(response, "userHandle")
    except ValueError as error:
        raise CeremonyFailed(Reason.MALFORMED_RESPONSE, debug=str(error)) from error
    return AssertionResponse(
        credential_id, collected, client_data.read(collected), authenticator_data, signature, user_handle
    )


def presented_challenge(credential: object) -> bytes | None:
    """The challenge that a defective answer names, if one can be made out: it is consumed all the same (R-CH-03).

    Nothing else is ever taken from here, so this reading may be lenient.
    """
    try:
        response = credential["response"]  # type: ignore[index]
        client_data = json.loads(base64url.decode(response["clientDataJSON"]))
        return base64url.decode(client_data["challenge"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _outer(credential: object) -> tuple[bytes, Mapping[str, Any]]:
    if not isinstance(credential, Mapping):
        raise ValueError("the credential is not an object")  # noqa: TRY004 - one exception for everything unreadable
    credential_id = _octets(credential, "rawId")
    if credential.get("id") != credential["rawId"]:
        raise ValueError("id and rawId differ")
    if credential.get("type") != "public-key":
        raise ValueError("type is not public-key")
    response = credential.get("response")
    if not isinstance(response, Mapping):
        raise ValueError("response is not an object")  # noqa: TRY004 - as above
    return credential_id, response


def _octets(members: Mapping[str, Any], name: str) -> bytes:
    text = members.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name} is missing or not text")  # noqa: TRY004 - as above
    return base64url.decode(text)


def _transports(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("transports is not a list of names")
    # Unknown ones are kept (section 5.2.1.1 asks to store what came); what is no token at all is not.
    return tuple(name for name in value[:MAX_TRANSPORTS] if _TRANSPORT.fullmatch(name))
