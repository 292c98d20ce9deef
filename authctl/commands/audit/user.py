"""`authctl audit user`: everything that the trail holds about one person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from authctl.commands._filters import Filters, filtered, person
from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._people import people_of
from authctl.commands.audit._answering import LIMIT, answer_from
from authctl.errors import NotFound

EmailOrId = Annotated[
    str, typer.Argument(metavar="EMAIL|ID", help="The person's e-mail, or user id.", show_default=False)
]


@filtered(without=("user",), defaults={"limit": LIMIT})
def user(email: EmailOrId, filters: Filters, output_format: FormatOption = Format.TABLE) -> None:
    """List everything about one person, newest first.

    What they did, what was done to their account, and who looked at their record. Works for people whose account is
    gone. Exits 3 when there is neither an account nor an event.

    Example: authctl audit user jane@example.com --since 30d

    Example: authctl audit user jane@example.com --event user_access --count-by actor
    """
    from authctl.commands.audit._about import events_about, find_subject

    wanted = filters.wanted(datetime.now(UTC), user=person(email))
    by = filters.columns()
    output = Output(output_format, is_utc=filters.utc)
    with filters.source() as source, people_of(filters.url) as people:
        subject = find_subject(wanted, source, people)
        if not subject.is_known:
            raise NotFound(f"Neither an account nor an event is of {email}", hint="`authctl users list` shows who is")
        if not subject.has_account and filters.url is None and output_format is Format.TABLE:
            output.message(f"There is no account of {email} any more.")
        answer_from(events_about(subject, source), wanted, by, filters, output)
