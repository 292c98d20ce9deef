"""`authctl demote`: takes the admin role away from a user."""

from __future__ import annotations

from authctl.commands._options import AllowNoAdminOption, EmailArgument, FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session
from authctl.commands._views import role_change


def demote(
    email: EmailArgument,
    allow_no_admin: AllowNoAdminOption = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Take the admin role away from a user.

    It takes effect with the user's next request. The last admin is kept unless you say otherwise.

    Example: authctl demote jane@example.com
    """
    with open_session() as session:
        change = session.run(session.service.roles.demote(email, session.caller, allow_no_admin=allow_no_admin))
    output = Output(output_format)
    if not change.changed:
        output.done(f"{change.user.email} is no admin", role_change(change))
        return
    output.done(f"{change.user.email}: {change.before} -> {change.after}", role_change(change))
    output.hint("this takes effect with the next request")
