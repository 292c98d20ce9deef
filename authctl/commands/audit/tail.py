"""`authctl audit tail`: the last events, and each new one as it comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Final

import typer

from authctl.commands._filters import Filters, filtered
from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._views import (
    ADDRESS,
    DETAILS,
    EVENT,
    EVENT_COLUMNS,
    OUTCOME,
    REASON,
    TIME,
    USER,
    event_columns,
    event_row,
)
from authctl.commands.audit._answering import NOTHING_FITS, show_query
from authctl.errors import UsageError

if TYPE_CHECKING:
    from authctl.server.storage.event_query import EventFilter

_LAST: Final = 20
_COLUMNS: Final = event_columns(TIME, OUTCOME, EVENT, USER, ADDRESS, REASON, DETAILS)
"""Widths cannot follow rows that are still to come, so that an id would take the room of the sentence."""
_SECONDS: Final = 1.0
_SECONDS_FAR_AWAY: Final = 5.0
"""Each question to a service is an event of its own there."""

FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Show each new event as it comes, until Ctrl-C.")]


@filtered(without=("order", "count_by", "until"), defaults={"limit": _LAST})
def tail(filters: Filters, *, follow: FollowOption = False, output_format: FormatOption = Format.TABLE) -> None:
    """Show the last events, oldest first, and with -f each new one.

    --limit is how many of the last ones come first. The database is read, not the log file, so that rotating the file
    or restarting the service does no harm; while the database or the service is away, tail says so once and waits.
    For programs: --format jsonl. With --url each look is an audit_query event there; they are left out here unless
    --event asks for them.

    Example: authctl audit tail -f --failure
    """
    output = Output(output_format, is_utc=filters.utc)
    if follow and output_format is Format.JSON:
        raise UsageError("A JSON array would have no end with -f", hint="--format jsonl has one event per line")
    wanted = filters.wanted(datetime.now(UTC))
    if follow and not filters.print_query:
        _follow(filters, wanted, output)
        return
    with filters.source() as source:
        if filters.print_query:
            show_query(source, output, wanted)
            return
        events = list(source.events(wanted))
    output.table(map(event_row, events[::-1]), EVENT_COLUMNS, empty=NOTHING_FITS)


def _follow(filters: Filters, wanted: EventFilter, output: Output) -> None:
    from authctl.commands.audit._polling import Tail, wait

    if filters.url is not None and not wanted.event_types:
        wanted = replace(wanted, excluded_types=(*wanted.excluded_types, "audit_query"))
    followed = Tail(
        filters.opening(),
        wanted,
        output=output,
        pause=wait(_SECONDS if filters.url is None else _SECONDS_FAR_AWAY),
    )
    last = followed.begin()
    output.stream(map(event_row, chain(last, followed.follow())), _COLUMNS)
