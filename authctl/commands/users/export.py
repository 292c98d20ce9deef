"""`authctl users export`: writes everything held about one person."""

from __future__ import annotations

from authctl.commands._options import EmailArgument, FormatOption
from authctl.commands._output import Format, Output
from authctl.commands._session import open_session


def export(email: EmailArgument, output_format: FormatOption = Format.JSON) -> None:
    """Write everything held about one person as JSON.

    Account, credentials, sessions and audit trail; the export itself is an event.

    Example: authctl users export jane@example.com > jane.json
    """
    with open_session() as session:
        held = session.run(session.service.users.export(email, session.caller))
    Output(output_format).record(held)
