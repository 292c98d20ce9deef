"""Follows a trail by asking it again and again: nothing is missed, nothing comes twice, and absences are told once."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from authctl.errors import ServerUnreachable, StorageError
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from authctl.commands._output import Output
    from authctl.server.audit.records import EventRecord, EventSource

OVERLAP: Final = timedelta(seconds=30)
"""How much older than what is known a row may be that was committed after it: by a slow writer, or a slow clock."""
POLLS_PER_LOOK: Final = 10
"""Polls after which the source is opened anew, because its file may be another one by then."""


class Tail:
    """What follows in a trail. Every source with the same events may be opened in place of the one before.

    open_source  opens the trail; also again, after it was away
    wanted       which events; its limit is how many of the last ones come first
    output       tells the person that the trail is away, and that it is back
    pause        waits between two polls
    """

    def __init__(
        self,
        open_source: Callable[[], AbstractContextManager[EventSource]],
        wanted: EventFilter,
        *,
        output: Output,
        pause: Callable[[], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._open_source = open_source
        self._wanted = replace(wanted, newest_first=False, limit=None)
        self._last = wanted.limit
        self._output = output
        self._pause = pause
        self._now = now
        self._horizon: datetime | None = None
        self._seen: dict[str, datetime] = {}
        self._is_away = False

    def begin(self) -> list[EventRecord]:
        """The last events, oldest first. Raises what opening and asking the trail raises."""
        with self._open_source() as source:
            self._move_to(_newest(source))
            # In this order: what comes between the two questions is either shown now or not yet known.
            known = {event.id: event.created_at for event in source.events(self._asked())}
            last = list(source.events(replace(self._wanted, newest_first=True, limit=self._last)))
        self._seen = {**known, **{event.id: event.created_at for event in last}}
        return last[::-1]

    def follow(self) -> Iterator[EventRecord]:
        """Each event that comes after `begin`, without an end; what the trail raises by being away is only told."""
        while True:
            self._pause()
            try:
                with self._open_source() as source:
                    yield from self._poll_for_a_while(source)
            except (StorageError, ServerUnreachable) as error:
                self._tell_away(error)

    def _poll_for_a_while(self, source: EventSource) -> Iterator[EventRecord]:
        newest = _newest(source)
        for poll in range(POLLS_PER_LOOK):
            if poll:
                self._pause()
            # At once, because an open question would hold back the database while somebody stops the terminal.
            new = [event for event in source.events(self._asked()) if event.id not in self._seen]
            self._tell_back()
            self._seen.update({event.id: event.created_at for event in new})
            if not poll:
                self._move_to(newest)  # looked at before everything up to it was asked for
            yield from new

    def _asked(self) -> EventFilter:
        """Everything that may be new."""
        if self._horizon is None:
            return self._wanted
        since = self._horizon - OVERLAP
        return replace(self._wanted, since=since if self._wanted.since is None else max(since, self._wanted.since))

    def _move_to(self, newest: datetime | None) -> None:
        """Asks no more for what is much older than the newest event, whatever it is.

        A rare kind would otherwise have the whole past asked for in each poll.
        """
        if newest is None:
            return
        horizon = min(newest, self._now())  # a clock that is ahead hides nothing of the others
        self._horizon = horizon if self._horizon is None else max(self._horizon, horizon)
        since = self._horizon - OVERLAP
        self._seen = {event_id: moment for event_id, moment in self._seen.items() if moment >= since}

    def _tell_away(self, error: StorageError | ServerUnreachable) -> None:
        if not self._is_away:
            self._is_away = True
            self._output.warning(f"{error.detail}; waiting for it")

    def _tell_back(self) -> None:
        if self._is_away:
            self._is_away = False
            self._output.message("It is back.")


def _newest(source: EventSource) -> datetime | None:
    return next((event.created_at for event in list(source.events(EventFilter(limit=1)))), None)


def wait(seconds: float) -> Callable[[], None]:
    """A pause of so many seconds."""
    return lambda: time.sleep(seconds)
