"""What a rule is, what it is given, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from authctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from authctl.server.audit.records import EventSource

MOST_FINDINGS: Final = 1000
"""Of one rule in one run, so that an attack of any size is answered in flat memory."""
MOST_EVENTS: Final = 20
"""Ids of events that a finding lists; it counts all of them."""


class Severity(StrEnum):
    """How much a finding matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Comparable: the more it matters, the higher."""
        return list(Severity).index(self)


class Kind(StrEnum):
    """What a finding is about."""

    USER = "user"
    ADDRESS = "address"
    TRAIL = "trail"


class CannotRun(UsageError):
    """A rule lacks something that it needs on this machine; the hint says how to get it."""


@dataclass(frozen=True, slots=True)
class Window:
    """The span of time that is asked about; `until` is exclusive."""

    since: datetime
    until: datetime

    def reaching_back(self, span: timedelta) -> datetime:
        """Where to begin reading, so that what began before the window and ended in it is seen whole."""
        try:
            return self.since - span
        except OverflowError:
            return self.since


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How much is too much. Each is a setting `DETECT_…` of the same name, which also says what it means."""

    minutes: int = 10
    address_failures: int = 10
    account_failures: int = 10
    probing_refusals: int = 5
    probing_reasons: int = 3
    swept_accounts: int = 10
    denied_records: int = 5
    user_addresses: int = 3
    user_addresses_minutes: int = 60
    admin_minutes: int = 15
    country_history_days: int = 90
    country_database: Path | None = None

    @property
    def span(self) -> timedelta:
        """Within which attempts are counted together."""
        return timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule saw.

    subject       an e-mail or user id, an address or an IPv6 network, or the part of the trail
    sentence      what was seen, with its numbers and times
    first, last   when it began and when it was last seen
    count         how often; requests that the service only counted are in it
    events        ids of some events behind it, in order of time, for `authctl audit show`
    total_events  how many events there are behind it
    advice        what to do about it
    """

    rule: str
    severity: Severity
    kind: Kind
    subject: str
    sentence: str
    first: datetime
    last: datetime
    count: int
    events: tuple[str, ...]
    total_events: int
    advice: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which a trail can look wrong.

    severity    of what it finds; a finding may be more severe when what was tried has worked
    thresholds  the names of those that it looks at
    find        what it finds in a window, in any order; raises CannotRun
    """

    name: str
    title: str
    severity: Severity
    description: str
    advice: str
    thresholds: tuple[str, ...]
    find: Callable[[EventSource, Window, Thresholds], Iterator[Finding]]
