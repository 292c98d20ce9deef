"""Plays a case: a control without the fault, the attack under the same settings, and what the server makes of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from authctl.errors import AuthctlError, AuthenticatorError
from authctl.virtual_authenticator.faults.authenticator_data import LARGEST_COUNT
from authctl.virtual_authenticator.faults.interface import FAULTS, PLAYS, Unlucky
from authctl.virtual_authenticator.faults.needs import CAPABILITIES, REGISTRATION
from authctl.virtual_authenticator.faults.played import Afterwards, Played
from authctl.virtual_authenticator.faults.stage import Stage
from authctl.virtual_authenticator.harness.relying_party import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.faults.drafts import Draft, RegistrationDraft
    from authctl.virtual_authenticator.faults.interface import Alter
    from authctl.virtual_authenticator.faults.stage import Lab, Person
    from authctl.virtual_authenticator.harness.relying_party import Reaction

_D = TypeVar("_D", bound="Draft")
_TRIES: Final = 20


def play(case: Case, lab: Lab) -> Played:
    """What came of a case; never raises for what a server does."""
    lacking = lab.lacks(case.needs)
    if lacking:
        return Played(not_applicable=f"not known of this server: {CAPABILITIES[lacking]}")
    try:
        with Stage(lab, case.needs) as stage:
            return _perform(case, stage)
    except AuthenticatorError as error:
        # What a client would not do for these options, it cannot be made to do wrongly either.
        return Played(not_applicable=error.detail)
    except AuthctlError as error:
        return Played(problem=error.detail)
    except Exception as error:
        # Options of an unforeseen shape can lead a play astray; that is no verdict, and no end of a run either.
        return Played(problem=f"could not be played: {type(error).__name__}: {error}")


def _perform(case: Case, stage: Stage) -> Played:
    if case.key in PLAYS:
        story = PLAYS[case.key].perform(stage)
        return Played(story.control, story.reactions)
    alter = FAULTS[case.key].alter
    return _registration(stage, alter) if case.ceremony == REGISTRATION else _login(stage, alter)


def _registration(stage: Stage, alter: Alter) -> Played:
    _, control = stage.person().register()
    person = stage.person()
    draft, valid = _altered(person.make, alter)
    reaction = person.visit.finish_registration(draft.document())
    played = Played(control, (reaction,))
    if reaction.verdict is Verdict.ACCEPTED:
        return _poisoned(played, person, draft)
    return _repeated(played, reaction, person.visit.finish_registration, valid)


def _altered(make: Callable[[], _D], alter: Alter) -> tuple[_D, Any]:
    """A draft with the fault, and its message without it; begun anew while chance keeps the fault out."""
    for _ in range(_TRIES - 1):
        with suppress(Unlucky):
            return _once(make, alter)
    return _once(make, alter)


def _once(make: Callable[[], _D], alter: Alter) -> tuple[_D, Any]:
    draft = make()
    valid = draft.document()
    alter(draft)
    return draft, valid


def _poisoned(played: Played, person: Person, draft: RegistrationDraft) -> Played:
    # A credential that should not have been accepted may break the login of whoever has it. After the largest count
    # there is no login.
    if draft.sign_count == LARGEST_COUNT:
        return played
    try:
        return replace(played, afterwards=person.log_in_with(draft), followed=Afterwards.LOGIN)
    except AuthctlError as error:
        return replace(played, problem=error.detail)


def _login(stage: Stage, alter: Alter) -> Played:
    person = stage.person()
    _, control = person.register()
    for _ in range(stage.needs.logins):
        if control.verdict is Verdict.ACCEPTED:
            _, control = person.log_in()
    if control.verdict is not Verdict.ACCEPTED:
        return Played(control)
    draft, valid = _altered(person.sign, alter)
    reaction = person.visit.finish_login(draft.document())
    played = Played(control, (reaction,))
    if reaction.verdict is Verdict.ACCEPTED:
        return played
    return _repeated(played, reaction, person.visit.finish_login, valid)


def _repeated(played: Played, reaction: Reaction, finish: Callable[[object], Reaction], valid: object) -> Played:
    if reaction.verdict is Verdict.INCONCLUSIVE:
        return played
    again = finish(valid)
    is_told = again.verdict in (Verdict.ACCEPTED, Verdict.REFUSED)
    is_consumed = again.verdict is Verdict.REFUSED if is_told else None
    return replace(played, afterwards=again, followed=Afterwards.REPEAT, is_consumed=is_consumed)
