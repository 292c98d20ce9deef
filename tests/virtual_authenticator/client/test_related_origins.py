"""Other sites that may use an RP id (WebAuthn Level 3 §5.11)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from authctl.virtual_authenticator import Client, VirtualAuthenticator
from authctl.virtual_authenticator.client.related_origins import MOST_LABELS, label_of
from authctl.virtual_authenticator.errors import OriginNotAllowed
from tests.virtual_authenticator import relying_party

RP_ID = "example.org"
ELSEWHERE = "https://shop.example.de"
SITES = [f"https://site{number}.com" for number in range(MOST_LABELS)]


def creation_options() -> dict[str, Any]:
    return relying_party.creation_options(rp={"id": RP_ID, "name": "Test"})


def request_options(rp_id: str = RP_ID) -> dict[str, Any]:
    return relying_party.request_options(rpId=rp_id)


def at_elsewhere(source: Any, origin: str = ELSEWHERE) -> Client:
    return Client(VirtualAuthenticator(), origin, related_origins=source)


def listing(*origins: Any) -> dict[str, Any]:
    return {"origins": list(origins)}


def test_another_site_registers_and_logs_in_when_it_is_listed() -> None:
    client = at_elsewhere(listing(ELSEWHERE))
    assert client.create(creation_options())["id"] == client.get(request_options())["id"]


@pytest.mark.parametrize("source", [json.dumps(listing(ELSEWHERE)), json.dumps(listing(ELSEWHERE)).encode()])
def test_the_document_may_be_text(source: Any) -> None:
    assert at_elsewhere(source).create(creation_options())["type"] == "public-key"


def test_the_document_is_fetched_from_the_site_of_the_rp_id() -> None:
    asked: list[str] = []

    def fetch(url: str) -> dict[str, Any]:
        asked.append(url)
        return listing(ELSEWHERE)

    at_elsewhere(fetch).create(creation_options())
    assert asked == [f"https://{RP_ID}/.well-known/webauthn"]


def test_nothing_is_fetched_when_the_origin_may_use_the_rp_id_by_itself() -> None:
    def fetch(url: str) -> dict[str, Any]:
        raise AssertionError(url)

    assert at_elsewhere(fetch, f"https://{RP_ID}").create(creation_options())["id"]


@pytest.mark.parametrize(
    "source",
    [
        listing(),
        listing(5),
        listing("https://other.example"),
        listing("http://shop.example.de"),
        listing("https://shop.example.de:8443"),
        listing("nonsense", "https://", "http://192.0.2.1"),
        {"origins": ELSEWHERE},
        {},
        [ELSEWHERE],
        None,
        b"{",
        "<html>",
    ],
)
def test_another_site_is_refused_when_the_document_does_not_list_it(source: Any) -> None:
    fetched = at_elsewhere(lambda _: source)
    with pytest.raises(OriginNotAllowed):
        fetched.create(creation_options())


def test_another_site_is_refused_when_the_document_cannot_be_fetched() -> None:
    def fetch(url: str) -> dict[str, Any]:
        raise TimeoutError(url)

    with pytest.raises(OriginNotAllowed, match="cannot be read"):
        at_elsewhere(fetch).get(request_options())


def test_another_site_is_refused_when_nobody_gave_a_document() -> None:
    with pytest.raises(OriginNotAllowed, match="may not use"):
        at_elsewhere(None).create(creation_options())


@pytest.mark.parametrize("rp_id", ["com", "192.0.2.1", "Example.org", "localhost"])
def test_an_rp_id_that_nobody_owns_is_refused_whatever_a_document_says(rp_id: str) -> None:
    with pytest.raises(OriginNotAllowed):
        at_elsewhere(listing(ELSEWHERE)).get(request_options(rp_id))


def test_a_site_is_refused_when_more_names_than_the_limit_stand_before_it() -> None:
    with pytest.raises(OriginNotAllowed) as caught:
        at_elsewhere(listing(*SITES, ELSEWHERE)).create(creation_options())
    assert str(MOST_LABELS) in str(caught.value.hint)


def test_a_site_counts_once_however_often_its_name_stands_there() -> None:
    many = ["https://site0.com", "https://www.site0.com", "https://site0.de"] * 5
    assert at_elsewhere(listing(*many, *SITES[: MOST_LABELS - 1], ELSEWHERE)).create(creation_options())["id"]


def test_a_site_beyond_the_limit_is_taken_when_its_name_was_seen_before() -> None:
    listed = listing(*SITES, "https://new.com", "https://www.site0.co")
    assert at_elsewhere(listed, "https://www.site0.co").create(creation_options())["id"]


def test_a_path_in_the_list_does_not_matter() -> None:
    assert at_elsewhere(listing(ELSEWHERE + "/shop")).create(creation_options())["id"]


@pytest.mark.parametrize(
    ("host", "label"), [("example.com", "example"), ("a.b.example.com", "example"), ("localhost", "localhost")]
)
def test_a_label_is_the_name_of_the_site(host: str, label: str) -> None:
    assert label_of(host) == label
