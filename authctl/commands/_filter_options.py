"""The options of the filter vocabulary, as Typer reads them: one place for their names, meaning and help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

TOKEN_VARIABLE: Final = "AUTHCTL_TOKEN"  # noqa: S105 - the name of a variable, not a token
TOKEN_HINT: Final = "an admin's token: authctl simulate login --url URL --email EMAIL --print-token > FILE"  # noqa: S105 - a hint


class Order(StrEnum):
    """Which end of the trail comes first."""

    NEWEST = "newest"
    OLDEST = "oldest"


_WHICH: Final = "Which events"
_HOW: Final = "How they are shown"
_WHERE: Final = "Where they are"

OPTIONS: Final[dict[str, Any]] = {
    "event": Annotated[
        list[str] | None,
        typer.Option(
            "--event",
            metavar="TYPE",
            help="Of this type; several also comma separated; '!TYPE' leaves it out.",
            rich_help_panel=_WHICH,
        ),
    ],
    "user": Annotated[
        str | None,
        typer.Option(
            "--user",
            metavar="EMAIL|ID",
            help="Of this e-mail; or of this user id, acting, concerned or looked at.",
            rich_help_panel=_WHICH,
        ),
    ],
    "ip": Annotated[
        list[str] | None,
        typer.Option(
            "--ip",
            metavar="ADDRESS|NETWORK",
            help="From this address or network, such as 192.0.2.0/24 or 2001:db8::/32; several: any of them.",
            rich_help_panel=_WHICH,
        ),
    ],
    "agent": Annotated[
        str | None,
        typer.Option(
            "--agent", metavar="TEXT", help="With this text somewhere in the user agent.", rich_help_panel=_WHICH
        ),
    ],
    "reason": Annotated[
        list[str] | None,
        typer.Option(
            "--reason",
            metavar="REASON",
            help="Failed for this reason; several also comma separated; '!REASON' leaves it out.",
            rich_help_panel=_WHICH,
        ),
    ],
    "since": Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Not before: 30m, 24h, 7d ago, or a date or time.",
            rich_help_panel=_WHICH,
        ),
    ],
    "until": Annotated[
        str | None,
        typer.Option(
            "--until", metavar="TIME", help="Only before: 30m, 24h, 7d ago, or a date or time.", rich_help_panel=_WHICH
        ),
    ],
    "success": Annotated[
        bool | None,
        typer.Option("--success/--failure", help="Only what succeeded, or only what failed.", rich_help_panel=_WHICH),
    ],
    "contains": Annotated[
        str | None,
        typer.Option(
            "--contains",
            metavar="TEXT",
            help="With this text in e-mail, details, reason, user agent, address, actor or an id.",
            rich_help_panel=_WHICH,
        ),
    ],
    "limit": Annotated[
        int | None,
        typer.Option(
            "--limit", "-n", min=1, max=100_000_000, metavar="N", help="At most this many rows.", rich_help_panel=_WHICH
        ),
    ],
    "order": Annotated[
        Order,
        typer.Option("--order", metavar="newest|oldest", help="Which come first.", rich_help_panel=_HOW),
    ],
    "count_by": Annotated[
        list[str] | None,
        typer.Option(
            "--count-by",
            metavar="COLUMN",
            help="Count events by this column in place of listing them; several: by their combinations.",
            rich_help_panel=_HOW,
        ),
    ],
    "print_query": Annotated[
        bool, typer.Option("--print-query", help="Show the SQL that would run, and run nothing.", rich_help_panel=_HOW)
    ],
    "utc": Annotated[bool, typer.Option("--utc", help="Times in UTC in place of local time.", rich_help_panel=_HOW)],
    "archive": Annotated[
        Path | None,
        typer.Option(
            "--archive", metavar="DIR", help="Also the events archived in this directory.", rich_help_panel=_WHERE
        ),
    ],
    "url": Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="Ask the service that runs there, with an admin's token, in place of the database.",
            rich_help_panel=_WHERE,
        ),
    ],
    "token_file": Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            metavar="FILE",
            help=f"Holds the token for --url; `-` is stdin; without it the variable {TOKEN_VARIABLE}.",
            rich_help_panel=_WHERE,
        ),
    ],
}
"""By field of `Filters`, in the order of the help."""
