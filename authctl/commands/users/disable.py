"""`authctl users disable`: locks a user out."""

from __future__ import annotations

from authctl.commands._options import AllowNoAdminOption, EmailArgument, FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session
from authctl.commands._views import user_row


def disable(
    email: EmailArgument, allow_no_admin: AllowNoAdminOption = False, output_format: FormatOption = Format.TABLE
) -> None:
    """Lock a user out, from the next request on.

    Sessions end at once and no new login succeeds. The account and its passkeys are kept.

    Example: authctl users disable jane@example.com
    """
    with open_session() as session:
        user = session.run(session.service.users.disable(email, session.caller, allow_no_admin=allow_no_admin))
    Output(output_format).done(f"{user.email} is disabled", user_row(user))
