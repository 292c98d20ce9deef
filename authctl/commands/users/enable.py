"""`authctl users enable`: lets a disabled user in again."""

from __future__ import annotations

from authctl.commands._options import EmailArgument, FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session


def enable(email: EmailArgument, output_format: FormatOption = Format.TABLE) -> None:
    """Let a disabled user in again.

    Example: authctl users enable jane@example.com
    """
    with open_session() as session:
        session.run(session.service.users.enable(email, session.caller))
    Output(output_format).done(f"{email} is enabled", {"email": email, "disabled": False})
