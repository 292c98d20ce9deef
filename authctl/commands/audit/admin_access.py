"""`authctl audit admin-access`: which admin looked at whose record."""

from __future__ import annotations

from authctl.commands._filters import Filters, filtered
from authctl.commands._options import FormatOption
from authctl.commands._output import Format
from authctl.commands._people import people_of
from authctl.commands._views import ADDRESS, AGENT, IDENTIFIER, TIME, USER, WHOSE, event_columns
from authctl.commands.audit._answering import LIMIT, answer


@filtered(without=("success", "reason"), defaults={"limit": LIMIT})
def admin_access(filters: Filters, output_format: FormatOption = Format.TABLE) -> None:
    """List which admin looked at whose record, newest first.

    These are user_access events that succeeded for a record that is not one's own, which only admins can see. What
    admins asked the trail itself over HTTP are audit_query events: authctl audit list --event audit_query

    Example: authctl audit admin-access --since 30d --user olga@example.com
    """
    with people_of(filters.url) as people:
        answer(
            filters,
            output_format,
            columns=event_columns(TIME, USER, WHOSE, ADDRESS, AGENT, IDENTIFIER),
            rows=people.rows,
            empty="No admin looked at another person's record.",
            events=("user_access",),
            success=True,
            only_others=True,
        )
