"""`authctl users show`: shows one user."""

from __future__ import annotations

from authctl.commands._options import EmailArgument, FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session
from authctl.commands._views import user_row


def show(email: EmailArgument, output_format: FormatOption = Format.TABLE) -> None:
    """Show one user.

    Example: authctl users show jane@example.com
    """
    with open_session() as session:
        user = session.run(session.service.users.find(email))
    Output(output_format).record(user_row(user))
