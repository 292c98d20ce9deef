"""Options are read as a browser reads them, and refused where it would throw."""

from __future__ import annotations

import json
from typing import Any

import pytest

from authctl.virtual_authenticator.client.options import parse_creation_options, parse_request_options
from authctl.virtual_authenticator.errors import NotSupported, OptionsInvalid
from tests.virtual_authenticator.relying_party import HANDLE, creation_options, request_options


@pytest.mark.parametrize(
    "wrap", [lambda o: o, lambda o: {"publicKey": o}, json.dumps, lambda o: json.dumps(o).encode()]
)
def test_options_may_be_bare_wrapped_or_text(wrap: Any) -> None:
    parsed = parse_creation_options(wrap(creation_options()))
    assert (parsed.user.id, parsed.user.name, parsed.rp_id) == (HANDLE, "jane@example.com", "localhost")
    assert parse_request_options(wrap(request_options())).challenge == b"challenge-challenge-challenge-!!"


def test_what_is_not_said_has_the_default_of_the_standard() -> None:
    parsed = parse_creation_options(
        creation_options(rp={"name": "Shop"}, authenticatorSelection=None, attestation=None)
    )
    assert parsed.rp_id is None
    assert (parsed.resident_key, parsed.user_verification, parsed.attestation) == ("discouraged", "preferred", "none")
    assert parsed.attachment is None


def test_values_that_are_not_known_are_taken_as_not_said() -> None:
    selection = {"userVerification": "always", "residentKey": "maybe", "authenticatorAttachment": "chip"}
    parsed = parse_creation_options(
        creation_options(authenticatorSelection=selection, attestation="everything", attestationFormats=["packed", 1])
    )
    assert (parsed.resident_key, parsed.user_verification, parsed.attestation) == ("discouraged", "preferred", "none")
    assert parsed.attachment is None
    assert parsed.attestation_formats == ("packed",)


def test_the_older_boolean_decides_when_resident_key_is_not_said() -> None:
    parsed = parse_creation_options(creation_options(authenticatorSelection={"requireResidentKey": True}))
    assert parsed.resident_key == "required"


def test_an_empty_list_of_algorithms_stands_for_es256_and_rs256() -> None:
    assert parse_creation_options(creation_options(pubKeyCredParams=[])).algorithms == (-7, -257)


def test_algorithms_of_other_types_are_left_out_and_an_error_when_nothing_remains() -> None:
    mixed = [{"type": "password", "alg": -7}, {"type": "public-key", "alg": -8}]
    assert parse_creation_options(creation_options(pubKeyCredParams=mixed)).algorithms == (-8,)
    with pytest.raises(NotSupported):
        parse_creation_options(creation_options(pubKeyCredParams=[{"type": "password", "alg": -7}]))


@pytest.mark.parametrize(
    "change",
    [
        {"rp": {"id": "localhost"}},
        {"user": {"id": "AQ", "displayName": "Jane Doe"}},
        {"user": {"id": "AQ", "name": "jane"}},
        {"pubKeyCredParams": ["x"]},
        {"pubKeyCredParams": [{"type": "public-key"}]},
        {"pubKeyCredParams": [{"alg": -7}]},
        {"excludeCredentials": ["AQ"]},
        {"excludeCredentials": [{"id": "AQ"}]},
    ],
)
def test_options_are_refused_when_a_member_is_missing_that_browsers_require(change: dict[str, Any]) -> None:
    with pytest.raises(OptionsInvalid):
        parse_creation_options(creation_options(**change))


def test_an_empty_allow_list_names_nobody() -> None:
    assert parse_request_options(request_options()).allow is None
    assert parse_request_options(request_options(allowCredentials=None)).allow is None
    assert parse_request_options(request_options("AQ", "Ag")).allow == (b"\x01", b"\x02")


@pytest.mark.parametrize(
    "change",
    [
        {"challenge": None},
        {"challenge": 5},
        {"challenge": ""},
        {"challenge": "a+/="},
        {"challenge": "AB"},
        {"challenge": "A"},
        {"rp": None},
        {"rp": []},
        {"rp": {"id": 5}},
        {"user": None},
        {"user": {"name": "jane"}},
        {"user": {"id": ""}},
        {"user": {"id": "A" * 88}},
        {"pubKeyCredParams": None},
        {"pubKeyCredParams": {}},
        {"excludeCredentials": {}},
        {"excludeCredentials": [{"type": "public-key"}]},
        {"authenticatorSelection": "required"},
    ],
)
def test_creation_options_are_refused_when_a_browser_would_throw(change: dict[str, Any]) -> None:
    with pytest.raises(OptionsInvalid):
        parse_creation_options(creation_options(**change))


@pytest.mark.parametrize("source", ["", "{", b"\xff", "[]", "5", "[" * 100_000, [], None])
def test_options_are_refused_when_they_are_no_object(source: Any) -> None:
    with pytest.raises(OptionsInvalid):
        parse_request_options(source)
