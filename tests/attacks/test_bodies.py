"""What is wrong with a body around the credential, which only this service's interface has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.virtual_authenticator.base64url import encode
from authctl.virtual_authenticator.faults.needs import AUTHENTICATION, REGISTRATION, Needs
from authctl.virtual_authenticator.faults.stage import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.own_service import OwnService


@pytest.fixture
def service(service_for: Callable[[Needs], OwnService]) -> OwnService:
    return service_for(Needs())


@pytest.fixture
def person(service: OwnService) -> Person:
    return Person(service.lab(), Needs())


def test_a_registration_is_no_request_when_the_whole_body_is_an_array(service: OwnService, person: Person) -> None:
    body = {"email": person.visit.account.email, "credential": person.make().document()}
    answer = service.post("/register/complete", [body])
    assert (answer.status_code, service.reason_of(answer, REGISTRATION)) == (400, "invalid_request")


def test_a_login_is_no_request_when_the_whole_body_is_an_array(service: OwnService, person: Person) -> None:
    person.register()
    body = {"email": person.visit.account.email, "assertion": person.sign().document()}
    answer = service.post("/login/complete", [body])
    assert (answer.status_code, service.reason_of(answer, AUTHENTICATION)) == (400, "invalid_request")


def test_a_registration_is_no_request_when_the_body_has_a_challenge_of_the_clients_own(
    service: OwnService, person: Person
) -> None:
    """R-CH-09."""
    own = encode(bytes(32))
    credential = person.make({**person.visit.begin_registration(), "challenge": own}).document()
    body = {"email": person.visit.account.email, "credential": credential, "challenge": own}
    answer = service.post("/register/complete", body)
    assert (answer.status_code, service.reason_of(answer, REGISTRATION)) == (422, "invalid_request")
