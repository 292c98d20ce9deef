"""`authctl users delete`: deletes a user with their credentials and sessions."""

from __future__ import annotations

from authctl.commands._asking import require_yes
from authctl.commands._options import AllowNoAdminOption, EmailArgument, FormatOption, YesOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session
from authctl.commands._views import user_row


def delete(
    email: EmailArgument,
    yes: YesOption = False,
    allow_no_admin: AllowNoAdminOption = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Delete a user with their credentials and sessions.

    The audit trail is kept. Asks first, unless told --yes.

    Example: authctl users delete jane@example.com
    """
    output = Output(output_format)
    with open_session() as session:
        user = session.run(session.service.users.find(email))
        require_yes(output, yes, f"Delete {user.email}, with credentials and sessions, for good?")
        session.run(session.service.users.delete(email, session.caller, allow_no_admin=allow_no_admin))
    output.done(f"{user.email} is deleted", user_row(user))
