"""Judges an answer to a credential by the rules of a recipe, and tells the reason that the server gave."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import ServerUnreachable
from authctl.virtual_authenticator.errors import MessageCutOff, NothingListens
from authctl.virtual_authenticator.harness.recipe.excerpts import beginning
from authctl.virtual_authenticator.harness.recipe.model import Ceremony, Rule
from authctl.virtual_authenticator.harness.recipe.places import MISSING, document
from authctl.virtual_authenticator.harness.relying_party import Reaction, Verdict

if TYPE_CHECKING:
    from authctl.errors import AuthctlError
    from authctl.virtual_authenticator.harness.recipe.model import Step
    from authctl.virtual_authenticator.harness.transport import Answer

_LONGEST_REASON: Final = 120
_LONGEST_EXCERPT: Final = 400
# What servers call the reason, in the order in which it is most stable.
_REASONS: Final = ("code", "error_code", "errorMessage", "error", "message", "detail", "title", "reason", "type")
# These say that it was the wrong door or the wrong moment, and nothing about the credential.
_OTHER_REASONS: Final = frozenset({405, 407, 408, 425, 426, 429, 431})
# A page is a stranger's: whatever it holds, the search ends soon.
_TITLE: Final = re.compile(r"<title[^<>]{0,100}>([^<]{1,200})", re.IGNORECASE)
_DEEPEST: Final = 4
"""Reasons stand in members of members, and no deeper."""


def judge(ceremony: Ceremony, answer: Answer) -> Reaction:
    """The reaction that an answer is.

    A rule of the recipe goes first, `reject` before `accept`; then 5xx is a crash and 4xx a refusal, unless it says
    that the address or the moment was wrong. Anything else cannot be told.
    """
    verdict = _verdict(ceremony, answer)
    if verdict is Verdict.ACCEPTED:
        # What is accepted is answered with whatever lets people in, which belongs into no report.
        return Reaction(verdict, answer.status, "", answer.seconds)
    saved = [place.find(answer) for place in ceremony.finish.save.values()]
    excerpt = beginning(answer, saved)[:_LONGEST_EXCERPT]
    return Reaction(verdict, answer.status, _reason(ceremony, answer), answer.seconds, excerpt)


def judge_step(step: Step, answer: Answer) -> Reaction:
    """The reaction that the answer to an ordinary step is: accepted with the status that it has to have."""
    ceremony = Ceremony(step, step, {}, Rule(step.status or frozenset(range(200, 300))))
    return judge(ceremony, answer)


def judge_failure(error: AuthctlError, seconds: float) -> Reaction:
    """The reaction when there was no answer that can be read.

    A connection that closes and a server that does not answer in time are crashes; one that is not there at all, or
    says more than can be read, tells nothing about the credential.
    """
    if isinstance(error, MessageCutOff):
        # Whether an answer 413 comes through before that is chance.
        return Reaction(Verdict.REFUSED, 0, "the message is too large", seconds)
    is_crash = isinstance(error, ServerUnreachable) and not isinstance(error, NothingListens)
    return Reaction(Verdict.CRASHED if is_crash else Verdict.INCONCLUSIVE, 0, error.detail[:_LONGEST_REASON], seconds)


def fits(rule: Rule, answer: Answer) -> bool:
    """Whether all that the rule says is so."""
    if not rule.status and not rule.values:
        return False
    if rule.status and answer.status not in rule.status:
        return False
    return all(_is_so(expected, place.find(answer)) for place, expected in rule.values)


def is_busy(answer: Answer) -> bool:
    """Whether a server says that it is overloaded, and until when."""
    return answer.status == 503 and "retry-after" in answer.headers


def _verdict(ceremony: Ceremony, answer: Answer) -> Verdict:
    if fits(ceremony.reject, answer):
        return Verdict.REFUSED
    if answer.status >= 500:
        return Verdict.INCONCLUSIVE if is_busy(answer) else Verdict.CRASHED
    if fits(ceremony.accept, answer):
        return Verdict.ACCEPTED
    if not 400 <= answer.status < 500 or answer.status in _OTHER_REASONS:
        return Verdict.INCONCLUSIVE
    is_no_route = answer.status == 404 and not isinstance(document(answer), dict)
    return Verdict.INCONCLUSIVE if is_no_route else Verdict.REFUSED


def _is_so(expected: object, found: Any) -> bool:
    if isinstance(expected, re.Pattern):
        return isinstance(found, (str, int, float)) and expected.search(str(found)) is not None
    # True is not 1 here, as it is not in JSON.
    return found is not MISSING and type(found) is type(expected) and bool(found == expected)


def reason_in(answer: Answer) -> str:
    """The reason that an answer gives, as servers commonly give one: a code, a message, a title, else its beginning."""
    return _short(_told(document(answer)) or _title(answer) or beginning(answer))


def _reason(ceremony: Ceremony, answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return _short(f"redirected to {answer.headers.get('location', 'nowhere')}")
    found = MISSING if ceremony.reason is None else ceremony.reason.find(answer)
    return _short(found) if isinstance(found, str) else reason_in(answer)


def _short(text: str) -> str:
    return " ".join(text[:_LONGEST_EXCERPT].split())[:_LONGEST_REASON]


def _told(value: Any, depth: int = 0) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or depth > _DEEPEST:
        return ""
    return next(filter(None, (_told(value.get(name), depth + 1) for name in _REASONS)), "")


def _title(answer: Answer) -> str:
    found = _TITLE.search(beginning(answer)) if "html" in answer.headers.get("content-type", "") else None
    return found.group(1) if found else ""
