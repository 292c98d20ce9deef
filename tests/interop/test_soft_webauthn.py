"""The device of soft-webauthn, which shares no code with ours, and our client do the same work."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
import webauthn
from webauthn.helpers import options_to_json

from authctl.server.running import temporary_server
from authctl.virtual_authenticator import ES256, Client, Gesture, VirtualAuthenticator
from authctl.virtual_authenticator.errors import NotSupported
from authctl.virtual_authenticator.harness.accounts import Account
from authctl.virtual_authenticator.harness.answers import require_json
from authctl.virtual_authenticator.harness.transport import Request, Transport
from authctl.virtual_authenticator.soft_device import SoftDevice
from tests.virtual_authenticator.relying_party import ORIGIN, RP_ID, creation_options

pytestmark = pytest.mark.interop


def is_accepted(device: SoftDevice | Client) -> bool:
    """Whether a registration and two logins without user verification pass."""
    options = webauthn.generate_registration_options(rp_id=RP_ID, rp_name="Test", user_name="jane", user_id=b"handle")
    registered = webauthn.verify_registration_response(
        credential=json.dumps(device.create(options_to_json(options))),
        expected_challenge=options.challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
    )
    count = registered.sign_count
    for _ in range(2):
        request = webauthn.generate_authentication_options(rp_id=RP_ID)
        verified = webauthn.verify_authentication_response(
            credential=json.dumps(device.get(options_to_json(request))),
            expected_challenge=request.challenge,
            expected_rp_id=RP_ID,
            expected_origin=ORIGIN,
            credential_public_key=registered.credential_public_key,
            credential_current_sign_count=count,
        )
        assert verified.new_sign_count == count + 1
        assert not verified.user_verified
        count = verified.new_sign_count
    return True


def test_the_foreign_device_and_our_client_pass_the_same_checks() -> None:
    unverified = Gesture(is_user_verified=False)
    assert is_accepted(SoftDevice(ORIGIN))
    assert is_accepted(Client(VirtualAuthenticator(), ORIGIN, gesture=unverified))


def test_the_foreign_device_and_our_client_answer_with_the_same_members() -> None:
    options = creation_options(authenticatorSelection={}, pubKeyCredParams=[{"type": "public-key", "alg": ES256}])
    foreign, own = SoftDevice(ORIGIN).create(options), Client(VirtualAuthenticator(), ORIGIN).create(options)
    assert set(foreign) <= set(own)
    assert set(foreign["response"]) <= set(own["response"])


def test_the_error_says_how_to_get_the_device_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("authctl.virtual_authenticator.soft_device.import_module", missing)
    with pytest.raises(NotSupported, match="not installed"):
        SoftDevice(ORIGIN)
    assert importlib.import_module("soft_webauthn").SoftWebauthnDevice is not None


def test_the_foreign_device_registers_and_logs_in_when_the_service_does_without_verification() -> None:
    with temporary_server(user_verification="preferred") as server, Transport(server.url) as transport:
        device = SoftDevice(server.url)
        email = "soft@example.com"

        def post(path: str, body: dict[str, Any], expected: int) -> dict[str, Any]:
            return require_json(transport.send(Request("POST", path, body)), expected, sent="")

        options = post("/register/begin", Account(email).profile(), 200)
        user = post("/register/complete", {"email": email, "credential": device.create(options)}, 201)
        for _ in range(2):
            assertion = device.get(post("/login/begin", {"email": email}, 200))
            token = post("/login/complete", {"email": email, "assertion": assertion}, 200)
            assert token["user"]["id"] == user["id"]
