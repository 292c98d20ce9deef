"""Extensions from the options to clientExtensionResults and the authenticator data (WebAuthn Level 3 §9, §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import AuthenticatorError
from authctl.virtual_authenticator import (
    SECURITY_KEY,
    AuthenticatorData,
    Client,
    Flag,
    MakeCredentialRequest,
    UserEntity,
    VirtualAuthenticator,
)
from authctl.virtual_authenticator.authenticator.extensions.large_blob_key import LARGEST_BLOB
from authctl.virtual_authenticator.authenticator.get_assertion import GetAssertionRequest
from authctl.virtual_authenticator.base64url import decode, encode
from authctl.virtual_authenticator.errors import (
    CredentialExcluded,
    NoCredential,
    NotAllowed,
    NotSupported,
    OptionsInvalid,
    OriginNotAllowed,
)
from tests.virtual_authenticator.client.extending import REQUIRED, UNVERIFIED, client_of, created, got
from tests.virtual_authenticator.relying_party import RP_ID, creation_options, request_options

if TYPE_CHECKING:
    from authctl.virtual_authenticator import CredentialStore


@pytest.mark.parametrize("extensions", [None, {}, {"example.unknown": {"x": 1}}, {"uvm": True}, {"credProps": None}])
def test_what_nobody_knows_is_ignored(extensions: object) -> None:
    client = client_of()
    response, data = created(client, extensions)
    assert response["clientExtensionResults"] == {}
    assert not data.flags & Flag.ED
    assert got(client, extensions) == {}


def test_options_are_refused_when_extensions_are_not_an_object() -> None:
    with pytest.raises(OptionsInvalid):
        created(client_of(), ["credProps"])


@pytest.mark.parametrize(("resident_key", "expected"), [("required", True), ("discouraged", False)])
def test_cred_props_tells_whether_the_credential_is_discoverable(resident_key: str, expected: bool) -> None:
    client = client_of("security-key")
    response, data = created(client, {"credProps": True}, authenticatorSelection={"residentKey": resident_key})
    assert response["clientExtensionResults"] == {"credProps": {"rk": expected}}
    assert data.extensions == {}


def test_cred_props_says_nothing_when_it_is_not_asked_for() -> None:
    assert created(client_of(), {"credProps": False})[0]["clientExtensionResults"] == {}


def test_the_outputs_of_the_authenticator_are_signed() -> None:
    client = client_of("security-key")
    asked = {"credentialProtectionPolicy": REQUIRED, "hmacCreateSecret": True, "minPinLength": True}
    response, data = created(client, asked)
    assert data.flags & Flag.ED
    assert data.extensions == {"credProtect": 3, "hmac-secret": True, "minPinLength": 4}
    assert response["clientExtensionResults"] == {"hmacCreateSecret": True}


@pytest.mark.parametrize("asked", [{"hmacCreateSecret": False}, {"minPinLength": False}])
def test_nothing_is_signed_when_nothing_was_asked_for(asked: dict[str, Any]) -> None:
    response, data = created(client_of("security-key"), asked)
    assert (response["clientExtensionResults"], data.extensions) == ({}, {})


def test_inputs_of_registrations_have_no_outputs_in_a_login() -> None:
    client = client_of("security-key")
    response, _ = created(client, {"credentialProtectionPolicy": REQUIRED})
    inputs = {"credProtect": 1, "largeBlobKey": True, "minPinLength": True, "hmac-secret": True}
    request = GetAssertionRequest(RP_ID, bytes(32), (decode(response["id"]),), extensions=inputs)
    assert client.authenticator.get_assertion(request).authenticator_data.extensions == {}


def test_a_model_without_extensions_has_no_outputs() -> None:
    asked = {"credentialProtectionPolicy": REQUIRED, "prf": {}, "largeBlob": {}, "minPinLength": True}
    response, data = created(client_of("u2f-token"), asked)
    assert response["clientExtensionResults"] == {"prf": {"enabled": False}, "largeBlob": {"supported": False}}
    assert data.extensions == {}


class TestCredProtect:
    @pytest.mark.parametrize("policy", [[], {}, 7, True, "userVerificationSometimes"])
    def test_the_options_are_refused_when_the_policy_is_none(self, policy: object) -> None:
        asked = {"credentialProtectionPolicy": policy, "enforceCredentialProtectionPolicy": True}
        with pytest.raises(OptionsInvalid, match="credentialProtectionPolicy"):
            created(client_of(), asked)
        with pytest.raises(OptionsInvalid, match="credentialProtectionPolicy"):
            created(client_of("u2f-token"), dict(reversed(asked.items())))

    def test_a_protected_credential_is_not_there_when_the_user_is_not_verified(self, store: CredentialStore) -> None:
        client = client_of(store=store)
        response, _ = created(client, {"credentialProtectionPolicy": REQUIRED})
        for ids in ((), (response["id"],)):
            options = request_options(*ids, userVerification="preferred")
            with pytest.raises(NoCredential):
                client.get(options, gesture=UNVERIFIED)
            assert client.get(options)["id"] == response["id"]

    def test_a_credential_has_to_be_named_when_its_protection_says_so(self) -> None:
        client = client_of()
        asked = {"credentialProtectionPolicy": "userVerificationOptionalWithCredentialIDList"}
        response, data = created(client, asked)
        assert data.extensions == {"credProtect": 2}
        with pytest.raises(NoCredential):
            client.get(request_options(userVerification="preferred"), gesture=UNVERIFIED)
        options = request_options(response["id"], userVerification="preferred")
        assert client.get(options, gesture=UNVERIFIED)["id"] == response["id"]

    def test_a_protected_credential_excludes_nothing_when_the_user_is_not_verified(self) -> None:
        client = client_of()
        response, _ = created(client, {"credentialProtectionPolicy": REQUIRED})
        options = creation_options(
            authenticatorSelection={"userVerification": "preferred"},
            excludeCredentials=[{"type": "public-key", "id": response["id"]}],
        )
        with pytest.raises(CredentialExcluded):
            client.create(options)
        assert client.create(options, gesture=UNVERIFIED)["id"] != response["id"]

    def test_a_policy_that_must_be_kept_ends_the_ceremony_when_it_cannot_be(self) -> None:
        asked = {"credentialProtectionPolicy": REQUIRED, "enforceCredentialProtectionPolicy": True}
        with pytest.raises(NotAllowed, match="protected"):
            created(client_of("u2f-token"), asked)
        assert created(client_of(), asked)[1].extensions == {"credProtect": 3}

    def test_an_unknown_policy_is_refused(self) -> None:
        with pytest.raises(OptionsInvalid):
            created(client_of(), {"credentialProtectionPolicy": "always"})

    @pytest.mark.parametrize("value", [0, 4, True, "3"])
    def test_the_authenticator_ignores_what_is_no_level(self, value: object) -> None:
        made = VirtualAuthenticator().make_credential(
            MakeCredentialRequest(
                bytes(32), RP_ID, UserEntity(b"1", "", ""), (-7,), extensions={"credProtect": value, "hmac-secret": 1}
            )
        )
        assert made.authenticator_data.extensions == {}


class TestLargeBlob:
    def test_a_blob_is_written_and_read(self, store: CredentialStore) -> None:
        client = client_of(store=store)
        response, data = created(client, {"largeBlob": {"support": "required"}})
        assert response["clientExtensionResults"] == {"largeBlob": {"supported": True}}
        assert data.extensions == {}
        assert got(client, {"largeBlob": {"read": True}}) == {"largeBlob": {}}
        written = got(client, {"largeBlob": {"write": encode(b"blob")}}, response["id"])
        assert written == {"largeBlob": {"written": True}}
        assert got(client, {"largeBlob": {"read": True}}) == {"largeBlob": {"blob": encode(b"blob")}}
        assert got(client, {"largeBlob": {"read": False}}) == {"largeBlob": {}}

    def test_a_blob_is_not_written_when_there_is_no_room(self) -> None:
        client = client_of()
        response, _ = created(client, {})
        assert got(client, {"largeBlob": {"write": "AAAA"}}, response["id"]) == {"largeBlob": {"written": False}}
        response, _ = created(client, {"largeBlob": {"support": "preferred"}})
        large = encode(bytes(LARGEST_BLOB + 1))
        assert got(client, {"largeBlob": {"write": large}}, response["id"]) == {"largeBlob": {"written": False}}
        assert not client.authenticator.write_large_blob(b"unknown", b"")
        assert not client.authenticator.store.keep_large_blob(b"unknown", b"")

    def test_room_is_refused_when_the_model_has_none_or_the_credential_is_not_discoverable(self) -> None:
        asked = {"largeBlob": {"support": "required"}}
        with pytest.raises(NotAllowed, match="blob"):
            created(client_of("tpm-laptop"), asked)
        with pytest.raises(NotAllowed, match="blob"):
            created(client_of("security-key"), asked, authenticatorSelection={"residentKey": "discouraged"})
        discouraged = created(
            client_of("security-key"), {"largeBlob": {}}, authenticatorSelection={"residentKey": "discouraged"}
        )
        assert discouraged[0]["clientExtensionResults"] == {"largeBlob": {"supported": False}}

    @pytest.mark.parametrize("value", [{"read": True}, {"write": "AAAA"}])
    def test_a_registration_neither_reads_nor_writes(self, value: object) -> None:
        with pytest.raises(NotSupported):
            created(client_of(), {"largeBlob": value})

    @pytest.mark.parametrize("value", [{"support": "required"}, {"read": True, "write": "AAAA"}, {"write": "AAAA"}])
    def test_a_login_reads_or_writes_to_one(self, value: object) -> None:
        client = client_of()
        created(client, {})
        with pytest.raises(NotSupported):
            got(client, {"largeBlob": value})

    def test_an_input_is_refused_when_it_makes_no_sense(self) -> None:
        with pytest.raises(OptionsInvalid):
            created(client_of(), {"largeBlob": {"support": "maybe"}})
        with pytest.raises(OptionsInvalid):
            created(client_of(), {"largeBlob": True})
        with pytest.raises(OptionsInvalid):
            got(client_of(), {"largeBlob": {"write": 5}}, "AAAA")


class TestAppId:
    APP_ID = f"https://{RP_ID}/u2f.json"

    def token(self, app_id: str) -> tuple[Client, str]:
        client = client_of("u2f-token")
        request = MakeCredentialRequest(bytes(32), app_id, UserEntity(b"1", "", ""), (-7,))
        return client, encode(client.authenticator.make_credential(request).credential.credential_id)

    def test_a_credential_of_u2f_logs_in_under_its_app_id(self) -> None:
        client, credential_id = self.token(self.APP_ID)
        options = request_options(
            credential_id, userVerification="discouraged", extensions={"appid": self.APP_ID}
        )  # fmt: skip
        response = client.get(options)
        assert response["clientExtensionResults"] == {"appid": True}
        data = AuthenticatorData(decode(response["response"]["authenticatorData"]))
        from hashlib import sha256

        assert data.rp_id_hash == sha256(self.APP_ID.encode()).digest()

    def test_the_rp_id_comes_first_when_it_has_a_credential(self) -> None:
        client = client_of()
        response, _ = created(client, {})
        assert got(client, {"appid": self.APP_ID}, response["id"]) == {"appid": False}

    def test_nothing_answers_when_neither_has_a_credential(self) -> None:
        with pytest.raises(NoCredential):
            got(client_of(), {"appid": self.APP_ID}, "AAAA")

    @pytest.mark.parametrize("app_id", ["", "https://apps.example.org/u2f.json"])
    def test_an_app_id_of_the_same_site_is_taken(self, app_id: str) -> None:
        client, credential_id = self.token(app_id or "https://login.example.org")
        client = Client(client.authenticator, "https://login.example.org")
        results = got(client, {"appid": app_id}, credential_id, rpId="example.org")
        assert results == {"appid": True}

    @pytest.mark.parametrize("app_id", ["https://evil.example/u2f.json", "http://localhost/x", "nonsense"])
    def test_an_app_id_of_another_site_is_refused(self, app_id: str) -> None:
        with pytest.raises(OriginNotAllowed):
            got(client_of(), {"appid": app_id}, "AAAA")
        with pytest.raises(OriginNotAllowed):
            created(client_of(), {"appidExclude": app_id})

    def test_an_app_id_needs_named_credentials_and_is_a_text(self) -> None:
        with pytest.raises(NotSupported):
            got(client_of(), {"appid": self.APP_ID})
        with pytest.raises(OptionsInvalid):
            got(client_of(), {"appid": 5}, "AAAA")

    def test_a_credential_of_u2f_excludes_a_second_registration(self) -> None:
        client, credential_id = self.token(self.APP_ID)
        held = [{"type": "public-key", "id": credential_id}]
        with pytest.raises(CredentialExcluded):
            created(client, {"appidExclude": self.APP_ID}, excludeCredentials=held)
        response, _ = created(client, {"appidExclude": self.APP_ID})
        assert response["clientExtensionResults"] == {"appidExclude": True}


def test_the_extensions_of_a_profile_are_known_ones() -> None:
    from authctl.virtual_authenticator import PRESETS
    from authctl.virtual_authenticator.authenticator.extensions.table import EXTENSIONS

    for profile in PRESETS.values():
        assert set(profile.extensions) <= set(EXTENSIONS)
    assert "minPinLength" in SECURITY_KEY.extensions


def test_a_credential_shows_no_secret_of_its_extensions(store: CredentialStore) -> None:
    """R-CL-06."""
    client = client_of(store=store)
    response, _ = created(client, {"prf": {}, "largeBlob": {}})
    got(client, {"largeBlob": {"write": encode(b"private blob")}}, response["id"])
    (kept,) = store.all()
    assert kept.extensions.hmac_secrets is not None
    assert kept.extensions.large_blob == b"private blob"
    assert "private blob" not in repr(kept)
    assert repr(kept.extensions.hmac_secrets[0]) not in repr(kept)


def test_a_refusal_is_one_of_the_authenticators() -> None:
    for refusal in (NotAllowed, NotSupported, OptionsInvalid, OriginNotAllowed):
        assert issubclass(refusal, AuthenticatorError)
