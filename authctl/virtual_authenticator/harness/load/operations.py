"""Performs one operation as one person, and tells how long each step took and what went wrong."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from authctl.errors import AuthctlError, AuthenticatorError, ServerUnreachable
from authctl.virtual_authenticator.errors import CeremonyRefused, NothingListens, TimedOut, TooManyRequests
from authctl.virtual_authenticator.harness.load.plan import Operation
from authctl.virtual_authenticator.harness.load.recording import Failure, Kind, Sample
from authctl.virtual_authenticator.harness.relying_party import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.harness.load.metered import Meter, Metered
    from authctl.virtual_authenticator.harness.load.pace import Ticket
    from authctl.virtual_authenticator.harness.load.people import Crowd, Person
    from authctl.virtual_authenticator.harness.relying_party import Reaction

_T = TypeVar("_T")
SIGN = "sign"
"""The step that is the client's own work: the authenticator makes or uses a key."""


def perform(ticket: Ticket, crowd: Crowd, metered: Metered) -> Sample:
    """Performs an operation; never raises for what a server does."""
    began = time.perf_counter()
    attempt = _Attempt(metered.meter)
    operation = ticket.operation
    if operation is Operation.REGISTER:
        person = crowd.newcomer()
        attempt.try_(lambda: attempt.register(person))
        crowd.see_off(person)
    else:
        person = crowd.take()
        try:
            # Whoever's session has ended logs in before reading again.
            operation = operation if person.is_logged_in else Operation.LOGIN
            attempt.try_(lambda: attempt.read(person) if operation is Operation.READ else attempt.log_in(person))
        finally:
            crowd.give_back(person)
    ended = time.perf_counter()
    planned = began if ticket.planned is None else ticket.planned
    return Sample(
        operation,
        planned,
        ended,
        tuple(attempt.steps),
        attempt.failure,
        late=began - planned,
        is_measured=ticket.is_measured,
        is_lost=attempt.failure is not None and metered.meter.status == 0,
        retries=metered.meter.dropped if attempt.failure is None else 0,
        pause=metered.meter.pause or 0.0,
    )


class _Attempt:
    """One operation: its steps so far, and the failure that ended it."""

    def __init__(self, meter: Meter) -> None:
        self.steps: list[tuple[str, float]] = []
        self.failure: Failure | None = None
        self._meter = meter
        self._step = ""
        meter.read()
        meter.dropped = 0

    def try_(self, work: Callable[[], None]) -> None:
        """Works, and keeps what goes wrong as the failure."""
        try:
            work()
        except AuthctlError as error:
            self.failure = Failure(_kind_of_error(error, self._meter), self._step, error.detail)
        except Exception as error:
            # Options of an unforeseen shape can lead the client astray; one answer does not end a load.
            self.failure = Failure(Kind.INCONCLUSIVE, self._step, f"{type(error).__name__}: {error}")

    def register(self, person: Person) -> None:
        """Somebody new gets an account with a passkey."""
        options = self._asked("begin", person.visit.begin_registration)
        credential = self._signed(lambda: person.client.create(dict(options)))
        self._judge(self._asked("complete", lambda: person.visit.finish_registration(credential)))

    def log_in(self, person: Person) -> None:
        """Somebody logs in."""
        options = self._asked("begin", person.visit.begin_login)
        assertion = self._signed(lambda: person.client.get(dict(options)))
        self._judge(self._asked("complete", lambda: person.visit.finish_login(assertion)))
        person.is_logged_in = self.failure is None

    def read(self, person: Person) -> None:
        """Somebody who is logged in reads the own profile."""
        self._judge(self._asked("read", person.visit.read_profile))
        person.is_logged_in = self.failure is None

    def _asked(self, step: str, work: Callable[[], _T]) -> _T:
        """What the server answers in a step; only the time of requests counts."""
        self._step = step
        result = work()
        self.steps.append((step, self._meter.read()))
        return result

    def _signed(self, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        self._step = SIGN
        started = time.perf_counter()
        result = work()
        self.steps.append((SIGN, time.perf_counter() - started))
        return result

    def _judge(self, reaction: Reaction) -> None:
        if reaction.verdict is Verdict.ACCEPTED:
            return
        said = f"{reaction.status or ''} {reaction.reason}".strip()
        self.failure = Failure(_kind_of_reaction(reaction, self._meter), self._step, said)


def _kind_of_reaction(reaction: Reaction, meter: Meter) -> Kind:
    if reaction.status == 0 and meter.error is not None:
        return _kind_of_error(meter.error, meter)
    if meter.pause is not None:
        return Kind.LIMITED
    return Kind(reaction.verdict.value)


def _kind_of_error(error: AuthctlError, meter: Meter) -> Kind:
    match error:
        case TimedOut():
            return Kind.TIMEOUT
        case NothingListens():
            return Kind.UNREACHABLE
        case ServerUnreachable():
            return Kind.CRASHED
        case TooManyRequests():
            return Kind.LIMITED
        case AuthenticatorError():
            return Kind.CLIENT
        case _ if meter.pause is not None:
            return Kind.LIMITED
        case CeremonyRefused():
            return Kind.REFUSED
        case _:
            return Kind.CRASHED if meter.status >= 500 else Kind.INCONCLUSIVE
