"""The options of a load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_LOAD = "Load"

UsersOption = Annotated[
    int | None,
    typer.Option(
        "--users",
        metavar="N",
        min=1,
        max=100_000,
        help="Who have an account before anything is measured; 20, or as many as are there at a time.",
        show_default=False,
        rich_help_panel=_LOAD,
    ),
]
ConcurrencyOption = Annotated[
    int,
    typer.Option(
        "--concurrency", "-c", metavar="N", min=1, max=2000, help="How many are busy at a time.", rich_help_panel=_LOAD
    ),
]
DurationOption = Annotated[
    float | None,
    typer.Option(
        "--duration",
        metavar="SECONDS",
        min=0.1,
        max=86400,
        help="How long is measured; 10 seconds when --count is not there either.",
        show_default=False,
        rich_help_panel=_LOAD,
    ),
]
CountOption = Annotated[
    int | None,
    typer.Option(
        "--count",
        metavar="N",
        min=1,
        help="How many operations are measured; with --duration, whichever ends first.",
        show_default=False,
        rich_help_panel=_LOAD,
    ),
]
RampOption = Annotated[
    float,
    typer.Option(
        "--ramp",
        metavar="SECONDS",
        min=0,
        max=3600,
        help="Let the load grow for so long, before anything is measured.",
        rich_help_panel=_LOAD,
    ),
]
RateOption = Annotated[
    float | None,
    typer.Option(
        "--rate",
        metavar="PER SECOND",
        min=0.01,
        max=100_000,
        help="Begin so many each second, whether the server keeps up or not; latency counts from when each was due.",
        show_default=False,
        rich_help_panel=_LOAD,
    ),
]
MixOption = Annotated[
    str,
    typer.Option(
        "--mix",
        metavar="NAME=WEIGHT,…",
        help="How often login, register and read (the profile of who is logged in) are chosen.",
        rich_help_panel=_LOAD,
    ),
]
SeedOption = Annotated[
    str | None,
    typer.Option(
        "--seed",
        metavar="TEXT",
        help="The same order of operations in every run.",
        show_default=False,
        rich_help_panel=_LOAD,
    ),
]
KeptOption = Annotated[
    Path | None,
    typer.Option(
        "--passkeys",
        metavar="FILE",
        help="Take people whose passkeys are in this file, and keep those of new ones in it, for the next load.",
        show_default=False,
    ),
]
