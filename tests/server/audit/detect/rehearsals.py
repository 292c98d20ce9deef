"""Attacks played against a real service, one for each rule of detection, and the traffic of an ordinary day.

A stage needs nothing but a directory, so that a demonstration can play them too.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from authctl.clock import FixedClock
from authctl.server.audit.events import Caller
from authctl.virtual_authenticator import PLATFORM, SYNCED_PASSKEY, Client, VirtualAuthenticator
from authctl.virtual_authenticator.authenticator.counters import CounterPolicy
from tests.builders import ORIGIN, PEER, Instance, Visitor, settings_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx2

    from authctl.virtual_authenticator import Profile

OFFICE: Final = "198.51.100.10"
ATTACKER: Final = "203.0.113.66"
OPERATOR: Final = Caller(None, None, "authctl", None, actor="os:ops(1000)")
GERMAN: Final = "5.1.80.1"
FRENCH: Final = "90.0.0.1"
"""Addresses that the registries gave to Germany and to France."""


@dataclass
class Through:
    """The service as somebody behind the trusted proxy reaches it from one address."""

    instance: Instance
    address: str
    origin: str = ORIGIN

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """One request and its answer."""
        headers = {"x-forwarded-for": self.address, **arguments.pop("headers", {})}
        return self.instance.call(method, path, headers=headers, **arguments)


class Stage:
    """A service behind a proxy, with a clock that the play moves."""

    def __init__(self, directory: Path, url: str | None = None, **settings: Any) -> None:
        self.clock = FixedClock()
        self.instance = Instance(settings_in(directory, url, trusted_proxies=f"{PEER}/32", **settings), self.clock)

    def enter(self, name: str, address: str = OFFICE, profile: Profile = PLATFORM) -> Visitor:
        """Somebody registers."""
        visitor = Visitor(Through(self.instance, address), f"{name}@example.com", VirtualAuthenticator(profile))
        visitor.register(first_name=name.capitalize())
        return visitor

    def move(self, visitor: Visitor, address: str) -> Visitor:
        """The same person with the same passkey, somewhere else."""
        visitor.service = Through(self.instance, address)
        return visitor

    def passes(self, seconds: float) -> None:
        """Time goes by."""
        self.clock.advance(seconds)

    def promote(self, visitor: Visitor) -> None:
        """The operator makes somebody an admin."""
        asyncio.run(self.instance.service.roles.promote(visitor.email, OPERATOR))

    def demote(self, visitor: Visitor) -> None:
        """The operator takes it back."""
        asyncio.run(self.instance.service.roles.demote(visitor.email, OPERATOR, allow_no_admin=True))

    def close(self) -> None:
        """Ends the play."""
        self.instance.close()


def fail(visitor: Visitor, address: str | None = None) -> None:
    """A login with a signature that does not hold."""
    there = visitor if address is None else _at(visitor, address)
    assertion = there.sign()
    signature = assertion["response"]["signature"]
    assertion["response"]["signature"] = signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")
    assert there.complete_login(assertion).status_code == 401


def _at(visitor: Visitor, address: str) -> Visitor:
    service = visitor.service
    assert isinstance(service, Through)
    return Visitor(Through(service.instance, address), visitor.email, visitor.authenticator)


def force_from_one_address(stage: Stage, times: int = 10) -> None:
    """One address, three accounts in turn."""
    victims = [stage.enter(name) for name in ("ada", "ben", "cleo")]
    for attempt in range(times):
        stage.passes(30)
        fail(victims[attempt % 3], ATTACKER)


def force_one_account(stage: Stage, times: int = 10) -> None:
    """Many addresses, one account."""
    victim = stage.enter("ada")
    for attempt in range(times):
        stage.passes(30)
        fail(victim, f"203.0.113.{attempt}")


def probe(stage: Stage) -> None:
    """An answer sent twice, a passkey the service does not know, somebody else's challenge, a token of one's own."""
    somebody = stage.move(stage.enter("ada"), ATTACKER)
    used = somebody.sign()
    somebody.complete_login(used)
    stage.passes(20)
    somebody.complete_login(used)
    stranger = Visitor(somebody.service, "zoe@example.com")
    stranger.browser.create(stranger.begin_registration())
    stage.passes(20)
    stranger.complete_login(stranger.sign(is_named=False), is_named=False)
    stage.passes(20)
    stranger.complete_login(somebody.sign())
    stage.passes(20)
    somebody.see(token="eyJhbGciOiJub25lIn0.e30.")


def sweep_accounts(stage: Stage, accounts: int = 10) -> None:
    """One address asks for one e-mail after the other."""
    stage.enter("ada")
    attacker = Visitor(Through(stage.instance, ATTACKER))
    for number in range(accounts):
        stage.passes(20)
        attacker.email = "ada@example.com" if number == 0 else f"info{number}@example.com"
        attacker.begin_login()


def clone(stage: Stage) -> None:
    """A copy of a passkey logs in from elsewhere; then the original counts on from where it was."""
    owner = stage.enter("ada")
    owner.log_in()
    copy = _at(owner, ATTACKER)
    stage.passes(600)
    copy.log_in()
    stage.passes(600)
    original = VirtualAuthenticator(store=owner.authenticator.store, counter_override=CounterPolicy("fixed", 2))
    answer = owner.complete_login(Client(original, ORIGIN).get(owner.begin_login()))
    assert answer.status_code == 401


def roam(stage: Stage, addresses: int = 3) -> None:
    """One passkey in several places within an hour."""
    visitor = stage.enter("ada", profile=SYNCED_PASSKEY)
    for number in range(addresses):
        stage.passes(600)
        stage.move(visitor, f"203.0.113.{number}").log_in()


def travel(stage: Stage) -> None:
    """At home for a while, and then in another country."""
    visitor = stage.enter("ada", GERMAN)
    visitor.log_in()
    stage.passes(86_400)
    stage.move(visitor, FRENCH).log_in()


def ask_for_others(stage: Stage, records: int = 5) -> None:
    """A user with a token tries the ids of others."""
    others = [stage.enter(f"person{number}") for number in range(records)]
    curious = stage.enter("nina")
    curious.log_in()
    for other in others:
        stage.passes(10)
        assert curious.see(other.id).status_code == 403


def use_new_rights(stage: Stage, minutes: float = 5) -> None:
    """Somebody becomes an admin and looks around."""
    other, admin = stage.enter("ada"), stage.enter("olga")
    stage.promote(admin)
    stage.passes(minutes * 60)
    admin.log_in()
    assert admin.see(other.id).status_code == 200


def damage_the_file(stage: Stage) -> None:
    """The audit file is removed under the running service."""
    visitor = stage.enter("ada")
    stage.instance.settings.log_file.unlink()
    visitor.log_in()


REHEARSALS: Final[dict[str, Callable[[Stage], None]]] = {
    "brute-force-address": force_from_one_address,
    "brute-force-account": force_one_account,
    "credential-probing": probe,
    "account-sweep": sweep_accounts,
    "clone-suspected": clone,
    "many-addresses": roam,
    "new-country": travel,
    "denied-sweep": ask_for_others,
    "quick-admin": use_new_rights,
    "audit-gap": damage_the_file,
}
"""By rule: what makes it find something."""


def ordinary_day(stage: Stage) -> None:
    """An office behind one address, where people are clumsy and on the move, and nobody is up to anything."""
    admin = stage.enter("olga")
    stage.promote(admin)
    stage.passes(3600)
    people = [stage.enter(f"person{number}", profile=SYNCED_PASSKEY) for number in range(8)]
    for visitor in people:
        stage.passes(20)
        visitor.begin_login()  # the window was closed again
        fail(visitor)
        visitor.log_in()  # the counter of a synced passkey is 0, always
        visitor.log_in()
        visitor.see()
    mistyper = people[0]
    for _ in range(3):
        fail(mistyper)
    mistyper.log_in()
    mistyper.email = "persom0@example.com"
    mistyper.begin_login()
    people[1].see(people[2].id)  # a bookmark of a colleague's
    late = people[3].sign()
    stage.passes(400)
    people[3].complete_login(late)
    stage.move(people[4], "100.64.0.9").log_in()  # on the phone
    admin.log_in()
    for visitor in people:
        admin.see(visitor.id)


def play(directory: Path, name: str) -> FixedClock:
    """One rehearsal in a directory, which then holds its database and audit file; when it was over."""
    stage = Stage(directory)
    try:
        REHEARSALS[name](stage)
        stage.passes(1)
    finally:
        stage.close()
    return stage.clock
