"""Accounts as whoever only asks sees them: an e-mail for an id, and an id for an e-mail, as plain SQL text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authctl.server.storage.event_query import Sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.storage.event_query import Dialect

_PLACEHOLDERS: Final = {"sqlite": ":{}", "postgresql": "%({})s", "duckdb": "${}"}


def select_emails(user_ids: Sequence[str], dialect: Dialect) -> Sql:
    """The id and the e-mail of each of these accounts that exists."""
    params = {f"id_{number}": user_id for number, user_id in enumerate(user_ids)}
    names = ", ".join(map(_PLACEHOLDERS[dialect].format, params))
    return Sql(f"SELECT id, email FROM users WHERE id IN ({names})", params, dialect)  # noqa: S608 - parameters


def select_id(email: str, dialect: Dialect) -> Sql:
    """The id of the account with this e-mail, as stored."""
    place = _PLACEHOLDERS[dialect].format("email")
    return Sql(f"SELECT id FROM users WHERE email = {place}", {"email": email}, dialect)  # noqa: S608 - a parameter
