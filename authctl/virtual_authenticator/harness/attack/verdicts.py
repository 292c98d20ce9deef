"""What a server did in a case, and what that is worth: the outcome, and the mark against what was owed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.faults.cases import ACCEPT, EITHER, ONE, REFUSE
from authctl.virtual_authenticator.faults.played import Afterwards
from authctl.virtual_authenticator.harness.relying_party import Verdict

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.faults.played import Played
    from authctl.virtual_authenticator.harness.relying_party import Reaction

ATTESTATION_TIER: Final = "core-attestation"
NOT_ASKED: Final = "the server asks for no attestation, and may ignore what it did not ask for"


NOT_TAKEN: Final = "the server takes no attestation of this kind, faultless or not"


class Outcome(StrEnum):
    """What a server did.

    CRASHED         an answer of 500 or more, a dropped connection, a time-out, to the attack or to what followed it
    INCONCLUSIVE    it cannot be told, since the control failed, a limit was met or an answer is not understood
    NOT_APPLICABLE  the case needs something of the server that is not there
    """

    REFUSED = "refused"
    ACCEPTED = "accepted"
    CRASHED = "crashed"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not applicable"


class Mark(StrEnum):
    """What an outcome is worth.

    WRONGLY_REFUSED  what has to be accepted is not, or cannot be used afterwards: a fault, but no hole
    TOLD             the server may do either
    """

    GOOD = "good"
    WRONGLY_ACCEPTED = "wrongly accepted"
    CRASHED = "crashed"
    WRONGLY_REFUSED = "wrongly refused"
    TOLD = "told"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not applicable"


FINDINGS: Final = (Mark.WRONGLY_ACCEPTED, Mark.CRASHED)
"""What no server should have."""


@dataclass(frozen=True, slots=True)
class Result:
    """One case with its outcome.

    owed     under the profile: accept, refuse, either, or `one` of several at once
    status   of HTTP, of the answer that decided; 0 when there was none
    reason   the server's code or the beginning of its message, or why there is no verdict
    note     what came after the attack, in words; empty when there is nothing to say
    excerpt  the beginning of the answer's text, untrusted
    """

    case: Case
    outcome: Outcome
    mark: Mark
    owed: str
    status: int = 0
    reason: str = ""
    note: str = ""
    excerpt: str = ""
    seconds: float = 0.0

    @property
    def is_finding(self) -> bool:
        """Whether something that no server should do was done."""
        return self.mark in FINDINGS


def judge(case: Case, played: Played, profile: str, *, asks_attestation: bool = True, seconds: float = 0.0) -> Result:
    """The result of a case that was played.

    asks_attestation  whether the server's options ask for attestation; if not, it may ignore what it is sent
    """
    owed = case.expected[profile]
    outcome, decisive, reason = _outcome(case, played, owed)
    if outcome is Outcome.ACCEPTED and case.tier == ATTESTATION_TIER and owed == REFUSE and not asks_attestation:
        outcome, reason = Outcome.NOT_APPLICABLE, NOT_ASKED
    return Result(
        case=case,
        outcome=outcome,
        mark=_mark(outcome, owed, played),
        owed=owed,
        status=decisive.status if decisive else 0,
        reason=reason,
        note=_note(played),
        excerpt=decisive.excerpt if decisive else "",
        seconds=seconds,
    )


def said(reaction: Reaction) -> str:
    """A reaction in words: refused: 400 registration-failed."""
    answer = " ".join(str(part) for part in (reaction.status or "", reaction.reason) if part)
    return f"{reaction.verdict}: {answer}" if answer else str(reaction.verdict)


def _outcome(case: Case, played: Played, owed: str) -> tuple[Outcome, Reaction | None, str]:
    if played.not_applicable:
        return Outcome.NOT_APPLICABLE, None, played.not_applicable
    crashed = _first(played, Verdict.CRASHED)
    if crashed is not None and not _is(played.control, Verdict.CRASHED):
        return Outcome.CRASHED, crashed, crashed.reason
    if case.needs.attestation and _is(played.control, Verdict.REFUSED) and played.reactions:
        return _without_attestation(played, owed)
    if not _is(played.control, Verdict.ACCEPTED):
        return Outcome.INCONCLUSIVE, None, _why_no_control(played)
    if not played.reactions:
        return Outcome.INCONCLUSIVE, None, played.problem or "the attack was not sent"
    unclear = next((one for one in played.reactions if one.verdict is Verdict.INCONCLUSIVE), None)
    if unclear is not None:
        return Outcome.INCONCLUSIVE, unclear, unclear.reason
    return _told(played.reactions, owed)


def _without_attestation(played: Played, owed: str) -> tuple[Outcome, Reaction | None, str]:
    # A server that takes no attestation of the kind refuses the control as well as the attack; only what it does let
    # in is worth something.
    if owed == REFUSE and any(_is(one, Verdict.ACCEPTED) for one in played.reactions):
        return _told(played.reactions, owed)
    return Outcome.NOT_APPLICABLE, None, NOT_TAKEN


def _told(reactions: tuple[Reaction, ...], owed: str) -> tuple[Outcome, Reaction | None, str]:
    accepted = [one for one in reactions if one.verdict is Verdict.ACCEPTED]
    refused = [one for one in reactions if one.verdict is Verdict.REFUSED]
    # Of several at once, one is let through: what matters are the others.
    is_accepted = len(accepted) > 1 if owed == ONE and len(reactions) > 1 else bool(accepted)
    decisive = (accepted if is_accepted else refused)[0]
    return Outcome.ACCEPTED if is_accepted else Outcome.REFUSED, decisive, decisive.reason


def _mark(outcome: Outcome, owed: str, played: Played) -> Mark:
    match outcome:
        case Outcome.CRASHED:
            return Mark.CRASHED
        case Outcome.INCONCLUSIVE:
            return Mark.INCONCLUSIVE
        case Outcome.NOT_APPLICABLE:
            return Mark.NOT_APPLICABLE
    if owed == EITHER:
        return Mark.TOLD
    is_accepted = outcome is Outcome.ACCEPTED
    if owed == ACCEPT:
        return Mark.GOOD if is_accepted and not _is_poisoned(played) else Mark.WRONGLY_REFUSED
    if is_accepted:
        return Mark.WRONGLY_ACCEPTED
    none_accepted = owed == ONE and not any(_is(one, Verdict.ACCEPTED) for one in played.reactions)
    return Mark.WRONGLY_REFUSED if none_accepted else Mark.GOOD


def _is_poisoned(played: Played) -> bool:
    return played.followed is Afterwards.LOGIN and _is(played.afterwards, Verdict.REFUSED)


def _note(played: Played) -> str:
    if played.afterwards is None or played.followed is None:
        return ""
    verdict = played.afterwards.verdict
    if played.followed is Afterwards.LOGIN:
        told = {
            Verdict.ACCEPTED: "the credential then logged in",
            Verdict.REFUSED: "the credential could not log in: its owner is locked out",
            Verdict.CRASHED: "a login with the credential then crashed the server",
        }
        return told.get(verdict, "")
    if verdict is Verdict.CRASHED:
        return "the valid message, sent next, crashed the server"
    return "" if played.is_consumed is not False else "the challenge could be used again"


def _first(played: Played, verdict: Verdict) -> Reaction | None:
    return next((one for one in (*played.reactions, played.afterwards) if one is not None and _is(one, verdict)), None)


def _is(reaction: Reaction | None, verdict: Verdict) -> bool:
    return reaction is not None and reaction.verdict is verdict


def _why_no_control(played: Played) -> str:
    if played.control is None:
        return played.problem or "the same ceremony without the fault was not reached"
    return f"the same ceremony without the fault was {said(played.control)}"
