"""Recipes that come with the program, against applications with the shape of the servers that they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from authctl.virtual_authenticator import Client, VirtualAuthenticator
from authctl.virtual_authenticator.base64url import decode, encode
from authctl.virtual_authenticator.harness.recipe.builtin import builtin
from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
from authctl.virtual_authenticator.harness.relying_party import Verdict
from tests.virtual_authenticator.harness.recipe.shapes import Hanko, Keycloak, go_webauthn

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS: dict[str, Any] = {
    "go-webauthn": lambda: go_webauthn("http://localhost:8080"),
    "hanko": lambda: Hanko("http://localhost:8888").app(),
    "keycloak": lambda: Keycloak("http://localhost:8080").app(),
}


@pytest.fixture(params=APPS)
def server(request: pytest.FixtureRequest) -> Iterator[DescribedServer]:
    with DescribedServer(builtin(request.param), app=APPS[request.param]()) as found:
        yield found


def altered(response: dict[str, Any], member: str) -> dict[str, Any]:
    value = bytearray(decode(response["response"][member]))
    value[-1] ^= 1
    return {**response, "response": {**response["response"], member: encode(bytes(value))}}


def test_a_passkey_registers_and_logs_in(server: DescribedServer) -> None:
    client = Client(VirtualAuthenticator(), server.origin)
    visit = server.visit()
    reaction = visit.finish_registration(client.create(dict(visit.begin_registration())))
    assert reaction.verdict is Verdict.ACCEPTED, reaction
    reaction = visit.finish_login(client.get(dict(visit.begin_login())))
    assert reaction.verdict is Verdict.ACCEPTED, reaction
    visit = server.visit(visit.account)
    reaction = visit.finish_login(altered(client.get(dict(visit.begin_login())), "signature"))
    assert reaction.verdict is Verdict.REFUSED, reaction


def test_a_registration_is_refused_when_it_is_for_another_challenge(server: DescribedServer) -> None:
    client = Client(VirtualAuthenticator(), server.origin)
    credential = client.create(dict(server.visit().begin_registration()))
    visit = server.visit()
    visit.begin_registration()
    reaction = visit.finish_registration(credential)
    assert reaction.verdict is Verdict.REFUSED, reaction
    assert reaction.reason
