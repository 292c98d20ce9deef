"""The JSON that a browser's `PublicKeyCredential.toJSON()` gives (§5.1), made from what the authenticator answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cbor2

from authctl.virtual_authenticator.base64url import decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.authenticator.get_assertion import Assertion
    from authctl.virtual_authenticator.authenticator.make_credential import MadeCredential
    from authctl.virtual_authenticator.credential_store.interface import Credential


def registration_response(
    made: MadeCredential, client_data_json: bytes, extension_results: Mapping[str, object]
) -> dict[str, Any]:
    """RegistrationResponseJSON."""
    credential = made.credential
    response = {
        "clientDataJSON": encode(client_data_json),
        "attestationObject": encode(made.attestation_object()),
        "authenticatorData": encode(made.authenticator_data),
        "transports": sorted(credential.transports),
        "publicKey": encode(credential.key.public_spki()),
        "publicKeyAlgorithm": credential.key.algorithm.identifier,
    }
    return _public_key_credential(credential, response, extension_results)


def format_of(response: Mapping[str, Any]) -> str:
    """The attestation statement format in a RegistrationResponseJSON of this client."""
    attestation_object = cbor2.loads(decode(response["response"]["attestationObject"]))
    return str(attestation_object["fmt"])


def authentication_response(
    assertion: Assertion, client_data_json: bytes, extension_results: Mapping[str, object]
) -> dict[str, Any]:
    """AuthenticationResponseJSON; without `userHandle` when the authenticator gave none."""
    response = {
        "clientDataJSON": encode(client_data_json),
        "authenticatorData": encode(assertion.authenticator_data),
        "signature": encode(assertion.signature),
    }
    if assertion.user_handle is not None:
        response["userHandle"] = encode(assertion.user_handle)
    return _public_key_credential(assertion.credential, response, extension_results)


def _public_key_credential(
    credential: Credential, response: dict[str, Any], extension_results: Mapping[str, object]
) -> dict[str, Any]:
    identifier = encode(credential.credential_id)
    return {
        "id": identifier,
        "rawId": identifier,
        "type": "public-key",
        "response": response,
        "authenticatorAttachment": credential.attachment,
        "clientExtensionResults": dict(extension_results),
    }
