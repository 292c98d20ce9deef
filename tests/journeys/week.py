"""A week in the life of a service, made of real ceremonies: honest people, and four who are not."""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from authctl.clock import FixedClock
from authctl.server.audit.events import Caller
from authctl.settings import load_settings
from authctl.virtual_authenticator import Client, VirtualAuthenticator
from authctl.virtual_authenticator.authenticator.counters import CounterPolicy
from tests.builders import ORIGIN, Instance, Visitor

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

MONDAY: Final = datetime(2026, 11, 9, tzinfo=UTC)
OFFICE: Final = "198.51.100.10"
BRUTE_FORCER: Final = "203.0.113.66"
SPRAYER: Final = "2001:db8:bad::99"
ABROAD: Final = "203.0.113.201"
VICTIM: Final = "maria.silva@example.com"
CLONED: Final = "tom.becker@example.com"
CURIOUS: Final = "nina.novak@example.com"
ADMIN: Final = "olga.admin@example.com"
OPERATOR: Final = Caller(None, None, "authctl (host ops1; tty pts/0)", "r-week", "os:ops(1000)")

_AGENTS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1.15 Version/19.1 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
)
_FIRST: Final = (
    "Ada",
    "Ben",
    "Chloe",
    "David",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Luca",
    "Mei",
)
_LAST: Final = ("Abel", "Brand", "Costa", "Dahl", "Engel", "Faber", "Garcia", "Haas", "Ito", "Jansen", "Kovac", "Lind")


@dataclass
class From:
    """The service as somebody reaches it from one address with one browser."""

    instance: Instance
    address: str
    agent: str
    origin: str = ORIGIN

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """One request and its answer."""
        headers = {"user-agent": self.agent, **arguments.pop("headers", {})}
        return self.instance.call(method, path, peer=self.address, headers=headers, **arguments)


@dataclass
class Week:
    """The service with its directory, and everybody who came."""

    instance: Instance
    clock: FixedClock
    chance: random.Random
    people: list[Visitor] = field(default_factory=list)

    def at(self, day: int, hour: int, minute: int = 0, second: int = 0) -> None:
        """Moves the clock, never backwards."""
        wanted = MONDAY + timedelta(days=day, hours=hour, minutes=minute, seconds=second)
        self.clock.advance(max(0.0, (wanted - self.clock.now()).total_seconds()))

    def person(self, email: str) -> Visitor:
        """Somebody by their e-mail."""
        return next(visitor for visitor in self.people if visitor.email == email)

    def arrive(self, first: str, last: str, email: str, address: str) -> Visitor:
        """Somebody new registers."""
        seed = str(self.chance.random())
        visitor = Visitor(
            From(self.instance, address, self.chance.choice(_AGENTS)), email, VirtualAuthenticator(seed=seed)
        )
        visitor.register(first_name=first, last_name=last, job_title=self.chance.choice(("Nurse", "Clerk", "Analyst")))
        self.people.append(visitor)
        return visitor


def simulate_week(directory: Path, *, users: int = 200) -> Week:
    """Lives through the week in `directory`, which then holds database, keys and audit file, the service stopped."""
    settings = load_settings(environ={}, cwd=directory, rate_limits=False)
    clock = FixedClock(MONDAY + timedelta(hours=6))
    week = Week(Instance(settings, clock), clock, random.Random(2026))  # noqa: S311  a story, not a secret
    try:
        _register_everybody(week, users)
        for day in range(7):
            _live_a_day(week, day)
            asyncio.run(week.instance.service.audit.checkpoint())
    finally:
        week.instance.close()
    return week


