"""`authctl simulate attack show`: one case of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.virtual_authenticator.faults.cases import read_cases
from authctl.virtual_authenticator.faults.needs import CAPABILITIES
from authctl.virtual_authenticator.harness.attack.selection import named

if TYPE_CHECKING:
    from authctl.commands._output import Row
    from authctl.virtual_authenticator.faults.cases import Case


def show(
    attack: Annotated[str, typer.Argument(metavar="ATTACK", help="Its name.", show_default=False)],
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Say what an attack does and why it matters.

    Also where the standard speaks of it, what a server owes under either profile, what it takes to be played, and
    known vulnerabilities of its kind. An id without the variant shows all its variants.

    Example: authctl simulate attack show cd.origin-suffix-trick
    """
    output = Output(output_format)
    found = named(attack, read_cases())
    if len(found) > 1 and output_format in (Format.JSON, Format.CSV):
        from authctl.commands._output import Column

        rows = [_row(case) for case in found]
        output.table(rows, [Column(key, key) for key in rows[0]])
        return
    for place, case in enumerate(found):
        if place and output_format is Format.TABLE:
            output.text("")
        output.record(_row(case))


def _row(case: Case) -> Row:
    return {
        "attack": case.name,
        "ceremony": case.ceremony,
        "layer": case.layer.value,
        "wrong": case.alters,
        "why": case.why,
        "standard": case.spec,
        "force": case.force,
        "tier": case.tier,
        "l3": case.expected["l3"],
        "fido": case.expected["fido"],
        "known": list(case.known),
        "needs": _needs(case),
    }


def _needs(case: Case) -> list[str]:
    needs = case.needs
    told = [CAPABILITIES[name] for name in sorted(needs.can)]
    told += [f"an authenticator of kind {needs.preset}"] if needs.preset != "platform" else []
    told += [f"the algorithm {needs.algorithm}"] if needs.algorithm != "ES256" else []
    told += [f"attestation {needs.attestation}"] if needs.attestation else []
    told += [f"user verification {' or '.join(sorted(needs.uv))}"] if needs.uv else []
    told += [f"a page of {needs.top_origin} around it"] if needs.top_origin else []
    return told
