"""What analysts ask, as the commands of the trail put it to the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, NamedTuple

from authctl.server.storage.event_query import EventFilter, Sql, select_events, select_groups

if TYPE_CHECKING:
    from datetime import datetime


class Question(NamedTuple):
    """One question; with `by` it counts, else it lists. An indexed one is answered without looking at every event."""

    name: str
    wanted: EventFilter
    by: tuple[str, ...] = ()
    top: int | None = None
    is_indexed: bool = False

    def sql(self) -> Sql:
        """What SQLite is asked."""
        if self.by:
            return select_groups(self.wanted, self.by, "sqlite", top=self.top)
        return select_events(self.wanted, "sqlite")


def questions(now: datetime) -> list[Question]:
    """By time, by user, by type, from where, and the trail at a glance."""
    day, week = now - timedelta(days=1), now - timedelta(days=7)
    logins = ("login_complete",)
    failed = EventFilter(event_types=logins, success=False)
    succeeded = EventFilter(event_types=logins, success=True)
    denied = EventFilter(event_types=("user_access", "token_rejected", "audit_query"), success=False, limit=100)
    users_and_addresses = ("user_email", "ip_address")
    return [
        Question("newest 100", EventFilter(limit=100), is_indexed=True),
        Question("newest 100 failures", EventFilter(success=False, limit=100), is_indexed=True),
        Question("failed logins, newest 100", replace(failed, limit=100), is_indexed=True),
        Question("denied, newest 100", denied, is_indexed=True),
        Question("one e-mail, newest 100", EventFilter(user_email="user7@example.com", limit=100), is_indexed=True),
        Question("one e-mail, failed logins", replace(failed, user_email="user7@example.com"), is_indexed=True),
        Question("one day, failures by address", EventFilter(since=day, success=False), ("ip_address",), 11, True),
        Question("one day, failed logins by user", replace(failed, since=day), ("user_email",), None, True),
        Question("one day, several addresses", replace(succeeded, since=day), users_and_addresses, None, True),
        Question("one day, all events", EventFilter(since=day)),
        Question("one week by hour", EventFilter(since=week), ("hour",)),
        Question("several addresses", succeeded, users_and_addresses),
        Question("all by type", EventFilter(), ("event_type", "success")),
        Question("all by address", EventFilter(), ("ip_address",), 11),
        Question("all by user", EventFilter(), ("user_email",), 11),
        Question("all by reason", EventFilter(success=False), ("reason",), 11),
        Question("all by hour", EventFilter(), ("hour",)),
        Question("one address", EventFilter(networks=(ip_network("10.1.2.3/32"),), limit=100)),
        Question("IPv4 network", EventFilter(networks=(ip_network("10.0.0.0/9"),), limit=100)),
        Question("IPv6 network by address", EventFilter(networks=(ip_network("2001:db8::/33"),)), ("ip_address",), 11),
        Question("text anywhere", EventFilter(contains="nowhere to be found", limit=100)),
    ]
