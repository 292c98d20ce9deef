"""The recipes that come with the program, run against real servers on real sockets (SPEC §11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from authctl.virtual_authenticator import Client, VirtualAuthenticator
from authctl.virtual_authenticator.base64url import decode, encode
from authctl.virtual_authenticator.harness.recipe.builtin import builtin
from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
from authctl.virtual_authenticator.harness.relying_party import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.virtual_authenticator.harness.recipe.visit import RecipeVisit

pytestmark = pytest.mark.targets

SERVERS = ("simplewebauthn", "better-auth", "fido", "webauthn-io")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[DescribedServer]:
    url: str = request.getfixturevalue(request.param.replace("-", "_"))
    with DescribedServer(builtin(request.param), url) as found:
        yield found


class Person:
    """Somebody with a browser and an authenticator."""

    def __init__(self, server: DescribedServer) -> None:
        self.server = server
        self.visit: RecipeVisit = server.visit()
        self.client = Client(VirtualAuthenticator(), server.origin)

    def created(self) -> dict[str, Any]:
        return self.client.create(dict(self.visit.begin_registration()))

    def signed(self, *, named: bool = True) -> dict[str, Any]:
        return self.client.get(dict(self.visit.begin_login(named=named)))


@pytest.fixture
def person(server: DescribedServer) -> Iterator[Person]:
    found = Person(server)
    yield found
    found.visit.close()


def tampered(response: dict[str, Any], member: str) -> dict[str, Any]:
    """The response with the last bit of one member turned."""
    value = bytearray(decode(response["response"][member]))
    value[-1] ^= 1
    return {**response, "response": {**response["response"], member: encode(bytes(value))}}


def test_a_passkey_registers_and_logs_in(person: Person) -> None:
    assert person.visit.finish_registration(person.created()).verdict is Verdict.ACCEPTED
    assert person.visit.finish_login(person.signed()).verdict is Verdict.ACCEPTED


def test_a_login_in_another_browser_succeeds(person: Person) -> None:
    person.visit.finish_registration(person.created())
    person.visit = person.server.visit(person.visit.account)
    assert person.visit.finish_login(person.signed()).verdict is Verdict.ACCEPTED


def test_a_login_is_refused_when_its_signature_is_altered(person: Person) -> None:
    person.visit.finish_registration(person.created())
    reaction = person.visit.finish_login(tampered(person.signed(), "signature"))
    assert reaction.verdict is Verdict.REFUSED, reaction
    assert reaction.reason or reaction.status == 200


def test_a_login_is_refused_when_its_client_data_are_altered(person: Person) -> None:
    person.visit.finish_registration(person.created())
    reaction = person.visit.finish_login(tampered(person.signed(), "clientDataJSON"))
    # better-auth and python-fido2 catch what their parsers raise; nobody may let it through.
    assert reaction.verdict in (Verdict.REFUSED, Verdict.CRASHED), reaction


def test_a_registration_is_refused_when_it_is_for_another_challenge(person: Person) -> None:
    credential = person.created()
    person.visit.begin_registration()
    reaction = person.visit.finish_registration(credential)
    assert reaction.verdict is Verdict.REFUSED, reaction


def test_a_credential_is_refused_when_no_ceremony_has_begun(person: Person) -> None:
    credential = person.created()
    assert person.visit.finish_registration(credential).verdict is Verdict.ACCEPTED
    assert person.visit.finish_registration(credential).verdict is Verdict.REFUSED


def test_a_login_without_a_name_succeeds_where_the_server_has_one(person: Person) -> None:
    if "usernameless" not in person.server.capabilities:
        with pytest.raises(Exception, match="no login that names nobody"):
            person.visit.begin_login(named=False)
        return
    person.visit.finish_registration(person.created())
    person.visit = person.server.visit(person.visit.account)
    assert person.visit.finish_login(person.signed(named=False)).verdict is Verdict.ACCEPTED


def test_two_windows_of_one_browser_share_its_session(person: Person) -> None:
    person.visit.finish_registration(person.created())
    assertion = person.signed()
    assert person.visit.branch().finish_login(assertion).verdict is Verdict.ACCEPTED
    assert person.visit.finish_login(assertion).verdict is Verdict.REFUSED
