"""`authctl users list`: lists all users."""

from __future__ import annotations

from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session
from authctl.commands._views import USER_COLUMNS, user_row


def list_users(output_format: FormatOption = Format.TABLE) -> None:
    """List all users.

    Example: authctl users list --format csv
    """
    with open_session() as session:
        users = session.run(session.service.users.list())
    Output(output_format).table(map(user_row, users), USER_COLUMNS, empty="There are no users yet.")
