"""`authctl simulate attack root`: the certificate that a server under attack may be told to trust."""

from __future__ import annotations

from typing import Annotated

import typer

from authctl.commands._output import Format, Output
from authctl.errors import UsageError


def root(
    seed: Annotated[
        str,
        typer.Option(
            "--seed", metavar="TEXT", help="The text from which the root is made, always the same.", show_default=False
        ),
    ],
) -> None:
    """Print the root certificate of the attacks, in PEM, for a server's trust anchors.

    A server that asks for attestation refuses certificates that it has no root for, whatever else is wrong with them.
    Let a server for tests trust this one, and name the same text to `attack run --trusted-root`: then a refusal is
    for what was altered. Whoever knows the text can issue such certificates: no server that anybody relies on may
    trust them.

    Example: authctl simulate attack root --seed 'my tests' > root.pem
    """
    from authctl.virtual_authenticator.attestation.authority import Authority

    if not seed:
        raise UsageError("The seed is empty", hint="Any text will do: --seed 'my tests'")
    output = Output(Format.TABLE)
    for line in Authority.of_seed(seed).root_pem().decode().splitlines():
        output.text(line)
