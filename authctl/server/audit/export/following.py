"""A feed: goes on from a cursor, piece by piece, and then takes new events as they come."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authctl.errors import StorageDamaged, StorageError, StorageUnavailable, UsageError
from authctl.server.audit.export.cursor import Cursor, Span
from authctl.server.audit.export.stopping import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from authctl.server.audit.export.stopping import Stop
    from authctl.server.audit.export.takers import Taker
    from authctl.server.audit.export.trail import Snapshot, Trail
    from authctl.server.audit.records import EventRecord
    from authctl.server.storage.event_query import EventFilter

MOST: Final = 2000
"""Rows of a piece: a crash repeats no more than these."""
MOST_OF_A_WRITER: Final = 250
_LOOK_EVERY: Final = 0.5
_LONGEST_PAUSE: Final = 10.0


@dataclass(slots=True)
class Feed:
    """One feed.

    open_trail  opens the database; called again when it was away or replaced
    cursor      where to go on; None: from the beginning of the trail
    keep        is told each new cursor, after everything before it was taken
    tell        is told what a person should know
    count       events that were taken
    """

    open_trail: Callable[[], Trail]
    taker: Taker
    wanted: EventFilter
    cursor: Cursor | None
    keep: Callable[[Cursor], None]
    tell: Callable[[str], None]
    count: int = 0
    _trail: Trail | None = None

    def start(self) -> None:
        """Opens the trail. Raises UsageError when the cursor is not of this trail, or a StorageError."""
        self._trail = self.open_trail()
        if self.cursor is not None:
            with self._trail.snapshot() as snapshot:
                self.cursor.require(snapshot.owner)

    def run(self, stop: Stop) -> None:
        """Returns when it was asked to stop.

        Raises TakerLeft, ServerUnreachable, or a StorageError that waiting does not mend.
        """
        with suppress(Stopped):
            self.taker.begin()
            self._go_on_for_ever(stop)

    def close(self) -> None:
        """Lets go of the taker and of the trail. Safe to call twice."""
        self.taker.close()
        if self._trail is not None:
            self._trail.close()

    def _go_on_for_ever(self, stop: Stop) -> None:
        pause = 0.0
        while not stop.is_asked:
            try:
                self._trail = self._trail or self.open_trail()
                wait, pause = (0.0 if self._go_on(self._trail, stop) else _LOOK_EVERY), 0.0
            except (StorageUnavailable, StorageDamaged) as error:
                self._let_go(error, is_first=not pause)
                wait = pause = min(2 * pause or _LOOK_EVERY, _LONGEST_PAUSE)
            stop.wait(wait)

    def _let_go(self, error: StorageError, *, is_first: bool) -> None:
        trail, self._trail = self._trail, None
        if trail is not None:
            trail.close()
        elif not isinstance(error, StorageUnavailable):
            raise error  # it was not replaced: what is there now is damaged
        if is_first:
            self.tell(f"{error.detail}; trying again")

    def _go_on(self, trail: Trail, stop: Stop) -> bool:
        """Takes the next piece; whether there may be more."""
        with trail.snapshot() as snapshot:
            cursor = self._cursor_in(snapshot)
            ends = snapshot.ends(cursor)
            spans = piece_of(cursor.spans(ends))
            if not spans:
                return False
            records = list(snapshot.records(self.wanted, spans))
            missing = sum(span.last - span.after for span in spans) - snapshot.count(spans)
            moved = cursor.moved(ends, spans, snapshot.newest())
        # The snapshot has ended: a taker that is slow or away must not keep the database's log from shrinking.
        if missing:
            what = "event was" if missing == 1 else "events were"
            self.tell(f"{missing} {what} archived or removed before this feed came to them")
        if records:
            self._hand_over(records, stop)
        self.cursor = moved
        self.keep(moved)
        return True

    def _hand_over(self, records: list[EventRecord], stop: Stop) -> None:
        self.taker.take(records, stop)
        self.count += len(records)

    def _cursor_in(self, snapshot: Snapshot) -> Cursor:
        if self.cursor is None:
            return Cursor.at_the_beginning(snapshot.owner)
        try:
            self.cursor.require(snapshot.owner)
        except UsageError:
            self.tell("The database was reset or restored; its trail is followed from the beginning")
            return Cursor.at_the_beginning(snapshot.owner)
        return self.cursor


def piece_of(spans: Iterable[Span]) -> list[Span]:
    """The first rows of the first chains: what is taken at once."""
    found: list[Span] = []
    left = MOST
    for writer_id, after, last in spans:
        if left <= 0:
            break
        size = min(last - after, MOST_OF_A_WRITER, left)
        found.append(Span(writer_id, after, after + size))
        left -= size
    return found
