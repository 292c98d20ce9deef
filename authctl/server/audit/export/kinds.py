"""What the formats say about each kind of event beyond its columns: a title, how grave it is, who acts on whom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from authctl.server.audit.events import EventType as E

if TYPE_CHECKING:
    from authctl.server.audit.records import EventRecord


class Weight(IntEnum):
    """How much an event deserves a look; each format has its own numbers for these."""

    INFORMATIONAL = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event.

    succeeded, failed  the weight of either outcome
    """

    title: str
    succeeded: Weight = Weight.INFORMATIONAL
    failed: Weight = Weight.LOW


_QUIET, _LOW, _MEDIUM, _HIGH = Weight

KINDS: Final[dict[str, Kind]] = {
    E.REGISTRATION_BEGIN: Kind("Registration begun"),
    E.REGISTRATION_COMPLETE: Kind("Registration completed", failed=_MEDIUM),
    E.LOGIN_BEGIN: Kind("Login begun"),
    E.LOGIN_COMPLETE: Kind("Login completed", failed=_MEDIUM),
    E.USER_ACCESS: Kind("User record accessed", failed=_MEDIUM),
    E.TOKEN_REJECTED: Kind("Access token rejected", failed=_LOW),
    E.CREDENTIAL_CLONE_SUSPECTED: Kind("Copied credential suspected", _HIGH, _HIGH),
    E.CREDENTIAL_BEGIN: Kind("Passkey registration begun"),
    E.CREDENTIAL_ADDED: Kind("Passkey added", _LOW, _MEDIUM),
    E.CREDENTIAL_RENAMED: Kind("Passkey renamed"),
    E.CREDENTIAL_REMOVED: Kind("Passkey removed", _LOW, _MEDIUM),
    E.ROLE_CHANGE: Kind("Role changed", _MEDIUM, _MEDIUM),
    E.USER_DISABLED: Kind("User disabled", _LOW),
    E.USER_ENABLED: Kind("User enabled", _LOW),
    E.USER_DELETED: Kind("User deleted", _LOW, _MEDIUM),
    E.USER_EXPORT: Kind("User's data exported", _LOW),
    E.USER_ERASED: Kind("User's data erased", _LOW, _MEDIUM),
    E.SESSION_REVOKED: Kind("Session revoked"),
    E.AUDIT_QUERY: Kind("Audit trail queried"),
    E.AUDIT_EXPORT: Kind("Audit trail exported"),
    E.AUDIT_PRUNE: Kind("Audit trail pruned", _LOW, _MEDIUM),
    E.AUDIT_ARCHIVE: Kind("Audit trail archived", _LOW, _MEDIUM),
    E.AUDIT_REPAIR: Kind("Audit file repaired", _MEDIUM, _MEDIUM),
    E.CHECKPOINT: Kind("Audit checkpoint signed"),
    E.AUDIT_GAP: Kind("Audit file damaged", _HIGH, _HIGH),
    E.DATABASE_RESET: Kind("Database reset", _HIGH, _HIGH),
    E.RATE_LIMITED: Kind("Requests limited", _LOW, _LOW),
    E.SERVER_START: Kind("Server started"),
    E.SERVER_STOP: Kind("Server stopped"),
}
"""Every event type. Rows of a newer program may have others: see `kind_of`."""

_ABOUT_A_USER: Final = frozenset(
    {E.ROLE_CHANGE, E.USER_DISABLED, E.USER_ENABLED, E.USER_DELETED, E.USER_EXPORT, E.USER_ERASED, E.SESSION_REVOKED}
)
"""Their `user_email` and `user_id` are those of the person concerned; the one who acts is the actor."""


_ABOUT_ONES_OWN: Final = frozenset({E.CREDENTIAL_RENAMED, E.CREDENTIAL_REMOVED})
"""The same, if anybody else acts than the person concerned; an admin who does is their `target_user_id` too."""


def kind_of(event_type: str) -> Kind:
    """What is known of a type; an unknown one is named by itself."""
    return KINDS.get(event_type) or Kind(event_type.replace("_", " ").capitalize())


def weight_of(record: EventRecord) -> Weight:
    """How grave this event is."""
    kind = kind_of(record.event_type)
    return kind.succeeded if record.success else kind.failed


class Person(NamedTuple):
    """Somebody in an event; either may be missing."""

    name: str | None = None
    id: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything is known of them."""
        return self.name is not None or self.id is not None


def parties(record: EventRecord) -> tuple[Person, Person]:
    """Who acts, and on whom. At the command line the one who acts is the operating-system user."""
    user = Person(record.user_email, record.user_id)
    operator = Person(record.actor)
    if record.event_type in _ABOUT_A_USER:
        return operator, user
    if record.event_type in _ABOUT_ONES_OWN and record.actor not in {None, record.user_id}:
        is_admin = record.actor == record.target_user_id
        return Person(None, record.actor) if is_admin else operator, user
    return (user if user.is_known else operator), Person(None, record.target_user_id)
