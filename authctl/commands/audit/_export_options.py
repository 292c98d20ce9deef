"""The options of `audit export` that are its own, as Typer reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_PLACE = "Where it goes on"
_FEED = "Feeds"

FormatNameOption = Annotated[
    str,
    typer.Option(
        "--format", metavar="jsonl|csv|cef|ecs|ocsf|parquet", help="How events are written; Parquet needs --output."
    ),
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Into this file, which appears when it is complete.")
]
AfterOption = Annotated[
    str | None,
    typer.Option("--after", metavar="CURSOR", help="Only what an earlier export left.", rich_help_panel=_PLACE),
]
PositionOption = Annotated[
    Path | None,
    typer.Option(
        "--position",
        metavar="FILE",
        help="Keep the cursor here: go on from it, and store the new one when the output is safe.",
        rich_help_panel=_PLACE,
    ),
]
FollowOption = Annotated[
    bool,
    typer.Option(
        "--follow", "-f", help="Go on with new events as they come, each at least once.", rich_help_panel=_FEED
    ),
]
ToOption = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="URL",
        help="Feed a collector: syslog://HOST:514, syslog+tcp://HOST:514, syslog+tls://HOST:6514.",
        rich_help_panel=_FEED,
    ),
]
CaOption = Annotated[
    Path | None,
    typer.Option(
        "--ca",
        metavar="FILE",
        help="Certificates that may vouch for a TLS collector; without it, the system's.",
        rich_help_panel=_FEED,
    ),
]
