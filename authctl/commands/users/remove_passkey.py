"""`authctl users remove-passkey`: takes one way into an account away."""

from __future__ import annotations

from typing import Annotated

import typer

from authctl.commands._asking import require_yes
from authctl.commands._options import EmailArgument, FormatOption, YesOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session
from authctl.commands._views import credential_row

PasskeyIdArgument = Annotated[
    str,
    typer.Argument(
        metavar="PASSKEY_ID",
        help="The passkey's id or its credential id; -- before one that begins with a hyphen.",
        show_default=False,
    ),
]


def remove_passkey(
    email: EmailArgument,
    passkey_id: PasskeyIdArgument,
    yes: YesOption = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Remove one passkey of a user, for good.

    Sessions that it opened end at once. The last passkey of an account is not removed: `authctl users disable` locks
    the account instead. Asks first, unless told --yes.

    Example: authctl users remove-passkey jane@example.com 3f0a7c52-9f1e-4d36-8a55-0c5a8f4a2b10
    """
    output = Output(output_format)
    with open_session() as session:
        credentials = session.service.credentials
        found = session.run(credentials.find(email, passkey_id))
        require_yes(output, yes, f'Remove the passkey "{found.name}" of {email}, with its sessions, for good?')
        removed = session.run(credentials.remove_as_operator(email, found.id, session.caller))
        row = {**credential_row(removed.credential), "sessions_ended": removed.sessions_ended}
    noun = "session" if removed.sessions_ended == 1 else "sessions"
    output.done(f'"{found.name}" of {email} is removed, {removed.sessions_ended} {noun} ended', row)
