"""`authctl promote`: makes a user an admin."""

from __future__ import annotations

from authctl.commands._options import EmailArgument, FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session
from authctl.commands._views import role_change


def promote(email: EmailArgument, output_format: FormatOption = Format.TABLE) -> None:
    """Make a user an admin.

    The new role takes effect with the user's next login. Promoting an admin again changes nothing.

    Example: authctl promote jane@example.com
    """
    with open_session() as session:
        change = session.run(session.service.roles.promote(email, session.caller))
    output = Output(output_format)
    if not change.changed:
        output.done(f"{change.user.email} is already admin", role_change(change))
        return
    output.done(f"{change.user.email}: {change.before} -> {change.after}", role_change(change))
    output.hint("the new role takes effect with the next login; tokens issued before keep the old one")
