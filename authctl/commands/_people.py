"""Puts e-mails to the user ids of events, and ids to e-mails, as far as the database here knows the accounts."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

from authctl.commands._output import Row
from authctl.commands._views import event_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from authctl.server.audit.records import EventRecord
    from authctl.server.storage.reader import Reader

_AT_ONCE: Final = 500
"""Events whose users are looked up together; their ids fit into one statement."""


class People:
    """The accounts that exist; the database is opened when the first is asked for. Without one, nobody is known."""

    def __init__(self, *, has_database: bool) -> None:
        self._has_database = has_database
        self._reader: Reader | None = None

    def emails(self, user_ids: Sequence[str]) -> Mapping[str, str]:
        """The e-mails of those that exist. Raises StorageError."""
        from authctl.server.storage.user_query import select_emails

        if not user_ids or (reader := self._opened()) is None:
            return {}
        return {row[0]: row[1] for row in reader.all(select_emails(user_ids, reader.dialect))}

    def id_of(self, email: str) -> str | None:
        """The id of the account with this e-mail, as it is stored. Raises StorageError."""
        from authctl.server.storage.user_query import select_id

        if (reader := self._opened()) is None:
            return None
        found: list[tuple[str]] = reader.all(select_id(email, reader.dialect))
        return found[0][0] if found else None

    def rows(self, events: Iterable[EventRecord]) -> Iterator[Row]:
        """The events with one more member: the e-mail of whose record it was, where that account exists."""
        remaining = iter(events)
        while some := list(islice(remaining, _AT_ONCE)):
            known = self.emails(sorted({event.target_user_id for event in some if event.target_user_id}))
            for event in some:
                yield {**event_row(event), "target_email": known.get(event.target_user_id or "")}

    def close(self) -> None:
        """Lets go of the database."""
        if self._reader is not None:
            self._reader.close()

    def _opened(self) -> Reader | None:
        if self._reader is None and self._has_database:
            from authctl.server.storage.reader import open_reader
            from authctl.settings import load_settings

            self._reader = open_reader(load_settings().database_url)
        return self._reader


@contextmanager
def people_of(url: str | None) -> Iterator[People]:
    """The accounts of the database of the settings; a service at `url` tells nobody's."""
    people = People(has_database=url is None)
    try:
        yield people
    finally:
        people.close()
