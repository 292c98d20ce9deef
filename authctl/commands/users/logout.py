"""`authctl users logout`: ends all sessions of a user."""

from __future__ import annotations

from authctl.commands._options import EmailArgument, FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session


def logout(email: EmailArgument, output_format: FormatOption = Format.TABLE) -> None:
    """End all sessions of a user.

    Their tokens stop working with the next request; they may log in again.

    Example: authctl users logout jane@example.com
    """
    with open_session() as session:
        ended = session.run(session.service.users.logout(email, session.caller))
    noun = "session" if ended == 1 else "sessions"
    Output(output_format).done(f"{email}: {ended} {noun} ended", {"email": email, "sessions_ended": ended})
