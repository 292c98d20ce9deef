"""`authctl users passkeys`: lists what a user can log in with."""

from __future__ import annotations

from typing import Annotated

import typer

from authctl.commands._options import EmailArgument, FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session
from authctl.commands._views import CREDENTIAL_COLUMNS, credential_row


def passkeys(
    email: EmailArgument,
    with_removed: Annotated[bool, typer.Option("--all", help="Also those that were removed.")] = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """List the passkeys of a user, oldest first.

    The authenticator is the model that the passkey says it is kept by, as far as that is known: a name to tell them
    apart, and no proof. A passkey that was removed stays as a record, and nobody can log in with it.

    Example: authctl users passkeys jane@example.com
    """
    with open_session() as session:
        found = session.run(session.service.credentials.of_email(email, with_removed=with_removed))
        rows = [credential_row(credential) for credential in found]
    Output(output_format).table(rows, CREDENTIAL_COLUMNS, empty=f"{email} has no passkeys.")
