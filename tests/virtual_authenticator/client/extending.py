"""Clients that are asked for extensions, and what they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authctl.virtual_authenticator import (
    AuthenticatorData,
    Client,
    Gesture,
    VirtualAuthenticator,
)
from authctl.virtual_authenticator.base64url import decode
from tests.virtual_authenticator.relying_party import RP_ID, creation_options, request_options

if TYPE_CHECKING:
    from authctl.virtual_authenticator import CredentialStore

ORIGIN = f"https://{RP_ID}"
UNVERIFIED = Gesture(is_user_verified=False)
REQUIRED = "userVerificationRequired"


def client_of(preset: str = "platform", store: CredentialStore | None = None) -> Client:
    """A client with an authenticator of that kind."""
    return Client(VirtualAuthenticator(preset, store=store), ORIGIN)


def created(client: Client, extensions: object, **changes: Any) -> tuple[dict[str, Any], AuthenticatorData]:
    """A registration with extensions, and its authenticator data."""
    selection = {"residentKey": "preferred", "userVerification": "preferred"}
    options = creation_options(**{"authenticatorSelection": selection, "extensions": extensions, **changes})
    response = client.create(options)
    return response, AuthenticatorData(decode(response["response"]["authenticatorData"]))


def got(client: Client, extensions: object, *ids: str, **changes: Any) -> dict[str, Any]:
    """The results of a login with extensions."""
    options = request_options(*ids, **{"userVerification": "preferred", "extensions": extensions, **changes})
    results: dict[str, Any] = client.get(options)["clientExtensionResults"]
    return results
