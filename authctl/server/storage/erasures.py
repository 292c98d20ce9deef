"""What an erasure needs of the tables: which rows are about a person, how they are blanked, and what was erased."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import and_, bindparam, not_, null, or_, select

from authctl.server.storage.rows import table_of
from authctl.server.storage.statements import Statement
from authctl.server.storage.tables import AuditLog, Challenge, RateLimit

if TYPE_CHECKING:
    from datetime import datetime

    from authctl.server.storage.connection import Connection, Driver

PERSONAL_COLUMNS = ("user_email", "ip_address", "user_agent", "details", "peer_address", "salt")
"""What is left empty by an erasure; the digest of them stays, and with it the chain."""
ERASED_TYPE = "user_erased"
_PIECE: Final = 1 << 20

_events = table_of(AuditLog)
_columns = _events.c
_challenges = table_of(Challenge)
_limits = table_of(RateLimit)
_is_email = _columns.user_email == bindparam("email")
_is_id = or_(_columns.user_id == bindparam("user_id"), _columns.target_user_id == bindparam("user_id"))
# A refused erasure names the person, an erasure itself nobody.
_has_content = and_(
    _columns.salt.is_not(None), not_(and_(_columns.event_type == ERASED_TYPE, _columns.user_email.is_(None)))
)
_ids = select(_columns.id).where(_has_content).limit(bindparam("most"))
_OF_EMAIL = Statement(_ids.where(_is_email))
_OF_ID = Statement(_ids.where(_is_id, or_(_columns.user_email.is_(None), _columns.user_email != bindparam("email"))))
_SAID_IN = Statement(
    select(_columns.id, _columns.details).where(
        _has_content,
        _columns.event_type == bindparam("event_type"),
        _columns.details.like(bindparam("pattern"), escape="\\"),
        or_(_columns.user_email.is_(None), _columns.user_email != bindparam("email")),
    )
)
_IDS_OF_EMAIL = Statement(
    select(_columns.user_id).where(_is_email, _columns.user_id.is_not(None)).distinct().order_by(_columns.user_id)
)
_EMAILS_OF_ID = Statement(
    select(_columns.user_email)
    .where(_columns.user_id == bindparam("user_id"), _columns.user_email.is_not(None))
    .distinct()
    .limit(2)
)
_HAS_ID = Statement(select(_columns.id).where(_is_id).limit(1))
_BLANK = Statement(
    _events.update()
    .where(_columns.id == bindparam("for_id"), _columns.salt.is_not(None))
    .values({name: null() for name in PERSONAL_COLUMNS})
    .returning(_columns.writer_id, _columns.seq)
)
_BLANK_AT = Statement(
    _events.update()
    .where(
        _columns.writer_id == bindparam("writer"),
        _columns.seq >= bindparam("first"),
        _columns.seq <= bindparam("last"),
        or_(*(_columns[name].is_not(None) for name in PERSONAL_COLUMNS)),
    )
    .values({name: null() for name in PERSONAL_COLUMNS})
)
_ERASURES = Statement(
    select(_columns.id, _columns.created_at)
    .where(_columns.event_type == ERASED_TYPE, _columns.success == 1, _columns.created_at >= bindparam("since"))
    .order_by(_columns.created_at, _columns.id)
)
_DELETE_CHALLENGES = Statement(_challenges.delete().where(_challenges.c.email == bindparam("email")))
_CHALLENGES = Statement(
    _challenges.select().where(_challenges.c.email == bindparam("email")).order_by(_challenges.c.created_at)
)
_has_bucket = _limits.c.key.like(bindparam("pattern"), escape="\\")
_DELETE_LIMITS = Statement(_limits.delete().where(_has_bucket))
_LIMITS = Statement(_limits.select().where(_has_bucket).order_by(_limits.c.key))


class ErasedPlace(NamedTuple):
    """A row that was blanked."""

    writer_id: str
    seq: int


class Erasures:
    """Rows about one person, on their way to say nothing of them."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ids_of_email(self, email: str) -> list[str]:
        """Every id under which events name this e-mail: a person who registered again has several."""
        return [str(row[0]) for row in self._connection.tuples(_IDS_OF_EMAIL, {"email": email})]

    def email_of_id(self, user_id: str) -> str:
        """The e-mail that events of this id name; empty when they name none, or not the same."""
        found = self._connection.tuples(_EMAILS_OF_ID, {"user_id": user_id})
        return str(found[0][0]) if len(found) == 1 else ""

    def is_known(self, user_id: str) -> bool:
        """Whether any event has to do with this id."""
        return self._connection.one(_HAS_ID, {"user_id": user_id}) is not None

    def of_email(self, email: str, *, most: int) -> list[str]:
        """Ids of events of this e-mail that are not blank yet."""
        return [str(row[0]) for row in self._connection.tuples(_OF_EMAIL, {"email": email, "most": most})]

    def of_id(self, user_id: str, email: str, *, most: int) -> list[str]:
        """Ids of events that have to do with this id and are not of the e-mail, and are not blank yet."""
        params = {"user_id": user_id, "email": email, "most": most}
        return [str(row[0]) for row in self._connection.tuples(_OF_ID, params)]

    def said_in(self, event_type: str, text: str, email: str) -> list[tuple[str, str]]:
        """Id and details of events of a type that repeat a text and are not of the e-mail, and are not blank yet."""
        params = {"event_type": event_type, "pattern": _containing(text), "email": email}
        return [(str(row[0]), str(row[1])) for row in self._connection.tuples(_SAID_IN, params)]

    def blank(self, event_id: str) -> ErasedPlace | None:
        """Empties one row, in a transaction that is under maintenance; None when it is blank or gone."""
        row = self._connection.one(_BLANK, {"for_id": event_id})
        return None if row is None else ErasedPlace(str(row[0]), int(row[1]))

    def blank_range(self, writer_id: str, first: int, last: int) -> int:
        """Empties what is not empty in a range that an erasure has named before; how many rows."""
        return self._connection.change(_BLANK_AT, {"writer": writer_id, "first": first, "last": last})

    def since(self, moment: datetime) -> list[tuple[str, datetime]]:
        """Id and time of every erasure that is not older."""
        return [(str(row[0]), row[1]) for row in self._connection.tuples(_ERASURES, {"since": moment})]

    def challenges(self, email: str) -> list[Challenge]:
        """Ceremonies that were begun for this e-mail and not completed."""
        return self._connection.models(_CHALLENGES, Challenge, {"email": email})

    def delete_challenges(self, email: str) -> int:
        """Removes them; how many."""
        return self._connection.change(_DELETE_CHALLENGES, {"email": email})

    def counters(self, bucket: str) -> list[RateLimit]:
        """Counters of limits whose key contains a text."""
        return self._connection.models(_LIMITS, RateLimit, {"pattern": _containing(bucket)})

    def delete_counters(self, bucket: str) -> int:
        """Removes them; how many."""
        return self._connection.change(_DELETE_LIMITS, {"pattern": _containing(bucket)})


def empty_write_ahead_log(driver: Driver) -> bool:
    """Brings SQLite's log into the database file and empties it; False when others were reading or writing.

    Erased values stand in the log, as they were before, until it is emptied.
    """
    raw = driver.connect(readonly=False)
    try:
        row = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return row is not None and int(row[0]) == 0
    except driver.exceptions as error:
        if driver.is_busy(error):
            return False
        raise driver.translate(error) from error
    finally:
        raw.close()


def is_in_file(driver: Driver, text: str) -> bool:
    """Whether SQLite's file has a text anywhere, in rows or in the bytes of pages that no row uses any more.

    What is deleted is overwritten, but pages that were divided or moved before may hold copies, which VACUUM clears.
    """
    raw = driver.connect(readonly=True)
    try:
        path = Path(str(raw.execute("PRAGMA database_list").fetchone()[2]))
    finally:
        raw.close()
    sought, rest = text.encode(), b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            if sought in rest + piece:
                return True
            rest = piece[-len(sought) :]
    return False


def _containing(text: str) -> str:
    for character in "\\%_":
        text = text.replace(character, f"\\{character}")
    return f"%{text}%"