def _register_everybody(week: Week, users: int) -> None:
    known = {"Maria": VICTIM, "Tom": CLONED, "Nina": CURIOUS, "Olga": ADMIN}
    for number in range(users):
        first, last = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST) % len(_LAST)]
        email = f"{first}.{last}{number}@example.com".lower()
        if number < len(known):
            first, email = list(known.items())[number]
            last = email.split("@")[0].split(".")[1].title()
        # A third sits in the office behind one address, some have IPv6 at home.
        address = OFFICE if number % 3 == 0 else f"198.51.100.{20 + number % 200}"
        if number % 10 == 4:
            address = f"2001:db8:{number:x}::{number + 1:x}"
        week.at(0, 7, number * 60 // users)
        week.arrive(first, last, email, address)
    week.at(0, 8)
    asyncio.run(week.instance.service.roles.promote(ADMIN, OPERATOR))


def _live_a_day(week: Week, day: int) -> None:
    night = {2: _brute_force, 3: _spray}.get(day)
    if night is not None:
        night(week, day)
    if day < 5:
        _work(week, day)
    evening = {3: _clone_a_passkey, 4: _be_curious}.get(day)
    if evening is not None:
        evening(week, day)


def _work(week: Week, day: int) -> None:
    """Most people log in once, some mistype or have the wrong finger, everybody looks at their own profile."""
    for number, visitor in enumerate(week.people):
        if week.chance.random() < 0.15:
            continue
        week.at(day, 8 + number * 9 // len(week.people), number % 60, day)
        if week.chance.random() < 0.06:
            _fail(visitor)
            week.clock.advance(20)
        if visitor.email == CLONED and day == 4:  # locked out by the copy of the evening before
            visitor.complete_login(visitor.sign())
            continue
        visitor.log_in()
        visitor.see()
    admin = week.person(ADMIN)
    week.at(day, 17, 30)
    admin.log_in()
    for visitor in week.chance.sample(week.people, 3):
        week.clock.advance(45)
        admin.see(visitor.id)


def _brute_force(week: Week, day: int) -> None:
    """One address, one account, forged signatures, at night."""
    attacker = Visitor(
        From(week.instance, BRUTE_FORCER, "python-requests/2.32"), VICTIM, VirtualAuthenticator(seed="b")
    )
    for attempt in range(60):
        week.at(day, 2, 10 + attempt // 2, 30 * (attempt % 2))
        _forge(attacker, week.person(VICTIM))


def _spray(week: Week, day: int) -> None:
    """One address asks for many accounts, most of which do not exist, and tries some that do."""
    attacker = Visitor(From(week.instance, SPRAYER, "curl/8.11"), "", VirtualAuthenticator(seed="s"))
    for attempt in range(80):
        week.at(day, 3, attempt // 4, 15 * (attempt % 4))
        attacker.email = f"info{attempt}@example.com" if attempt % 4 else week.people[attempt // 4].email
        if attempt % 4:
            attacker.begin_login()
        else:
            _forge(attacker, week.people[attempt // 4])


def _clone_a_passkey(week: Week, day: int) -> None:
    """A copy of a passkey logs in from elsewhere; then the original answers with a count that was seen already."""
    owner = week.person(CLONED)
    week.at(day, 18)
    copied = Visitor(From(week.instance, ABROAD, _AGENTS[3]), CLONED, owner.authenticator)
    for _ in range(2):
        week.clock.advance(300)
        copied.log_in()
    week.at(day, 19)
    # The original has not seen the two logins of its copy, and counts on from before.
    original = VirtualAuthenticator(store=owner.authenticator.store, counter_override=CounterPolicy("fixed", 2))
    answer = Visitor(owner.service, CLONED, original).complete_login(Client(original, ORIGIN).get(owner.begin_login()))
    if answer.status_code != 401:
        raise AssertionError("the clone was not noticed")


def _be_curious(week: Week, day: int) -> None:
    """A user with a token asks for the records of others."""
    nina = week.person(CURIOUS)
    week.at(day, 18)
    nina.log_in()
    for visitor in week.people[4:29]:
        week.clock.advance(7)
        nina.see(visitor.id)


def _fail(visitor: Visitor) -> None:
    assertion = visitor.sign()
    assertion["response"]["signature"] = _other_end(assertion["response"]["signature"])
    visitor.complete_login(assertion)


def _forge(attacker: Visitor, victim: Visitor) -> None:
    """An assertion over the right challenge, by a credential that exists, with a signature that is none."""
    stand_in = Visitor(attacker.service, victim.email, victim.authenticator)
    assertion = stand_in.sign()
    assertion["response"]["signature"] = _other_end(assertion["response"]["signature"])
    stand_in.complete_login(assertion)


def _other_end(signature: str) -> str:
    return signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")


def main(directory: Path) -> None:
    """Makes the week in a directory, for the pictures of the documentation."""
    os.makedirs(directory, exist_ok=True)  # noqa: PTH103
    simulate_week(directory)
