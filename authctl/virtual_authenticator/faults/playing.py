"""Plays a case: a control without the fault, the attack under the same settings, and what the server makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from authctl.errors import AuthctlError, AuthenticatorError
from authctl.virtual_authenticator.faults.authenticator_data import LARGEST_COUNT
from authctl.virtual_authenticator.faults.interface import FAULTS, PLAYS
from authctl.virtual_authenticator.faults.needs import CAPABILITIES, REGISTRATION
from authctl.virtual_authenticator.faults.played import Afterwards, Played
from authctl.virtual_authenticator.faults.stage import Stage
from authctl.virtual_authenticator.harness.relying_party import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.faults.drafts import RegistrationDraft
    from authctl.virtual_authenticator.faults.interface import Alter
    from authctl.virtual_authenticator.faults.stage import Lab, Person
    from authctl.virtual_authenticator.harness.relying_party import Reaction


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


def _perform(case: Case, stage: Stage) -> Played:
    if case.key in PLAYS:
        story = PLAYS[case.key].perform(stage)
        return Played(story.control, story.reactions)
    alter = FAULTS[case.key].alter
    return _registration(stage, alter) if case.ceremony == REGISTRATION else _login(stage, alter)


def _registration(stage: Stage, alter: Alter) -> Played:
    _, control = stage.person().register()
    person = stage.person()
    draft = person.make()
    valid = draft.document()
    alter(draft)
    reaction = person.visit.finish_registration(draft.document())
    played = Played(control, (reaction,))
    if reaction.verdict is Verdict.ACCEPTED:
        return _poisoned(played, person, draft)
    return _repeated(played, reaction, person.visit.finish_registration, valid)


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
    draft = person.sign()
    valid = draft.document()
    alter(draft)
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
