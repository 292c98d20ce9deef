"""The options by which attacks are chosen."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from authctl.virtual_authenticator.harness.attack.selection import Selection

_CHOICE = "Which attacks"
_PACE = "Pace"


class Tier(StrEnum):
    """How far from the heart of the ceremony a case is."""

    CORE = "core"
    CORE_ATTESTATION = "core-attestation"
    STRUCTURE = "structure"
    EXTENDED = "extended"


class Force(StrEnum):
    """What a case rests on."""

    MUST = "must"
    HARDENING = "hardening"
    POLICY = "policy"
    POSITIVE = "positive"


class LayerName(StrEnum):
    """The part of a message that a case alters."""

    ENVELOPE = "envelope"
    CLIENT_DATA = "client-data"
    AUTHENTICATOR_DATA = "authenticator-data"
    ATTESTED_CREDENTIAL = "attested-credential"
    COSE_KEY = "cose-key"
    ATTESTATION_STATEMENT = "attestation-statement"
    CERTIFICATE = "certificate"
    SIGNATURE = "signature"
    STATE = "state"


class Ceremony(StrEnum):
    """The two ceremonies."""

    REGISTRATION = "registration"
    AUTHENTICATION = "authentication"


class Profile(StrEnum):
    """By which text a case is judged."""

    L3 = "l3"
    FIDO = "fido"


OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="PATTERN",
        help="Those whose name fits, such as 'reg.key.*'; several: those that fit any.",
        show_default=False,
        rich_help_panel=_CHOICE,
    ),
]
TierOption = Annotated[
    list[Tier] | None,
    typer.Option(
        "--tier",
        metavar="core|core-attestation|structure|extended",
        help="Only this tier; several: these tiers.",
        show_default=False,
        rich_help_panel=_CHOICE,
    ),
]
ForceOption = Annotated[
    list[Force] | None,
    typer.Option(
        "--force",
        metavar="must|hardening|policy|positive",
        help="Only what the standard demands, what is prudent, what is up to the server, or what has to be accepted; "
        "several: these.",
        show_default=False,
        rich_help_panel=_CHOICE,
    ),
]
LayerOption = Annotated[
    list[LayerName] | None,
    typer.Option(
        "--layer",
        metavar="NAME",
        help=f"Only on this layer: {', '.join(LayerName)}; several: these.",
        show_default=False,
        rich_help_panel=_CHOICE,
    ),
]
CeremonyOption = Annotated[
    Ceremony | None,
    typer.Option(
        "--ceremony",
        metavar="registration|authentication",
        help="Only in this ceremony.",
        show_default=False,
        rich_help_panel=_CHOICE,
    ),
]
MostOption = Annotated[
    int | None,
    typer.Option(
        "--max-cases", metavar="N", min=1, help="At most so many.", show_default=False, rich_help_panel=_CHOICE
    ),
]
JobsOption = Annotated[
    int, typer.Option("--jobs", "-j", metavar="N", min=1, max=64, help="So many at a time.", rich_help_panel=_PACE)
]
DelayOption = Annotated[
    float,
    typer.Option(
        "--delay", metavar="SECONDS", min=0, max=3600, help="Wait between two attacks.", rich_help_panel=_PACE
    ),
]
TimeLimitOption = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        metavar="SECONDS",
        min=1,
        help="Stop after so long, with what is known then; the exit number is 2 unless there are findings.",
        show_default=False,
        rich_help_panel=_PACE,
    ),
]
ProfileOption = Annotated[
    Profile,
    typer.Option(
        "--profile",
        metavar="l3|fido",
        help="Judge by WebAuthn Level 3, or by what the FIDO conformance tools expect where they differ.",
    ),
]


def selection(
    only: list[str] | None,
    tier: list[Tier] | None,
    force: list[Force] | None,
    layer: list[LayerName] | None,
    ceremony: Ceremony | None,
    most: int | None,
) -> Selection:
    """What the options say."""
    patterns = tuple(part.strip() for text in only or () for part in text.split(",") if part.strip())
    return Selection(
        patterns,
        layers=frozenset(layer or ()),
        forces=frozenset(force or ()),
        tiers=frozenset(tier or ()),
        ceremony="" if ceremony is None else ceremony.value,
        most=most,
    )
