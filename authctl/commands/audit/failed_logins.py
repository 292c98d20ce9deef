"""`authctl audit failed-logins`: who failed to log in, from where and why."""

from __future__ import annotations

from authctl.commands._filters import Filters, filtered
from authctl.commands._options import FormatOption
from authctl.commands._output import Format
from authctl.commands._views import ADDRESS, AGENT, IDENTIFIER, REASON, TIME, USER, event_columns
from authctl.commands.audit._answering import LIMIT, answer


@filtered(defaults={"limit": LIMIT})
def failed_logins(filters: Filters, output_format: FormatOption = Format.TABLE) -> None:
    """List logins that failed, newest first.

    These are login_complete events without success: somebody sent an answer to a login, and it was refused. The reason
    says which check it did not pass; the user is the one whose account was aimed at, or "-" when nobody has it.

    Example: authctl audit failed-logins --since 24h

    Example: authctl audit failed-logins --since 7d --count-by ip_address
    """
    answer(
        filters,
        output_format,
        columns=event_columns(TIME, USER, ADDRESS, REASON, AGENT, IDENTIFIER),
        empty="No login failed.",
        events=("login_complete",),
        success=False,
    )
