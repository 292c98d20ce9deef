"""Erasing one person from the trail: which rows are about them, and blanking them so that the chain still verifies.

A row loses its personal columns and their salt, and keeps the digest of both, which its MAC covers. The event of the
erasure names the rows, signed, and the person by nothing but an id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from authctl.server.audit.events import ChainRange, EventType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from authctl.server.storage.transaction import Transaction

MOST_AT_ONCE = 400
"""Rows blanked in one transaction: a service beside it waits no longer than for a few logins."""
_REPEATING = (EventType.AUDIT_QUERY, EventType.AUDIT_EXPORT)
"""Events whose details repeat what somebody asked the trail for, which may be an e-mail."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data it is.

    email  as normalised; empty when only an id is known
    ids    every id under which the person has or had an account, that of the present one first
    """

    email: str
    ids: tuple[str, ...] = ()


def find_rows(tx: Transaction, subject: Subject, *, most: int) -> list[str]:
    """Ids of up to `most` events about a person that are not blank yet.

    Those of the e-mail come last: should the erasure be interrupted, they lead to the person once more.
    """
    found: list[str] = []
    for user_id in subject.ids:
        found += tx.erasures.of_id(user_id, subject.email, most=most)
    if subject.email:
        found += _repeating(tx, subject.email)
    found = list(dict.fromkeys(sorted(found)))[:most]
    if subject.email and len(found) < most:
        found += sorted(tx.erasures.of_email(subject.email, most=most - len(found)))
    return found


def blank_rows(tx: Transaction, event_ids: Iterable[str]) -> tuple[ChainRange, ...]:
    """Empties the personal columns of these events, as far as they are not empty; the ranges that the rows make."""
    tx.instance.set_maintenance(True)
    places = [place for event_id in event_ids if (place := tx.erasures.blank(event_id)) is not None]
    tx.instance.set_maintenance(False)
    return ranges_of_places(places)


def ranges_of_places(places: Sequence[tuple[str, int]]) -> tuple[ChainRange, ...]:
    """Rows, each by writer and sequence, as the ranges that they make."""
    ranges: list[ChainRange] = []
    for writer_id, seq in sorted(places):
        last = ranges[-1] if ranges else None
        if last is not None and (last.writer_id, last.last + 1) == (writer_id, seq):
            ranges[-1] = ChainRange(writer_id, last.first, seq)
        else:
            ranges.append(ChainRange(writer_id, seq, seq))
    return tuple(ranges)


def rows_in(ranges: Iterable[ChainRange]) -> int:
    """How many rows some ranges are."""
    return sum(one.last - one.first + 1 for one in ranges)


def mentions(email: str) -> re.Pattern[str]:
    """Finds an e-mail in a sentence; a longer address that contains it is somebody else's."""
    return re.compile(rf"(?<![\w.%+'-]){re.escape(email)}(?![\w-]|\.\w)", re.ASCII | re.IGNORECASE)


def _repeating(tx: Transaction, email: str) -> list[str]:
    alone = mentions(email)
    return [
        event_id
        for event_type in _REPEATING
        for event_id, details in tx.erasures.said_in(event_type.value, email, email)
        if alone.search(details)
    ]
