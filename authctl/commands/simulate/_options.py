"""The options of every simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

DEFAULT_TIMEOUT: Final = 10.0
_AUTHENTICATOR: Final = "Authenticator"
_FLAGS: Final = "Flags, sent as they are even where the server demands otherwise"

UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="The server; without it one is started for this run, on a temporary database."),
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="RECIPE",
        help="Another maker's server, by the name of a recipe (`simulate recipe list`) or its file; --url says where.",
        show_default=False,
    ),
]
AllowedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--i-am-allowed-to-test",
        metavar="HOST",
        help="A host, not this machine, that --target may reach; you answer for it. May be repeated.",
        show_default=False,
    ),
]
EmailOption = Annotated[
    str | None, typer.Option("--email", help="The user; without it a new one is made up.", show_default=False)
]
OriginOption = Annotated[
    str | None, typer.Option("--origin", help="The origin of the page; without it that of --url.", show_default=False)
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.1, max=3600, help="How long to wait for each answer.")
]
JunitOption = Annotated[
    Path | None,
    typer.Option("--junit", metavar="FILE", help="Write the steps as a JUnit report.", show_default=False),
]
PrintTokenOption = Annotated[
    bool, typer.Option("--print-token", help="Write the access token and nothing else to stdout.")
]
CurlOption = Annotated[
    bool, typer.Option("--curl", help="Run the ceremony, and write to stdout what was sent as commands for a shell.")
]
UnsentOption = Annotated[
    bool,
    typer.Option(
        "--unsent", help="With --curl: begin and sign, and leave completing and what follows to the commands."
    ),
]
PresetOption = Annotated[
    str,
    typer.Option(
        "--preset",
        help="platform, synced-passkey, security-key, u2f-token, tpm-laptop, android or apple.",
        rich_help_panel=_AUTHENTICATOR,
    ),
]
AlgorithmOption = Annotated[
    str | None,
    typer.Option(
        "--algorithm",
        help="Such as ES256, EdDSA, RS256, ES384, PS256 or ML-DSA-44; or the server's first choice.",
        show_default=False,
        rich_help_panel=_AUTHENTICATOR,
    ),
]
AttestationOption = Annotated[
    str | None,
    typer.Option(
        "--attestation",
        help="Whatever the server prefers: none, packed, packed-x5c, fido-u2f, tpm, android-key or apple.",
        show_default=False,
        rich_help_panel=_AUTHENTICATOR,
    ),
]
CounterOption = Annotated[
    str | None,
    typer.Option(
        "--counter",
        metavar="NAME[:VALUE]",
        help="How signatures are counted, in place of the passkey's own way: zero, per-credential, global, fixed:7, "
        "rollback:10.",
        show_default=False,
        rich_help_panel=_AUTHENTICATOR,
    ),
]
UserPresentOption = Annotated[
    bool | None, typer.Option("--up/--no-up", help="User present.", show_default=False, rich_help_panel=_FLAGS)
]
UserVerifiedOption = Annotated[
    bool | None, typer.Option("--uv/--no-uv", help="User verified.", show_default=False, rich_help_panel=_FLAGS)
]
BackupEligibleOption = Annotated[
    bool | None, typer.Option("--be/--no-be", help="Backup eligible.", show_default=False, rich_help_panel=_FLAGS)
]
BackedUpOption = Annotated[
    bool | None, typer.Option("--bs/--no-bs", help="Backed up.", show_default=False, rich_help_panel=_FLAGS)
]
