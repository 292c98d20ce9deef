"""`authctl users disable`: locks a user out."""

from __future__ import annotations

from authctl.commands._options import EmailArgument, FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session


def disable(email: EmailArgument, output_format: FormatOption = Format.TABLE) -> None:
    """Lock a user out, from the next request on.

    Tokens and sessions end at once and no new login succeeds. The account and its passkeys are kept.

    Example: authctl users disable jane@example.com
    """
    with open_session() as session:
        session.run(session.service.users.disable(email, session.caller))
    Output(output_format).done(f"{email} is disabled", {"email": email, "disabled": True})
