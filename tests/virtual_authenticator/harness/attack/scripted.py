"""Cases whose outcome is written down, and a server that accepts what it is told to accept."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from authctl.virtual_authenticator.base64url import encode
from authctl.virtual_authenticator.faults.cases import Case
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.needs import Needs
from authctl.virtual_authenticator.faults.played import Played
from authctl.virtual_authenticator.faults.stage import Lab
from authctl.virtual_authenticator.harness.accounts import throw_away_account
from authctl.virtual_authenticator.harness.attack.targets import OneServer
from authctl.virtual_authenticator.harness.attack.verdicts import judge
from authctl.virtual_authenticator.harness.relying_party import Reaction, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authctl.virtual_authenticator.harness.accounts import Account
    from authctl.virtual_authenticator.harness.attack.verdicts import Result

ACCEPTED = Reaction(Verdict.ACCEPTED, 200, "", 0.01)
REFUSED = Reaction(Verdict.REFUSED, 400, "no", 0.01, "No <b>entry</b>")
CRASHED = Reaction(Verdict.CRASHED, 500, "boom", 0.01, "Traceback")
UNCLEAR = Reaction(Verdict.INCONCLUSIVE, 302, "redirected", 0.01)

WAS_REFUSED = Played(ACCEPTED, (REFUSED,))
WAS_ACCEPTED = Played(ACCEPTED, (ACCEPTED,))
HAS_CRASHED = Played(ACCEPTED, (CRASHED,))
CANNOT_TELL = Played(None, problem="nothing came of it")
CANNOT_BE = Played(not_applicable="no such login")


@dataclass(frozen=True, slots=True)
class Scripted(Case):
    """A case that is played by a function."""

    script: Callable[[Lab], Played] = lambda _: WAS_REFUSED

    def play(self, lab: Lab) -> Played:
        return self.script(lab)


def case(name: str = "reg.some", owed: str = "refuse", played: Any = WAS_REFUSED, **members: Any) -> Scripted:
    """A case that is played as written, or by a function."""
    given: dict[str, Any] = {
        "variant": "",
        "ceremony": "registration",
        "layer": Layer.ENVELOPE,
        "alters": "no id",
        "why": "Somebody gets in.",
        "spec": "§7.1 step 3",
        "force": "must",
        "tier": "core",
        "expected": {"l3": owed, "fido": owed},
        "needs": Needs(),
        "known": (),
    }
    script = played if callable(played) else lambda _: played
    return Scripted(id=name, script=script, **(given | members))


def result(name: str = "reg.some", owed: str = "refuse", played: Played = WAS_REFUSED, **members: Any) -> Result:
    """What came of such a case, a quarter of a second later."""
    return judge(case(name, owed, **members), played, "l3", seconds=0.25)


@dataclass
class Party:
    """A server that has every ceremony accepted, or what `reactions` says of the next ones."""

    name: str = "party"
    origin: str = "http://localhost:8000"
    attestation: str = "none"
    usernameless: Exception | None = None
    begin: Exception | None = None
    reactions: list[Reaction] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def visit(self, account: Account | None = None) -> Guest:
        return Guest(self, account or throw_away_account())

    def close(self) -> None:
        self.closed.append(threading.current_thread().name)

    def react(self) -> Reaction:
        return self.reactions.pop(0) if self.reactions else ACCEPTED

    def target(self, *capabilities: str) -> OneServer:
        return OneServer(Lab(self, frozenset(capabilities)))


@dataclass
class Guest:
    """Somebody there."""

    party: Party
    account: Account
    known: list[str] = field(default_factory=list)

    def begin_registration(self) -> Mapping[str, Any]:
        if self.party.begin:
            raise self.party.begin
        return {
            "challenge": encode(secrets.token_bytes(32)),
            "rp": {"id": "localhost", "name": "Party"},
            "user": {"id": encode(secrets.token_bytes(16)), "name": "guest", "displayName": "Guest"},
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
            "attestation": self.party.attestation,
        }

    def finish_registration(self, credential: Any) -> Reaction:
        self.known.append(credential["id"])
        return self.party.react()

    def begin_login(self, *, named: bool = True) -> Mapping[str, Any]:
        if not named and self.party.usernameless:
            raise self.party.usernameless
        allowed = [{"type": "public-key", "id": known} for known in self.known] if named else []
        return {"challenge": encode(secrets.token_bytes(32)), "rpId": "localhost", "allowCredentials": allowed}

    def finish_login(self, assertion: Any) -> Reaction:
        return self.party.react()

    def branch(self, account: Account | None = None) -> Self:
        return replace(self, account=account or self.account)

    def close(self) -> None:
        """Nothing is kept."""
