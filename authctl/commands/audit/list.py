"""`authctl audit list`: lists events, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session
from authctl.commands._times import parse_time
from authctl.commands._views import EVENT_COLUMNS, event_row


def list_events(
    event: Annotated[
        list[str] | None, typer.Option("--event", metavar="TYPE", help="Only events of this type; may be repeated.")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="EMAIL", help="Only events of this e-mail.")] = None,
    ip: Annotated[str | None, typer.Option("--ip", metavar="ADDRESS", help="Only events from this address.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Not before: 30m, 24h, 7d, or a date or time.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Only before: 30m, 24h, 7d, or a date or time.")
    ] = None,
    success: Annotated[
        bool | None, typer.Option("--success/--failure", help="Only what succeeded, or only what failed.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000_000, metavar="N", help="At most this many.")] = 100,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """List events, newest first.

    A time without an offset is local.

    Example: authctl audit list --event login_complete --failure --since 24h
    """
    from authctl.server.accounts.normalising import email_to_look_up
    from authctl.server.audit.queries import EventQuery

    now = datetime.now(UTC)
    query = EventQuery(
        events=tuple(event or ()),
        user=None if user is None else email_to_look_up(user),
        ips=() if ip is None else (ip,),
        since=None if since is None else parse_time(since, option="--since", now=now),
        until=None if until is None else parse_time(until, option="--until", now=now),
        success=success,
        limit=limit,
    )
    with open_session() as session:
        events = session.run(session.service.audit.list(query))
    output = Output(output_format)
    output.table(map(event_row, events), EVENT_COLUMNS, empty="No events fit.")
    if len(events) == limit:
        output.hint(f"these are the {limit} newest; --limit shows more")
