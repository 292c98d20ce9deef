"""`authctl simulate attack list`: the catalogue."""

from __future__ import annotations

from typing import Final

from authctl.commands._options import FormatOption
from authctl.commands._output import Column, Format, Output
from authctl.commands.simulate.attack import _options as options
from authctl.virtual_authenticator.faults.cases import read_cases

_COLUMNS: Final = (
    # A name is whole, so that it can be given to other commands; what follows goes where there is no room, last first.
    Column("case", "Attack"),
    Column("alters", "What is wrong", least=12),
    Column("force", "Force", least=4),
    Column("expected", "Owed", least=4),
    Column("tier", "Tier", least=4),
    Column("layer", "Layer", least=5),
    Column("ceremony"),
    Column("spec"),
    Column("known"),
    Column("why"),
)


def list_attacks(
    only: options.OnlyOption = None,
    tier: options.TierOption = None,
    force: options.ForceOption = None,
    layer: options.LayerOption = None,
    ceremony: options.CeremonyOption = None,
    most: options.MostOption = None,
    *,
    profile: options.ProfileOption = options.Profile.L3,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """List the attacks.

    Each is one small change to a ceremony that the server has just accepted, signed again where it can be. Names can
    be used with `attack show` and `attack run --only`.

    Example: authctl simulate attack list --force must --layer signature
    """
    wanted = options.selection(only, tier, force, layer, ceremony, most)
    rows = (
        {
            "case": case.name,
            "alters": case.alters,
            "force": case.force,
            "expected": case.expected[profile],
            "tier": case.tier,
            "layer": case.layer.value,
            "ceremony": case.ceremony,
            "spec": case.spec,
            "known": list(case.known),
            "why": case.why,
        }
        for case in wanted.of(read_cases())
    )
    Output(output_format).table(rows, _COLUMNS, empty="No attack is like that.")
