"""How often a source, an e-mail address and everybody together may begin and complete ceremonies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from limits import RateLimitItemPerMinute
from limits.storage.base import Storage
from limits.strategies import FixedWindowRateLimiter

from authctl.errors import RateLimited
from authctl.server.accounts.buckets import bucket_key, bucket_of

if TYPE_CHECKING:
    from limits import RateLimitItem

    from authctl.server.storage.database import Database
    from authctl.server.storage.limits import Limits
    from authctl.server.storage.transaction import Transaction
    from authctl.settings import Settings

MOST_REMEMBERED: Final = 10_000
SHORTEST_WAIT: Final = 1

Check = tuple["RateLimitItem", tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of one kind of request; `per_email` counts each source by itself when it is `per_pair`."""

    per_source: RateLimitItem
    per_email: RateLimitItem | None
    overall: RateLimitItem
    per_pair: bool = False

    def checks(self, network: str, email: str | None) -> list[Check]:
        """Narrow limits first: what they refuse does not use up what everybody shares."""
        checks: list[Check] = [(self.per_source, (network,))]
        if email is not None and self.per_email is not None:
            checks.append((self.per_email, (network, email) if self.per_pair else (email,)))
        checks.append((self.overall, ()))
        return checks


def begin_policy(settings: Settings) -> Policy:
    """Begins are cheap for an attacker and leave a row each, so they are counted for everyone alike."""
    return Policy(
        per_source=RateLimitItemPerMinute(settings.rate_limit_begins_per_source_per_minute, 1, "begin-source"),
        per_email=RateLimitItemPerMinute(settings.rate_limit_begins_per_email_per_minute, 1, "begin-email"),
        overall=RateLimitItemPerMinute(settings.rate_limit_begins_per_minute, 1, "begin"),
    )


def completion_policy(settings: Settings) -> Policy:
    """An e-mail is counted per source: failures of one source never keep its owner out from another (R-RL-04)."""
    return Policy(
        per_source=RateLimitItemPerMinute(settings.rate_limit_completions_per_source, 5, "complete-source"),
        per_email=RateLimitItemPerMinute(settings.rate_limit_completions_per_source_email, 5, "complete-pair"),
        overall=RateLimitItemPerMinute(settings.rate_limit_completions_per_minute, 1, "complete"),
        per_pair=True,
    )


def question_policy(settings: Settings) -> Policy:
    """The source of questions to the trail is an admin, from wherever they ask; all together have four shares."""
    most = settings.rate_limit_questions_per_admin_per_minute
    return Policy(
        per_source=RateLimitItemPerMinute(most, 1, "question-admin"),
        per_email=None,
        overall=RateLimitItemPerMinute(4 * most, 1, "question"),
    )


class TransactionStorage(Storage):
    """The counters of `limits` in the table of a running transaction: check and count are one statement."""

    STORAGE_SCHEME = None

    def __init__(self, counters: Limits) -> None:
        super().__init__()
        self._counters = counters

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """Storage errors of ours pass through as they are."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Counts, in the running window or a new one; the new count."""
        return self._counters.hit(key, amount, expiry)[0]

    def get(self, key: str) -> int:
        """The count of the running window."""
        window = self._counters.get(key)
        return window[0] if window else 0

    def get_expiry(self, key: str) -> float:
        """When the running window ends, in seconds since the epoch; 0 without one."""
        window = self._counters.get(key)
        return window[1] if window else 0.0

    def check(self) -> bool:
        """A transaction that runs is healthy."""
        return True

    def reset(self) -> int | None:
        """Not offered: `authctl reset` empties the table."""
        return None

    def clear(self, key: str) -> None:
        """Forgets a counter."""
        self._counters.clear(key)


class Remembered:
    """Keys that were refused, until their window ends: further requests cost no transaction. Bounded."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._until: dict[str, float] = {}

    def add(self, key: str, until: float) -> None:
        """Remembers a key, at the cost of the oldest when there are too many."""
        self._until.pop(key, None)
        self._until[key] = until
        if len(self._until) > self._most:
            del self._until[next(iter(self._until))]

    def until(self, key: str, now: float) -> float | None:
        """The end of the window that the key was refused in; None when it is not known to be refused."""
        end = self._until.get(key)
        if end is not None and end <= now:
            del self._until[key]
            return None
        return end


@dataclass(frozen=True, slots=True)
class Refusal:
    """Which counter was full, and when its window ends (seconds since the epoch)."""

    key: str
    until: float


class TooOften(RateLimited):
    """A refusal by a counter; `key` names it without naming a person."""

    def __init__(self, retry_after: int, key: str) -> None:
        super().__init__(retry_after, debug=key)
        self.key = key


class Limiter:
    """Admits requests or raises TooOften. Counters live in the database, shared by workers and kept over restarts."""

    def __init__(self, database: Database, email_key: bytes, *, is_on: bool = True) -> None:
        self._database = database
        self._email_key = bucket_key(email_key)
        self._is_on = is_on
        self._remembered = Remembered()

    async def admit(self, policy: Policy, network: str, email: str | None) -> None:
        """Counts a request against every limit that concerns it; `email` is normalised, or None."""
        if not self._is_on:
            return
        checks = policy.checks(network, None if email is None else self.bucket(email))
        self._refuse_remembered(checks)
        refusal = await self._database.write(lambda tx: _count(tx, checks))
        if refusal is not None:
            self._remembered.add(refusal.key, refusal.until)
            raise self._too_often(refusal.key, refusal.until)

    def refuse_early(self, policy: Policy, network: str) -> None:
        """Raises for a source that is known to be over its limit, before anything of its request is read."""
        if self._is_on:
            self._refuse_remembered(policy.checks(network, None))

    def bucket(self, email: str) -> str:
        """Stands for an address in the table of counters, which holds none; plus-tags lead to one bucket."""
        return bucket_of(self._email_key, email)

    def _refuse_remembered(self, checks: list[Check]) -> None:
        now = self._now()
        for item, identifiers in checks:
            key = item.key_for(*identifiers)
            until = self._remembered.until(key, now)
            if until is not None:
                raise self._too_often(key, until)

    def _too_often(self, key: str, until: float) -> TooOften:
        return TooOften(max(SHORTEST_WAIT, math.ceil(until - self._now())), key)

    def _now(self) -> float:
        return self._database.clock.now().timestamp()


def _count(tx: Transaction, checks: list[Check]) -> Refusal | None:
    windows = FixedWindowRateLimiter(TransactionStorage(tx.limits))
    for item, identifiers in checks:
        if not windows.hit(item, *identifiers):
            return Refusal(item.key_for(*identifiers), windows.get_window_stats(item, *identifiers).reset_time)
    return None
