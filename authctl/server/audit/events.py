"""The vocabulary of the audit trail: what can happen, who called, and one thing that happened."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EventType(StrEnum):
    """Every kind of event; the value is what stands in `audit_logs.event_type`."""

    REGISTRATION_BEGIN = "registration_begin"
    REGISTRATION_COMPLETE = "registration_complete"
    LOGIN_BEGIN = "login_begin"
    LOGIN_COMPLETE = "login_complete"
    USER_ACCESS = "user_access"
    TOKEN_REJECTED = "token_rejected"  # noqa: S105 - the name of an event, not a password
    CREDENTIAL_CLONE_SUSPECTED = "credential_clone_suspected"
    CREDENTIAL_BEGIN = "credential_begin"
    CREDENTIAL_ADDED = "credential_added"
    CREDENTIAL_RENAMED = "credential_renamed"
    CREDENTIAL_REMOVED = "credential_removed"
    ROLE_CHANGE = "role_change"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    USER_DELETED = "user_deleted"
    USER_EXPORT = "user_export"
    USER_ERASED = "user_erased"
    SESSION_REVOKED = "session_revoked"
    AUDIT_QUERY = "audit_query"
    AUDIT_EXPORT = "audit_export"
    AUDIT_PRUNE = "audit_prune"
    AUDIT_ARCHIVE = "audit_archive"
    AUDIT_REPAIR = "audit_repair"
    CHECKPOINT = "checkpoint"
    AUDIT_GAP = "audit_gap"
    DATABASE_RESET = "database_reset"
    RATE_LIMITED = "rate_limited"
    SERVER_START = "server_start"
    SERVER_STOP = "server_stop"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked, as the edge knows it.

    address       the client, as the trusted proxies report it; None at the command line
    peer_address  the socket's peer
    actor         an operating-system user such as "os:root(0)"; over HTTP the features fill in the user id
    network       what limits count as one source: the IPv4 address, the IPv6 /64
    """

    address: str | None
    peer_address: str | None
    user_agent: str | None
    request_id: str | None
    actor: str | None = None
    network: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: its writer, the sequence of its last row and that row's MAC."""

    writer_id: str
    seq: int
    mac: bytes


@dataclass(frozen=True, slots=True)
class ChainRange:
    """Rows of one chain, first and last included.

    mac  of the last row, where the rows are taken out of the table: the row behind them is chained to it
    """

    writer_id: str
    first: int
    last: int
    mac: bytes = b""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, as a feature tells it; recording neutralises, bounds and redacts every text.

    user_email, user_id  the one who acts for `user_access`, the one concerned elsewhere
    actor                who acts, when that is neither the caller's operating-system user nor nobody
    heads                only for `database_reset`: the ends of the chains that the reset removed
    ranges               the rows that this transaction takes out of the table, or blanks; see `RANGE_EVENTS`
    """

    type: EventType
    success: bool
    caller: Caller
    details: str
    reason: str | None = None
    user_email: str | None = None
    user_id: str | None = None
    target_user_id: str | None = None
    actor: str | None = None
    heads: tuple[Head, ...] = ()
    ranges: tuple[ChainRange, ...] = ()


RANGE_EVENTS = frozenset({EventType.AUDIT_PRUNE, EventType.AUDIT_ARCHIVE, EventType.USER_ERASED})
"""Events that explain changed rows of the trail: they carry the ranges in signed anchors and are never removed."""


_WISHES: dict[EventType, str] = {
    EventType.CREDENTIAL_BEGIN: "start of a passkey registration",
    EventType.CREDENTIAL_ADDED: "passkey registration",
    EventType.CREDENTIAL_RENAMED: "renaming of a passkey",
}


def wish(event_type: EventType) -> str:
    """What somebody wanted who was refused before anything came of it, as a part of a sentence."""
    return _WISHES.get(event_type) or event_type.value.replace("_", " ")


def origin_of(caller: Caller) -> str:
    """Says in a sentence where a call came from: "from IP: 192.0.2.1" or "from the command line"."""
    if caller.address is not None:
        return f"from IP: {caller.address}"
    if caller.actor is not None and caller.actor.startswith("os:"):
        return "from the command line"
    return "from an unknown address"
