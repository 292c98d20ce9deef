"""Adding a passkey is a registration too: what is wrong with one is refused there for the same reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from authctl.virtual_authenticator import Client, VirtualAuthenticator
from authctl.virtual_authenticator.faults.catalogue import cases
from authctl.virtual_authenticator.faults.interface import FAULTS
from authctl.virtual_authenticator.faults.needs import REGISTRATION
from authctl.virtual_authenticator.faults.stage import Lab
from authctl.virtual_authenticator.harness.relying_party import Reaction, Verdict
from tests.attacks.own_service import ORIGIN, OwnVisit, verdict_on
from tests.attacks.reasons import Owed, read_reasons
from tests.builders import options_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.faults.needs import Needs
    from authctl.virtual_authenticator.harness.accounts import Account
    from tests.attacks.own_service import OwnService

EVERY: Final = 14
"""One case of so many is played: the same function verifies, and this shows that nothing gets around it."""
PLAYABLE = [
    case for case in cases() if case.ceremony == REGISTRATION and case.key in FAULTS and not case.needs.settings
]
REASONS = read_reasons()


@dataclass
class Owner(OwnVisit):
    """Somebody who has an account and a passkey, and whose registrations are those of further ones."""

    token: str = ""
    client: Client = field(default_factory=lambda: Client(VirtualAuthenticator(), ORIGIN))

    def begin_registration(self) -> Mapping[str, Any]:
        """Creation options for a further passkey."""
        if not self.token:
            first = self.client.create(super().begin_registration())
            assert super().finish_registration(first).verdict is Verdict.ACCEPTED
            assert self.finish_login(self.client.get(self.begin_login())).verdict is Verdict.ACCEPTED
            self.token = self.answers[-1].json()["access_token"]
        return options_in(self.service.post("/users/me/credentials/begin", {}, self.token))

    def finish_registration(self, credential: object) -> Reaction:
        """The reaction to a further passkey."""
        answer = self.service.post("/users/me/credentials/complete", {"credential": credential}, self.token)
        verdict = verdict_on(answer, REGISTRATION)
        reason = "" if verdict is Verdict.CRASHED else self.service.reason_of(answer, "adding")
        return Reaction(verdict, answer.status_code, reason, 0.0, answer.text[:200])


@dataclass
class Owners:
    """The service, as it is visited by people who have a passkey."""

    service: OwnService
    origin: str = ORIGIN
    name: str = "authctl"

    def visit(self, account: Account | None = None) -> Owner:
        """Somebody with an account of their own."""
        return Owner(self.service, account or self.service.visit().account)

    def close(self) -> None:
        """The service is closed by whoever opened it."""


@pytest.mark.parametrize("case", PLAYABLE[::EVERY], ids=lambda case: case.name)
def test_a_further_passkey_gets_the_verdict_of_a_first_one(
    case: Case, service_for: Callable[[Needs], OwnService]
) -> None:
    """R-WA-23."""
    lab = service_for(case.needs).lab()
    played = case.play(Lab(Owners(service_for(case.needs)), lab.capabilities, lab.abilities))
    assert Owed.of(case.name, played) == REASONS[case.name]


def test_the_cases_that_are_played_are_accepted_and_refused_for_many_reasons() -> None:
    owed = [REASONS[case.name] for case in PLAYABLE[::EVERY]]
    assert len({one.reason for one in owed}) > 8
    assert {one.verdict for one in owed} >= {"accepted", "refused"}
