"""Plays a case: a control that is accepted, the attack under the same settings, and a verdict on what came back."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tests.attacks.cases import AUTHENTICATION, REGISTRATION
from tests.attacks.catalogue import MUTATIONS, SCRIPTS
from tests.attacks.drafts import Flag
from tests.attacks.registry import NULL

if TYPE_CHECKING:
    import httpx2

    from tests.attacks.cases import Execution
    from tests.attacks.drafts import RegistrationDraft
    from tests.attacks.laboratory import Subject

GENERIC: Final = {
    400: ("registration-failed", "Bad request", "Registration failed"),
    401: ("login-failed", "Unauthorized", "Invalid credentials"),
}
EVENT_TYPE: Final = {REGISTRATION: "registration_complete", AUTHENTICATION: "login_complete"}
ACCEPTANCE: Final = {REGISTRATION: 201}


class Verdict(StrEnum):
    """What an answer amounts to. Anything but the first three is a crash."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    INVALID_REQUEST = "invalid request"
    CRASHED = "crashed"


def verdict_on(answer: httpx2.Response, ceremony: str) -> Verdict:
    """Refused is the ceremony's generic failure to the letter; what is refused before it is an invalid request."""
    if answer.status_code == ACCEPTANCE.get(ceremony, 200):
        return Verdict.ACCEPTED
    if answer.headers.get("content-type") != "application/problem+json; charset=utf-8" or answer.status_code >= 500:
        return Verdict.CRASHED
    problem = answer.json()
    if problem == generic_failure(ceremony, problem["instance"]):
        return Verdict.REFUSED
    return Verdict.INVALID_REQUEST if answer.status_code in (400, 413, 422) else Verdict.CRASHED


def generic_failure(ceremony: str, instance: str) -> dict[str, Any]:
    """The one body that every failure of a ceremony has."""
    status = 400 if ceremony == REGISTRATION else 401
    slug, title, detail = GENERIC[status]
    return {
        "type": f"urn:authctl:problem:{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
    }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case.

    verdicts   on the answers under judgement, one unless two were sent at once; `statuses` are theirs
    reasons    what the audit trail says of them, newest first; None of an acceptance
    afterwards the verdict on what was sent next: a login with a credential that was accepted, or, after a refusal,
               the valid message that had been altered
    owed       the verdict that is owed for it
    """

    verdicts: list[Verdict]
    statuses: list[int]
    reasons: list[str | None]
    afterwards: Verdict | None = None
    owed: Verdict | None = None

    @property
    def word(self) -> str:
        """The outcome in a word or two; a crash outweighs everything."""
        if Verdict.CRASHED in (*self.verdicts, self.afterwards):
            return Verdict.CRASHED
        return " + ".join(sorted(self.verdicts))


async def play(subject: Subject, execution: Execution) -> Outcome:
    """The outcome of a case in one of its ceremonies."""
    if execution.case.key in SCRIPTS:
        return await _observe(subject, execution, await SCRIPTS[execution.case.key](subject))
    if execution.ceremony == REGISTRATION:
        return await _play_registration(subject, execution)
    return await _play_login(subject, execution)


async def _play_registration(subject: Subject, execution: Execution) -> Outcome:
    await subject.other().register()
    draft = subject.make(await subject.begin_registration())
    valid = draft.document()
    sent = _altered(draft, execution)
    outcome = await _observe(subject, execution, [await subject.complete_registration(sent)])
    if outcome.verdicts == [Verdict.ACCEPTED]:
        # A credential that should not have been accepted may break the login of whoever has it.
        return replace(outcome, afterwards=await _log_in_with(subject, draft), owed=Verdict.ACCEPTED)
    afterwards = verdict_on(await subject.complete_registration(valid), REGISTRATION)
    return replace(outcome, afterwards=afterwards, owed=_owed_for(valid, sent, outcome))


async def _play_login(subject: Subject, execution: Execution) -> Outcome:
    await subject.register()
    for _ in range(subject.needs.logins):
        await subject.log_in()
    draft = subject.sign(await subject.begin_login())
    valid = draft.document()
    sent = _altered(draft, execution)
    outcome = await _observe(subject, execution, [await subject.complete_login(sent)])
    if outcome.verdicts == [Verdict.ACCEPTED]:
        return outcome
    afterwards = verdict_on(await subject.complete_login(valid), AUTHENTICATION)
    return replace(outcome, afterwards=afterwards, owed=_owed_for(valid, sent, outcome))


def _altered(draft: Any, execution: Execution) -> object:
    returned = MUTATIONS[execution.case.key](draft)
    if returned is NULL:
        return None
    return draft.document() if returned is None else returned


async def _observe(subject: Subject, execution: Execution, answers: list[httpx2.Response]) -> Outcome:
    events = await subject.lab.last_events(EVENT_TYPE[execution.ceremony], len(answers))
    return Outcome(
        verdicts=[verdict_on(answer, execution.ceremony) for answer in answers],
        statuses=[answer.status_code for answer in answers],
        reasons=[event.reason for event in events],
    )


def _owed_for(valid: dict[str, Any], sent: object, outcome: Outcome) -> Verdict:
    """R-CH-03: a refusal uses up the challenge if it can be read; otherwise nothing but the alteration was wrong."""
    is_used_up = outcome.verdicts == [Verdict.REFUSED] and _challenge_in(sent) == _challenge_in(valid)
    return Verdict.REFUSED if is_used_up else Verdict.ACCEPTED


def _challenge_in(credential: Any) -> object:
    try:
        collected = credential["response"]["clientDataJSON"]
        return json.loads(urlsafe_b64decode(collected + "=" * (-len(collected) % 4)))["challenge"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


async def _log_in_with(subject: Subject, registered: RegistrationDraft) -> Verdict:
    options = {**await subject.begin_login(), "allowCredentials": []}
    draft = subject.sign(options)
    draft.flags = registered.flags & ~(Flag.AT | Flag.ED)
    draft.envelope |= {name: registered.envelope[name] for name in ("id", "rawId")}
    return verdict_on(await subject.complete_login(draft.document()), AUTHENTICATION)
