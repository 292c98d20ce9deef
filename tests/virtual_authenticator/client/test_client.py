"""The client between page and authenticator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cbor2
import pytest

from authctl.virtual_authenticator import (
    PLATFORM,
    SECURITY_KEY,
    AuthenticatorData,
    Client,
    Flag,
    Gesture,
    VirtualAuthenticator,
)
from authctl.virtual_authenticator.errors import (
    ConstraintNotMet,
    CredentialExcluded,
    NotAllowed,
    NotSupported,
    OriginNotAllowed,
)
from tests.virtual_authenticator.relying_party import ORIGIN, creation_options, raw, request_options


def make_client(profile: Any = "platform", **options: Any) -> Client:
    return Client(VirtualAuthenticator(profile), ORIGIN, **options)


def attestation_of(response: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = cbor2.loads(raw(response, "attestationObject"))
    return found


def test_a_registration_has_every_member_of_to_json() -> None:
    response = make_client().create(creation_options())
    assert response["id"] == response["rawId"]
    assert set(response) == {
        "id",
        "rawId",
        "type",
        "response",
        "authenticatorAttachment",
        "clientExtensionResults",
    }
    assert set(response["response"]) == {
        "clientDataJSON",
        "attestationObject",
        "authenticatorData",
        "transports",
        "publicKey",
        "publicKeyAlgorithm",
    }
    assert response["response"]["transports"] == ["internal"]
    assert response["authenticatorAttachment"] == "platform"


def test_a_login_has_every_member_of_to_json() -> None:
    client = make_client()
    registration = client.create(creation_options())
    response = client.get(request_options(registration["id"]))
    assert set(response["response"]) == {"clientDataJSON", "authenticatorData", "signature", "userHandle"}
    assert response["id"] == registration["id"]
    assert response["response"]["userHandle"] == creation_options()["user"]["id"]


def test_a_login_finds_the_newest_passkey_when_the_server_names_none() -> None:
    client = make_client()
    client.create(creation_options(user={"id": "AQ", "name": "a", "displayName": "A"}))
    second = client.create(creation_options(user={"id": "Ag", "name": "b", "displayName": "B"}))
    assert client.get(request_options())["id"] == second["id"]


def test_a_user_handle_is_left_out_when_the_credential_is_not_discoverable() -> None:
    client = make_client(SECURITY_KEY)
    registration = client.create(creation_options(authenticatorSelection={"residentKey": "discouraged"}))
    assert "userHandle" not in client.get(request_options(registration["id"]))["response"]
    with pytest.raises(NotAllowed, match="no discoverable passkey"):
        client.get(request_options())


def test_the_client_data_tells_of_a_frame() -> None:
    client = make_client(top_origin="https://portal.example.com/")
    data = raw(client.create(creation_options()), "clientDataJSON")
    assert data.endswith(b'"crossOrigin":true,"topOrigin":"https://portal.example.com"}')


def test_no_statement_is_passed_on_when_the_server_prefers_none() -> None:
    response = make_client().create(creation_options(attestation="none"))
    assert attestation_of(response)["fmt"] == "none"
    assert attestation_of(response)["attStmt"] == {}


def test_the_model_stays_named_when_no_statement_is_passed_on() -> None:
    """Level 3, §5.1.3: unlike Level 2, `none` leaves the AAGUID as it is."""
    data = AuthenticatorData(attestation_of(make_client().create(creation_options(attestation="none")))["authData"])
    assert data.attested is not None
    assert data.attested.aaguid == PLATFORM.aaguid


@pytest.mark.parametrize("preference", ["indirect", "direct", "enterprise"])
def test_the_statement_is_passed_on_when_the_server_wants_one(preference: str) -> None:
    attestation = attestation_of(make_client().create(creation_options(attestation=preference)))
    assert attestation["fmt"] == "packed"
    assert set(attestation["attStmt"]) == {"alg", "sig"}


def test_self_attestation_is_passed_on_when_it_names_no_model() -> None:
    anonymous = replace(PLATFORM, aaguid=bytes(16))
    assert attestation_of(make_client(anonymous).create(creation_options(attestation="none")))["fmt"] == "packed"


def test_a_named_format_is_sent_whatever_the_server_prefers() -> None:
    client = make_client()
    assert attestation_of(client.create(creation_options(attestation="none"), attestation="packed"))["fmt"] == "packed"
    assert attestation_of(client.create(creation_options(attestation="direct"), attestation="none"))["fmt"] == "none"


def test_the_server_chooses_the_format_when_it_lists_formats() -> None:
    response = make_client().create(creation_options(attestation="direct", attestationFormats=["tpm", "none"]))
    assert attestation_of(response)["fmt"] == "none"


def test_a_page_is_refused_when_the_rp_id_is_not_its_own() -> None:
    """R-CL-06."""
    client = make_client()
    with pytest.raises(OriginNotAllowed, match=r"may not use RP id 'example\.com'"):
        client.create(creation_options(rp={"id": "example.com", "name": "x"}))
    with pytest.raises(OriginNotAllowed):
        client.get(request_options(rpId="example.com"))
    assert client.authenticator.store.all() == []


def test_the_rp_id_is_the_host_when_the_server_names_none() -> None:
    client = make_client()
    client.create(creation_options(rp={"name": "Test"}))
    assert client.authenticator.store.all()[0].rp_id == "localhost"
    assert client.get(request_options(rpId=None))["type"] == "public-key"


def test_an_authenticator_of_the_wrong_kind_is_not_asked() -> None:
    selection = {"authenticatorAttachment": "platform"}
    with pytest.raises(NotAllowed, match="wants a platform authenticator"):
        make_client("security-key").create(creation_options(authenticatorSelection=selection))


def test_a_second_passkey_is_refused_when_the_server_excludes_the_first() -> None:
    client = make_client()
    first = client.create(creation_options())
    excluded = [{"type": "public-key", "id": first["id"]}]
    with pytest.raises(CredentialExcluded):
        client.create(creation_options(excludeCredentials=excluded))
    with pytest.raises(NotAllowed, match="did not consent"):
        client.create(creation_options(excludeCredentials=excluded), gesture=Gesture(has_consent=False))
    assert client.create(creation_options(excludeCredentials=[{"type": "public-key", "id": "AQ"}]))["id"] != first["id"]


def test_the_first_algorithm_known_here_is_taken() -> None:
    parameters = [{"type": "public-key", "alg": number} for number in (-999, -257, -7)]
    response = make_client().create(creation_options(pubKeyCredParams=parameters))
    assert response["response"]["publicKeyAlgorithm"] == -257
    with pytest.raises(NotSupported, match="-999"):
        make_client().create(creation_options(pubKeyCredParams=parameters[:1]))


def flags_after(gesture: Gesture, profile: Any = "platform", **selection: Any) -> Flag:
    options = creation_options(authenticatorSelection={"userVerification": "preferred", **selection})
    response = make_client(profile, gesture=gesture).create(options)
    return AuthenticatorData(raw(response, "authenticatorData")).flags


def test_the_flags_follow_the_gesture() -> None:
    assert flags_after(Gesture()) == Flag.UP | Flag.UV | Flag.AT
    assert flags_after(Gesture(is_user_verified=False)) == Flag.UP | Flag.AT
    assert flags_after(Gesture(), "synced-passkey") == Flag.UP | Flag.UV | Flag.BE | Flag.BS | Flag.AT
    assert flags_after(Gesture(backup_eligible=True, backed_up=False)) == Flag.UP | Flag.UV | Flag.BE | Flag.AT


def test_the_authenticator_refuses_when_the_user_does_less_than_demanded() -> None:
    with pytest.raises(NotAllowed, match="not verified"):
        flags_after(Gesture(is_user_verified=False), userVerification="required")
    with pytest.raises(NotAllowed, match="was not there"):
        flags_after(Gesture(is_user_present=False))
    with pytest.raises(NotAllowed, match="did not consent"):
        flags_after(Gesture(has_consent=False))


def test_the_flags_go_out_against_the_demand_when_they_are_forced() -> None:
    gesture = Gesture(is_user_present=False, is_user_verified=False, is_forced=True)
    assert flags_after(gesture, userVerification="required") == Flag.AT


def test_verification_is_refused_or_left_out_when_the_model_cannot_do_it() -> None:
    profile = replace(PLATFORM, can_verify_user=False)
    assert flags_after(Gesture(), profile) == Flag.UP | Flag.AT
    with pytest.raises(ConstraintNotMet):
        flags_after(Gesture(), profile, userVerification="required")
    client = make_client(profile)
    client.create(creation_options(authenticatorSelection={}))
    with pytest.raises(ConstraintNotMet):
        client.get(request_options(userVerification="required"))


def test_a_discoverable_credential_is_refused_when_the_model_stores_none() -> None:
    profile = replace(SECURITY_KEY, can_store_discoverable=False)
    with pytest.raises(ConstraintNotMet):
        make_client(profile).create(creation_options(authenticatorSelection={"residentKey": "required"}))
    client = make_client(profile)
    client.create(creation_options(authenticatorSelection={"residentKey": "preferred"}))
    assert not client.authenticator.store.all()[0].is_discoverable


def test_the_names_of_client_and_authenticator_show_no_keys() -> None:
    assert repr(make_client()) == "<Client at http://localhost:8000>"
    assert repr(make_client().authenticator) == "<VirtualAuthenticator platform>"


def test_the_client_knows_whether_it_could_answer() -> None:
    client = make_client()
    assert not client.has_passkey_for(request_options())
    registration = client.create(creation_options())
    assert client.has_passkey_for(request_options(registration["id"]))
    assert not client.has_passkey_for(request_options("AQ"))
