"""F-05: one journey, again and again, each time with another statement of the database failing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from authctl.server.storage.drivers import choose_driver
from tests.builders import Visitor, person
from tests.journeys.faults import install
from tests.journeys.sql import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    from tests.journeys.conftest import OpenInstance
    from tests.journeys.faults import Kind

FEWEST_STATEMENTS = 30


@dataclass
class Journey:
    """Registers, logs in and looks at itself; what comes to nothing is done once more. Keeps every answer."""

    visitor: Visitor
    answers: list[httpx2.Response] = field(default_factory=list)

    def run(self) -> None:
        """The whole journey."""
        self._until_done(self._register)
        self.visitor.token = self._until_done(self._log_in).json()["access_token"]
        assert self._until_done(self.visitor.see).json()["email"] == self.visitor.email

    def _register(self) -> httpx2.Response:
        visitor = self.visitor
        begun = self._kept(visitor.post("/register/begin", person(visitor.email)))
        if begun.status_code != 200:
            return begun
        return visitor.complete_registration(visitor.browser.create(begun.json()["publicKey"]))

    def _log_in(self) -> httpx2.Response:
        visitor = self.visitor
        begun = self._kept(visitor.post("/login/begin", {"email": visitor.email}))
        if begun.status_code != 200:
            return begun
        return visitor.complete_login(visitor.browser.get(begun.json()["publicKey"]))

    def _until_done(self, step: Callable[[], httpx2.Response]) -> httpx2.Response:
        answer = self._kept(step())
        return self._kept(step()) if answer.status_code == 503 else answer

    def _kept(self, answer: httpx2.Response) -> httpx2.Response:
        if answer not in self.answers:
            self.answers.append(answer)
        return answer


@dataclass(frozen=True)
class Judge:
    """Looks into the database by a connection of its own."""

    connection: Any
    kind: Kind

    def judge(self, journey: Journey) -> None:
        """I1 and I3: each answer has its event, once; a 503 has none, or the true one when only the answer was lost."""
        refused = [answer for answer in journey.answers if answer.status_code == 503]
        assert len(refused) <= 1
        for answer in refused:
            assert answer.headers["retry-after"]
            assert self._outcomes(answer) in ([[]] if self.kind == "refused" else [[], [1]])
        for answer in journey.answers:
            if answer.status_code in (200, 201):
                assert self._outcomes(answer) == [1]
            elif answer.status_code != 503:
                # The registration whose answer was lost, tried once more.
                assert (answer.status_code, self.kind) == (400, "answer lost")
                assert self._outcomes(answer) == [0]
        self._judge_state(journey.visitor.email)

    def _judge_state(self, email: str) -> None:
        whose = f"users.email = '{email}'"
        credentials = f"SELECT 1 FROM webauthn_credentials c JOIN users ON users.id = c.user_id WHERE {whose}"
        assert len(self._rows(credentials)) == 1
        sessions = self._rows(f"SELECT 1 FROM login_sessions s JOIN users ON users.id = s.user_id WHERE {whose}")
        logins = f"SELECT 1 FROM audit_logs WHERE user_email = '{email}' AND event_type = 'login_complete'"
        assert sessions == self._rows(f"{logins} AND success = 1")

    def _outcomes(self, answer: httpx2.Response) -> list[int]:
        request_id = answer.headers["x-request-id"]
        return [
            success for (success,) in self._rows(f"SELECT success FROM audit_logs WHERE request_id = '{request_id}'")
        ]

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.connection.execute(sql).fetchall()
        return rows


@pytest.mark.parametrize("kind", ["refused", "answer lost"])
def test_no_statement_that_fails_breaks_the_bond_between_answers_state_and_trail(
    monkeypatch: pytest.MonkeyPatch, any_url: str, open_instance: OpenInstance, kind: Kind
) -> None:
    """F-05, R-LG-01, R-LG-02: for every statement of the journey, until there is none left to fail."""
    judge = Judge(connect(any_url), kind)
    plan = install(monkeypatch, type(choose_driver(any_url)))
    instance = open_instance(any_url)
    unavailable = 0
    for number in count(1):
        journey = Journey(Visitor(instance, f"jane{number}@example.com"))
        plan.fail_at(number, kind)
        journey.run()
        judge.judge(journey)
        if not plan.has_failed:
            break
        unavailable += any(answer.status_code == 503 for answer in journey.answers)
    plan.fail_at(0, kind)
    judge.connection.close()
    assert unavailable > number / 2 > FEWEST_STATEMENTS / 2
    verdict = asyncio.run(instance.service.audit.verify())
    assert verdict.findings == ()
