"""A server that answers as it is told, to see what plays make of it, and one that believes everything."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from authctl.errors import ServerUnreachable
from authctl.virtual_authenticator.base64url import encode
from authctl.virtual_authenticator.harness.accounts import Account
from authctl.virtual_authenticator.harness.relying_party import Reaction, Verdict
from authctl.virtual_authenticator.randomness import SystemRandom

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCEPTED: Final = Reaction(Verdict.ACCEPTED, 200, "", 0.0)
REFUSED: Final = Reaction(Verdict.REFUSED, 400, "no", 0.0)
CRASHED: Final = Reaction(Verdict.CRASHED, 500, "oops", 0.0)
UNCLEAR: Final = Reaction(Verdict.INCONCLUSIVE, 429, "slowly", 0.0)

_RANDOM: Final = SystemRandom()
_numbers = count(1)


@dataclass
class FakeParty:
    """A server for tests.

    registrations, logins  the reactions in order; when they are used up, everything is accepted
    options                members of all options
    silent                 the beginnings that get no options: `registration`, `login`
    sent                   every message that was finished
    """

    registrations: list[Reaction] = field(default_factory=list)
    logins: list[Reaction] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    sent: list[Any] = field(default_factory=list)
    closed: int = 0
    name: str = "fake"
    origin: str = "https://login.example.org"

    def visit(self, account: Account | None = None) -> FakeVisit:
        """Somebody."""
        return FakeVisit(self, account or Account(f"subject-{next(_numbers)}@example.org"))

    def close(self) -> None:
        """Nothing is kept."""


@dataclass
class FakeVisit:
    """One person."""

    party: FakeParty
    account: Account
    ids: list[str] = field(default_factory=list)

    def begin_registration(self) -> Mapping[str, Any]:
        self._require("registration")
        return {
            "challenge": encode(_RANDOM.take(32)),
            "rp": {"id": "example.org", "name": "Fake"},
            "user": {"id": encode(_RANDOM.take(16)), "name": self.account.email, "displayName": "Pat"},
            "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in (-7, -8, -257)],
            "excludeCredentials": [{"type": "public-key", "id": known} for known in self.ids],
            **self.party.options,
        }

    def finish_registration(self, credential: object) -> Reaction:
        reaction = self._react(self.party.registrations, credential)
        if reaction is ACCEPTED and isinstance(credential, dict) and isinstance(credential.get("id"), str):
            self.ids.append(credential["id"])
        return reaction

    def begin_login(self, *, named: bool = True) -> Mapping[str, Any]:
        self._require("login")
        listed = [{"type": "public-key", "id": known} for known in self.ids if named]
        return {
            "challenge": encode(_RANDOM.take(32)),
            "rpId": "example.org",
            "allowCredentials": listed,
            **self.party.options,
        }

    def finish_login(self, assertion: object) -> Reaction:
        return self._react(self.party.logins, assertion)

    def branch(self, account: Account | None = None) -> FakeVisit:
        return self if account is None else replace(self, account=account)

    def close(self) -> None:
        self.party.closed += 1

    def _require(self, ceremony: str) -> None:
        if ceremony in self.party.silent:
            raise ServerUnreachable("There are no options")

    def _react(self, reactions: list[Reaction], message: object) -> Reaction:
        self.party.sent.append(message)
        return reactions.pop(0) if reactions else ACCEPTED
