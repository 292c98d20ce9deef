"""`authctl audit list`: lists events, newest first."""

from __future__ import annotations

from authctl.commands._filters import Filters, filtered
from authctl.commands._options import FormatOption
from authctl.commands._output import Format
from authctl.commands.audit._answering import LIMIT, answer


@filtered(defaults={"limit": LIMIT})
def list_events(filters: Filters, output_format: FormatOption = Format.TABLE) -> None:
    """List events, newest first.

    A time without an offset is local. Filters hold together with AND, the values of one filter with OR.

    Example: authctl audit list --event login_complete --failure --since 24h

    Example: authctl audit list --ip 203.0.113.0/24 --count-by reason
    """
    answer(filters, output_format)
