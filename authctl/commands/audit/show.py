"""`authctl audit show`: one event, whole."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from authctl.commands._filters import CHOOSING, Filters, filtered
from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._views import event_row
from authctl.commands.audit._answering import show_query
from authctl.errors import NotFound, UsageError

_MOST_TOLD: Final = 5

EventId = Annotated[
    str,
    typer.Argument(metavar="ID", help="The event's id, or as much of its beginning as tells it.", show_default=False),
]


@filtered(without=CHOOSING)
def show(event_id: EventId, filters: Filters, output_format: FormatOption = Format.TABLE) -> None:
    """Show one event with all its members.

    Nothing is cut. The writer and the sequence are its place in the chain: `authctl audit verify` names altered rows
    by them. Exits 3 when there is no such event.

    Example: authctl audit show 019a1b2c-7d4e-7a
    """
    from authctl.server.audit.queries import EventQuery, to_filter

    beginning = event_id.strip().rstrip("….")  # as it may come out of a table
    wanted = to_filter(EventQuery(ids=(beginning,), limit=_MOST_TOLD + 1))
    output = Output(output_format, is_utc=filters.utc)
    with filters.source() as source:
        if filters.print_query:
            show_query(source, output, wanted)
            return
        found = list(source.events(wanted))
    if not found:
        raise NotFound(f"No event has the id {event_id}", hint="`authctl audit list --format json` shows ids whole")
    if len(found) > 1:
        several = f"{len(found)}" if len(found) <= _MOST_TOLD else f"more than {_MOST_TOLD}"
        told = ", ".join(event.id for event in found[:_MOST_TOLD])
        raise UsageError(f"{event_id} begins the ids of {several} events", hint=f"write more of it: {told}")
    output.record(event_row(found[0]))
