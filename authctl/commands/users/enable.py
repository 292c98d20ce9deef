"""`authctl users enable`: lets a disabled user in again."""

from __future__ import annotations

from authctl.commands._options import EmailArgument, FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session
from authctl.commands._views import user_row


def enable(email: EmailArgument, output_format: FormatOption = Format.TABLE) -> None:
    """Let a disabled user in again.

    Example: authctl users enable jane@example.com
    """
    with open_session() as session:
        user = session.run(session.service.users.enable(email, session.caller))
    Output(output_format).done(f"{user.email} is enabled", user_row(user))
