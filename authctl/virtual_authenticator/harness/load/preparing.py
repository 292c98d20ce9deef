"""Gives everybody an account before anything is measured, and shows thereby that the server can be tested at all."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Final

from authctl.errors import ServerUnreachable
from authctl.virtual_authenticator.errors import CeremonyError, CeremonyRefused, UnexpectedAnswer
from authctl.virtual_authenticator.harness.load.events import Preparing
from authctl.virtual_authenticator.harness.load.plan import Operation
from authctl.virtual_authenticator.harness.recipe import ceremonies
from authctl.virtual_authenticator.harness.relying_party import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from threading import Event as Flag

    from authctl.virtual_authenticator.credential_store.interface import Credential
    from authctl.virtual_authenticator.harness.load.people import Crowd, Person
    from authctl.virtual_authenticator.harness.load.plan import Plan
    from authctl.virtual_authenticator.harness.steps import Ceremony

_OTHERS: Final = "Are the passkeys that were kept those of this server? Each server takes a file of its own"
_MOST_AT_A_TIME: Final = 16
_TICK_SECONDS: Final = 0.1
_JOIN_SECONDS: Final = 1.0


def prepare(crowd: Crowd, plan: Plan, known: Sequence[Credential], stop: Flag) -> Iterator[Preparing]:
    """Registers who is not among the known, and logs in everybody where profiles are read.

    Raises what goes wrong for anybody: ServerUnreachable, CeremonyError, or UsageError without a profile to read.
    """
    waiting = [crowd.returning(credential) for credential in known[: plan.users]]
    is_known = len(waiting)
    waiting += [crowd.newcomer() for _ in range(plan.users - is_known)]
    returning = {id(person) for person in waiting[:is_known]}
    # The first one alone: what is wrong for everybody is asked for once.
    first = waiting.pop(0)
    _make_ready(first, plan, is_known=id(first) in returning, is_first=True)
    crowd.give_back(first)
    yield Preparing(1, plan.users)
    waiting.reverse()
    said: SimpleQueue[Person | Exception] = SimpleQueue()

    def work() -> None:
        while waiting and not stop.is_set():
            try:
                person = waiting.pop()
            except IndexError:
                return
            try:
                _make_ready(person, plan, is_known=id(person) in returning)
            except Exception as error:
                waiting.clear()
                said.put(error)
            else:
                said.put(person)

    threads = [
        Thread(target=work, name=f"authctl-load-set-up-{number}", daemon=True) for number in range(_at_a_time(plan))
    ]
    for thread in threads:
        thread.start()
    try:
        yield from _collected(crowd, plan, said, stop)
    finally:
        waiting.clear()
        join(threads)


def join(threads: Sequence[Thread]) -> None:
    """Waits a little for threads that have been told to end: what they use is about to be closed."""
    ends = time.monotonic() + _JOIN_SECONDS
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))


def _at_a_time(plan: Plan) -> int:
    return min(plan.concurrency, _MOST_AT_A_TIME)


def _collected(crowd: Crowd, plan: Plan, said: SimpleQueue[Person | Exception], stop: Flag) -> Iterator[Preparing]:
    ready = 1
    while ready < plan.users and not stop.is_set():
        try:
            found = said.get(timeout=_TICK_SECONDS)
        except Empty:
            continue
        if isinstance(found, Exception):
            raise found
        crowd.give_back(found)
        ready += 1
        yield Preparing(ready, plan.users)


def _make_ready(person: Person, plan: Plan, *, is_known: bool, is_first: bool = False) -> None:
    if not is_known:
        _run(ceremonies.register(person.client, person.visit))
    reads = Operation.READ in plan.mix
    if reads or (is_first and Operation.LOGIN in plan.mix):
        try:
            _run(ceremonies.login(person.client, person.visit))
        except CeremonyError as error:
            error.hint = _OTHERS if is_known else error.hint
            raise
        person.is_logged_in = True
    if reads and is_first:
        _require_profile(person)


def _run(ceremony: Ceremony[object]) -> None:
    for _ in ceremony:
        """Nobody looks at the steps; what goes wrong is raised."""


def _require_profile(person: Person) -> None:
    reaction = person.visit.read_profile()
    what = f"The profile cannot be read: {reaction.status or ''} {reaction.reason}".replace(":  ", ": ")
    match reaction.verdict:
        case Verdict.ACCEPTED:
            return
        case Verdict.REFUSED:
            raise CeremonyRefused(what)
        case Verdict.CRASHED if reaction.status == 0:
            raise ServerUnreachable(reaction.reason)
        case _:
            raise UnexpectedAnswer(what, hint="`profile` in the recipe says how it is read")
