"""Hints, transports, allow and exclude lists with several candidates (WebAuthn Level 3 §5.8, §6.3)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from authctl.virtual_authenticator import Client, SeededRandom, VirtualAuthenticator
from authctl.virtual_authenticator.base64url import decode, encode
from authctl.virtual_authenticator.errors import CredentialExcluded, NoCredential, NotAllowed
from tests.virtual_authenticator.relying_party import ORIGIN, creation_options, request_options


def client_of(preset: str = "platform", **options: Any) -> Client:
    clock = count()
    start = datetime(2026, 1, 1, tzinfo=UTC)
    authenticator = VirtualAuthenticator(
        preset, now=lambda: start + timedelta(seconds=next(clock)), random=SeededRandom("lists")
    )
    return Client(authenticator, ORIGIN, **options)


def made(client: Client, handle: str) -> str:
    user = {"id": encode(handle.encode()), "name": handle, "displayName": handle}
    found: str = client.create(creation_options(user=user))["id"]
    return found


def allowing(*entries: dict[str, Any]) -> dict[str, Any]:
    return request_options(allowCredentials=[{"type": "public-key", **entry} for entry in entries])


def test_the_newest_of_several_candidates_answers() -> None:
    client = client_of()
    first, second = made(client, "one"), made(client, "two")
    for options in (request_options(), request_options(first, second), request_options(second, first)):
        assert client.get(options)["id"] == second
    assert client.get(request_options(first))["id"] == first


def test_unknown_descriptors_are_passed_over() -> None:
    client = client_of()
    known = made(client, "one")
    assert client.get(allowing({"id": "AAAA"}, {"id": known, "transports": []}, {"id": "AAAB"}))["id"] == known
    assert client.get(allowing({"id": "AAAA", "type": "other"}, {"id": known}))["id"] == known


@pytest.mark.parametrize("transports", [["internal"], ["usb", "internal"], ["teleport"], ["teleport", 5], None])
def test_a_credential_answers_when_it_is_reached_in_a_way_the_server_names(transports: Any) -> None:
    client = client_of()
    known = made(client, "one")
    assert client.get(allowing({"id": known, "transports": transports}))["id"] == known


def test_a_credential_does_not_answer_when_the_server_names_other_ways_only() -> None:
    client = client_of()
    first, second = made(client, "one"), made(client, "two")
    with pytest.raises(NoCredential):
        client.get(allowing({"id": first, "transports": ["usb", "nfc"]}))
    others = allowing({"id": second, "transports": ["usb"]}, {"id": first, "transports": ["internal"]})
    assert client.get(others)["id"] == first


def test_one_excluded_credential_among_many_is_enough() -> None:
    client = client_of()
    known = made(client, "one")
    listed = [{"type": "public-key", "id": each} for each in ("AAAA", known, "AAAB")]
    with pytest.raises(CredentialExcluded):
        client.create(creation_options(excludeCredentials=listed))


@pytest.mark.parametrize(
    ("hints", "attachment", "is_taken"),
    [
        ([], "cross-platform", False),
        (["unknown", 5], "cross-platform", False),
        (["security-key"], "cross-platform", False),
        (["client-device"], "cross-platform", True),
        (["client-device", "hybrid"], "cross-platform", False),
        (["security-key"], None, True),
        (["hybrid"], "platform", True),
    ],
)
def test_hints_win_over_an_attachment_that_contradicts_them(
    hints: list[Any], attachment: str | None, is_taken: bool
) -> None:
    """§5.8.7: a hint alone refuses nobody."""
    selection = {} if attachment is None else {"authenticatorAttachment": attachment}
    options = creation_options(hints=hints, authenticatorSelection=selection)
    if is_taken:
        assert client_of().create(options)["authenticatorAttachment"] == "platform"
    else:
        with pytest.raises(NotAllowed, match="cross-platform"):
            client_of().create(options)


@pytest.mark.parametrize("ceremony", ["create", "get"])
def test_a_frame_names_the_origin_around_it(ceremony: str) -> None:
    client = client_of(top_origin="https://around.example:8443")
    made(client, "one")
    options = creation_options() if ceremony == "create" else request_options()
    data = decode(getattr(client, ceremony)(options)["response"]["clientDataJSON"])
    assert json.loads(data)["topOrigin"] == "https://around.example:8443"
    assert b'"crossOrigin":true,"topOrigin":"https://around.example:8443"}' in data
