"""What a unit of work sees of the database: one collection per table, one time, one journal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from authctl.server.storage.anchored import AnchoredRows
from authctl.server.storage.challenges import Challenges
from authctl.server.storage.credentials import Credentials
from authctl.server.storage.erasures import Erasures
from authctl.server.storage.events import Events
from authctl.server.storage.instances import Instances
from authctl.server.storage.limits import Limits
from authctl.server.storage.removals import Removals
from authctl.server.storage.sessions import Sessions
from authctl.server.storage.users import Users
from authctl.server.storage.writers import Writers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from authctl.clock import Clock
    from authctl.server.storage.connection import Connection
    from authctl.server.storage.journal import Journal


class Transaction:
    """Valid inside the unit of work that it is given to; the same object serves all units of one thread."""

    __slots__ = (
        "_clock",
        "_connection",
        "anchored",
        "boot_id",
        "challenges",
        "credentials",
        "erasures",
        "events",
        "instance",
        "journal",
        "limits",
        "monotonic",
        "now",
        "removals",
        "sessions",
        "users",
        "writers",
    )

    now: datetime
    monotonic: float

    def __init__(self, connection: Connection, journal: Journal, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self.journal = journal
        self.boot_id = clock.boot_id
        self.users = Users(connection)
        self.credentials = Credentials(connection)
        self.challenges = Challenges(connection, self)
        self.sessions = Sessions(connection, self)
        self.limits = Limits(connection, self)
        self.erasures = Erasures(connection)
        self.events = Events(connection)
        self.anchored = AnchoredRows(connection)
        self.removals = Removals(connection)
        self.writers = Writers(connection)
        self.instance = Instances(connection, self)
        self.look_at_the_clock()

    def look_at_the_clock(self) -> None:
        """Sets the one time of the next unit of work."""
        self.now = self._clock.now()
        self.monotonic = self._clock.monotonic()

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A savepoint: what the block wrote, events included, is undone when it raises, and nothing else."""
        mark = self.journal.mark()
        self._connection.script("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self._connection.script("ROLLBACK TO SAVEPOINT attempt")
            self._connection.script("RELEASE SAVEPOINT attempt")
            self.journal.restore(mark)
            raise
        self._connection.script("RELEASE SAVEPOINT attempt")
