"""The extension prf (WebAuthn Level 3 §10.1.4), from its inputs to its results."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from authctl.virtual_authenticator import (
    PLATFORM,
    AuthenticatorData,
    Client,
    Gesture,
    MakeCredentialRequest,
    SystemRandom,
    UserEntity,
    VirtualAuthenticator,
)
from authctl.virtual_authenticator.authenticator.extensions.hmac_secret import Salts
from authctl.virtual_authenticator.authenticator.get_assertion import GetAssertionRequest
from authctl.virtual_authenticator.base64url import decode, encode
from authctl.virtual_authenticator.errors import (
    NoCredential,
    NotAllowed,
    NotSupported,
    OptionsInvalid,
)
from tests.virtual_authenticator.client.extending import ORIGIN, UNVERIFIED, client_of, created, got
from tests.virtual_authenticator.relying_party import RP_ID, creation_options, request_options

if TYPE_CHECKING:
    from authctl.virtual_authenticator import CredentialStore


class TestPrf:
    FIRST, SECOND = encode(b"first"), encode(b"second")

    def test_values_are_the_same_each_time_and_differ_by_input(self, store: CredentialStore) -> None:
        client = client_of(store=store)
        response, data = created(client, {"prf": {"eval": {"first": self.FIRST}}})
        at_creation = response["clientExtensionResults"]["prf"]
        assert at_creation["enabled"] is True
        assert data.extensions["hmac-secret"] is True
        assert len(data.extensions["hmac-secret-mc"]) == 16 + 32
        both = got(client, {"prf": {"eval": {"first": self.FIRST, "second": self.SECOND}}})["prf"]["results"]
        one = got(client, {"prf": {"eval": {"first": self.SECOND}}})["prf"]["results"]
        assert one == {"first": both["second"]}
        assert at_creation["results"] == {"first": both["first"]}
        assert both["first"] != both["second"]
        assert len(decode(both["first"])) == 32

    def test_values_come_with_logins_alone_when_the_authenticator_is_older(self) -> None:
        response, data = created(client_of("security-key"), {"prf": {"eval": {"first": self.FIRST}}})
        assert response["clientExtensionResults"] == {"prf": {"enabled": True}}
        assert data.extensions == {"hmac-secret": True}

    def test_a_creation_without_verification_gives_no_values(self) -> None:
        selection = {"userVerification": "discouraged"}
        options = creation_options(
            authenticatorSelection=selection, extensions={"prf": {"eval": {"first": self.FIRST, "second": self.SECOND}}}
        )
        response = client_of().create(options, gesture=UNVERIFIED)
        assert response["clientExtensionResults"]["prf"] == {"enabled": True}

    def test_the_authenticator_ignores_salts_when_no_secrets_are_made(self) -> None:
        authenticator = VirtualAuthenticator()
        secret = authenticator.shared_secret()
        sent = Salts(secret, encrypted := secret.encrypt(bytes(32), SystemRandom()), secret.authenticate(encrypted))
        request = MakeCredentialRequest(
            bytes(32), RP_ID, UserEntity(b"1", "", ""), (-7,), extensions={"hmac-secret-mc": sent}
        )
        assert authenticator.make_credential(request).authenticator_data.extensions == {}

    def test_the_value_does_not_stand_in_what_is_signed(self) -> None:
        client = client_of()
        created(client, {"prf": {}})
        options = request_options(extensions={"prf": {"eval": {"first": self.FIRST}}})
        response = client.get(options)
        data = AuthenticatorData(decode(response["response"]["authenticatorData"]))
        value = decode(response["clientExtensionResults"]["prf"]["results"]["first"])
        assert len(data.extensions["hmac-secret"]) == 16 + 32
        assert value not in bytes(data)

    def test_an_input_may_be_for_one_credential(self) -> None:
        client = client_of("security-key")
        ids = [created(client, {"prf": {}}, user={"id": encode(b"%d" % n), "name": "n", "displayName": ""})[0]["id"]
               for n in range(2)]  # fmt: skip
        own = {"prf": {"evalByCredential": {ids[1]: {"first": self.FIRST}}, "eval": {"first": self.SECOND}}}
        newest, other = got(client, own, *ids)["prf"], got(client, own, *ids, allowCredentials=[
            {"type": "public-key", "id": ids[1]}])["prf"]  # fmt: skip
        assert newest == other
        only_other = {"prf": {"evalByCredential": {ids[0]: {"first": self.FIRST}}}}
        assert got(client, only_other, *ids) == {"prf": {}}

    def test_the_user_is_verified_whatever_the_server_asks(self) -> None:
        client = client_of()
        created(client, {"prf": {}})
        options = request_options(userVerification="discouraged", extensions={"prf": {"eval": {"first": self.FIRST}}})
        with pytest.raises(NotAllowed, match="verified"):
            client.get(options, gesture=UNVERIFIED)

    def test_there_is_no_value_when_the_credential_was_made_without(self) -> None:
        client = client_of()
        created(client, {})
        assert got(client, {"prf": {"eval": {"first": self.FIRST}}}) == {"prf": {}}
        assert got(client, {"prf": {}}) == {"prf": {}}

    def test_there_is_no_value_when_there_is_no_credential(self) -> None:
        with pytest.raises(NoCredential):
            got(client_of(), {"prf": {"eval": {"first": self.FIRST}}})

    @pytest.mark.parametrize(
        ("value", "refusal"),
        [
            ([], OptionsInvalid),
            ({"eval": {}}, OptionsInvalid),
            ({"eval": 5}, OptionsInvalid),
            ({"eval": {"first": "=="}}, OptionsInvalid),
            ({"eval": {"first": 5}}, OptionsInvalid),
            ({"eval": {"first": "AAAA", "second": "="}}, OptionsInvalid),
            ({"evalByCredential": {"": {"first": "AAAA"}}}, OptionsInvalid),
            ({"evalByCredential": {"AAAA": {"first": "AAAA"}}}, OptionsInvalid),
        ],
    )
    def test_an_input_is_refused_when_it_makes_no_sense(self, value: object, refusal: type[Exception]) -> None:
        client = client_of()
        response, _ = created(client, {"prf": {}})
        with pytest.raises(refusal):
            got(client, {"prf": value}, response["id"])

    def test_inputs_by_credential_are_refused_when_none_is_named_or_none_is_there(self) -> None:
        value = {"prf": {"evalByCredential": {"AAAA": {"first": "AAAA"}}}}
        with pytest.raises(NotSupported):
            got(client_of(), value)
        with pytest.raises(NotSupported):
            created(client_of(), value)

    def test_the_older_secret_of_unverified_users_is_another(self) -> None:
        authenticator = VirtualAuthenticator(replace(PLATFORM, prefers_discoverable=True))
        client = Client(authenticator, ORIGIN)
        created(client, {"hmacCreateSecret": True})
        secret = authenticator.shared_secret()
        encrypted = secret.encrypt(bytes(32), authenticator.random)
        salts = Salts(secret, encrypted, secret.authenticate(encrypted))
        request = GetAssertionRequest(RP_ID, bytes(32), extensions={"hmac-secret": salts})
        answers = [
            secret.decrypt(authenticator.get_assertion(request, gesture).authenticator_data.extensions["hmac-secret"])
            for gesture in (Gesture(), UNVERIFIED)
        ]
        assert answers[0] != answers[1]

    def test_salts_are_refused_when_somebody_else_sent_them_or_their_length_is_wrong(self) -> None:
        authenticator = VirtualAuthenticator()
        secret = authenticator.shared_secret()
        encrypted = secret.encrypt(bytes(16), authenticator.random)
        with pytest.raises(OptionsInvalid, match="one or two"):
            Salts(secret, encrypted, secret.authenticate(encrypted)).opened()
        with pytest.raises(OptionsInvalid, match="shares"):
            Salts(secret, encrypted, bytes(32)).opened()
        assert "SharedSecret of protocol 2" in repr(secret)
