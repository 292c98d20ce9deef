from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from authctl.clock import FixedClock
from authctl.server.storage.engine import open_database
from authctl.server.storage.reader import open_reader
from authctl.server.storage.tables import User
from authctl.server.storage.user_query import select_emails, select_id

if TYPE_CHECKING:
    from authctl.server.storage.transaction import Transaction

HOSTILE = "x' OR '1'='1"


def test_accounts_are_found_by_id_and_by_e_mail(any_url: str) -> None:
    database = open_database(any_url, FixedClock(), create=True)
    day = datetime(2000, 1, 1, tzinfo=UTC)

    def add(tx: Transaction) -> None:
        for number in (1, 2):
            tx.users.add(
                User(
                    id=f"u{number}",
                    email=f"u{number}@example.com",
                    first_name="Jane",
                    last_name="Doe",
                    date_of_birth=day,
                    job_title="x",
                    role="user",
                    created_at=day,
                    user_handle=str(number).encode(),
                )
            )

    database.write_now(add)
    database.close()
    reader = open_reader(any_url)
    try:
        emails = reader.all(select_emails(("u1", "gone", HOSTILE), reader.dialect))
        assert [tuple(row) for row in emails] == [("u1", "u1@example.com")]
        assert [tuple(row) for row in reader.all(select_id("u2@example.com", reader.dialect))] == [("u2",)]
        assert reader.all(select_id(HOSTILE, reader.dialect)) == []
    finally:
        reader.close()
