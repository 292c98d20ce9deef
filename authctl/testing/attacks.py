"""Attacks for tests: which cases a test asks for, one of them played against a server, and its result in words."""

from __future__ import annotations

import time
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import UsageError
from authctl.escaping import escaped
from authctl.virtual_authenticator.faults.cases import FORCES, PROFILES, TIERS
from authctl.virtual_authenticator.faults.catalogue import cases
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.needs import AUTHENTICATION, REGISTRATION
from authctl.virtual_authenticator.faults.stage import Lab
from authctl.virtual_authenticator.harness.attack.selection import Selection
from authctl.virtual_authenticator.harness.attack.targets import Survey, survey
from authctl.virtual_authenticator.harness.attack.verdicts import Mark, judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.harness.attack.verdicts import Result

_KNOWN: Final[dict[str, tuple[str, ...]]] = {
    "layer": tuple(Layer),
    "force": FORCES,
    "tier": TIERS,
    "ceremony": (REGISTRATION, AUTHENTICATION),
    "profile": PROFILES,
}
_SINGLE: Final = ("ceremony", "profile")
_FREE: Final = ("only", "max_cases", "xfail")
_HEADINGS: Final = {
    Mark.WRONGLY_ACCEPTED: "the server accepted what it has to refuse",
    Mark.CRASHED: "the server crashed",
    Mark.WRONGLY_REFUSED: "the server refused what it has to accept",
    Mark.INCONCLUSIVE: "it cannot be told what the server makes of it",
}


def chosen(*patterns: str, **wanted: Any) -> tuple[tuple[Case, ...], str, Mapping[str, str]]:
    """The cases that the arguments of the marker ask for, the profile, and reasons by case of those known to fail.

    patterns          names of cases, in which `*` and `?` stand for anything; `only` is the same
    layer, force, tier, ceremony, profile, max_cases, xfail

    Raises UsageError for what does not exist, NotFound for a pattern that fits nothing.
    """
    _check(wanted)
    only = (*patterns, *_words(wanted.get("only")))
    choice = Selection(
        patterns=only,
        layers=frozenset(_words(wanted.get("layer"))),
        forces=frozenset(_words(wanted.get("force"))),
        tiers=frozenset(_words(wanted.get("tier"))),
        ceremony=wanted.get("ceremony") or "",
        most=wanted.get("max_cases"),
    )
    found = choice.of(cases())
    if not found:
        raise UsageError("No case is all of what is asked for", hint="Ask for less at once")
    return found, wanted.get("profile") or PROFILES[0], _known_failures(wanted.get("xfail") or {})


def play(case: Case, target: Any, profile: str = PROFILES[0]) -> Result:
    """Plays a case against a server and judges it; ServerUnreachable or CannotTest when that is impossible.

    target  what `relying_party` made, or any other RelyingParty
    """
    started = time.perf_counter()
    known = _survey(case, target)
    played = case.play(known.lab)
    seconds = time.perf_counter() - started
    return judge(case, played, profile, asks_attestation=known.asks_attestation, seconds=seconds)


def explanation(result: Result) -> str:
    """What went wrong in a case, for somebody who has never heard of it."""
    case = result.case
    answer = " ".join(str(part) for part in (result.status or "", result.reason) if part)
    lines = {
        "what was altered": f"{case.alters} ({case.ceremony}, {case.layer})",
        "why it matters": case.why,
        "the standard": f"{case.spec} ({case.force}; {result.owed} is owed)",
        "known cases": ", ".join(case.known),
        "the server": f"{result.outcome}{': ' if answer else ''}{answer}",
        "and then": result.note,
        "its answer": result.excerpt,
        "look it up": f"authctl simulate attack show {case.name}",
    }
    width = max(map(len, lines)) + 2
    told = [f"  {name:<{width}}{escaped(text.strip())}" for name, text in lines.items() if text]
    return "\n".join([f"{case.name}: {_HEADINGS[result.mark]}", *told])


def _survey(case: Case, target: Any) -> Survey:
    if hasattr(target, "survey"):
        found: Survey = target.survey()
        return found
    return survey(target.lab(case.needs) if hasattr(target, "lab") else Lab(target))


def _check(wanted: Mapping[str, Any]) -> None:
    for name, value in wanted.items():
        if name not in _KNOWN and name not in _FREE:
            raise UsageError(f"webauthn_attacks has no argument {name!r}", hint=_near(name, (*_KNOWN, *_FREE)))
        if name in _SINGLE and not isinstance(value, str | None):
            raise UsageError(f"{name} of webauthn_attacks is one word, and not {value!r}")
        for word in _words(value) if name in _KNOWN else ():
            if word not in _KNOWN[name]:
                raise UsageError(f"There is no {name} {word!r}", hint=_near(word, _KNOWN[name]))
    most = wanted.get("max_cases")
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        raise UsageError(f"max_cases of webauthn_attacks is a number from 1 on, and not {most!r}")


def _words(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    words = value.split(",") if isinstance(value, str) else value
    return tuple(str(word).strip() for word in words)


def _known_failures(xfail: Any) -> dict[str, str]:
    if not hasattr(xfail, "items"):
        raise UsageError("xfail of webauthn_attacks is a dictionary of patterns with the reason for each")
    found: dict[str, str] = {}
    for pattern, reason in xfail.items():
        found |= dict.fromkeys((case.name for case in Selection((pattern,)).of(cases())), str(reason))
    return found


def _near(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, 1, 0.5)
    return f"Did you mean {near[0]}?" if near else f"One of {', '.join(known)}"
