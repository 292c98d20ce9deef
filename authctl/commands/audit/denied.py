"""`authctl audit denied`: who wanted whose record, and was refused."""

from __future__ import annotations

from typing import Any, Final

from authctl.commands._filters import Filters, filtered
from authctl.commands._options import FormatOption
from authctl.commands._output import Format
from authctl.commands._people import people_of
from authctl.commands._views import ADDRESS, EVENT, IDENTIFIER, REASON, TIME, USER, WHOSE, event_columns
from authctl.commands.audit._answering import LIMIT, answer

_NO_DENIALS: Final = ("!invalid_request", "!took_too_long", "!last_credential", "!unknown_credential")
"""Reasons of what failed without anybody being refused access."""


@filtered(without=("success",), defaults={"limit": LIMIT})
def denied(filters: Filters, output_format: FormatOption = Format.TABLE) -> None:
    """List access that was refused, and whose record was wanted.

    The newest comes first. The reason tells them apart: access_denied is a signed-in user who asked for somebody
    else's record or passkeys, or for the audit trail (audit_query); login_too_old wanted to remove a passkey long after
    logging in; not_authenticated came without a token; unknown_user is an
    admin who asked for an account that does not exist; token_... and session_... are tokens that were worth nothing.
    The user is the one who asked, as far as that is certain. Whose record it was is told by e-mail, or by id where
    that account is gone.

    Many records refused to one user are somebody who tries ids: --count-by user shows who, --reason access_denied
    leaves expired tokens out.

    Example: authctl audit denied --since 7d --reason access_denied --count-by user
    """
    fixed: dict[str, Any] = {} if filters.reason else {"reasons": _NO_DENIALS}
    with people_of(filters.url) as people:
        answer(
            filters,
            output_format,
            columns=event_columns(TIME, USER, WHOSE, ADDRESS, REASON, EVENT, IDENTIFIER),
            rows=people.rows,
            empty="No access was refused.",
            events=("user_access", "token_rejected", "audit_query", "credential_renamed", "credential_removed"),
            success=False,
            **fixed,
        )
