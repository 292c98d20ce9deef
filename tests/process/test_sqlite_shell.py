"""SQL written by hand, through the system's own sqlite3 program, on the names that are promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.builders import JANE, JOHN, Visitor
from tests.process.site import Site, site

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.process

FAILED_LOGINS = (
    "SELECT created_at, user_email, ip_address, details FROM audit_logs"
    " WHERE event_type = 'login_complete' AND success = 0 ORDER BY created_at DESC"
)
REPEATED_LOGINS = (
    "SELECT user_email, ip_address, COUNT(*) FROM audit_logs WHERE event_type = 'login_complete' AND success = 1"
    " GROUP BY user_email, ip_address HAVING COUNT(*) > 1"
)
DENIED = "SELECT user_email, details FROM audit_logs WHERE event_type = 'user_access' AND success = 0"
ROLES = "SELECT email, role FROM users ORDER BY email"
PROMOTE = f"UPDATE users SET role = 'admin' WHERE email = '{JANE}'"


@dataclass(frozen=True)
class Town:
    """A service and the two who use it."""

    place: Site
    jane: Visitor
    john: Visitor


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A running server with a little history: logins, failed ones, and a look that was denied."""
    with site(tmp_path_factory.mktemp("shell") / "site") as made:
        made.start()
        jane, john = Visitor(made), Visitor(made, JOHN)
        for visitor in (jane, john):
            visitor.register()
        for visitor in (jane, jane, john):
            visitor.log_in()
        for visitor in (jane, john):
            assert visitor.complete_login({}).status_code == 401
        assert jane.see(john.id).status_code == 403
        yield Town(made, jane, john)


@pytest.fixture
def place(town: Town) -> Site:
    """The folder of that service."""
    return town.place


def test_failed_logins_come_newest_first(place: Site) -> None:
    rows = [line.split("|") for line in place.sqlite(FAILED_LOGINS)]
    assert [row[1] for row in rows] == [JOHN, JANE]
    assert rows[0][0] > rows[1][0]
    assert rows[0][3] == f"Login of {JOHN} refused from IP: 127.0.0.1: malformed response"


def test_repeated_logins_are_grouped_by_email_and_address(place: Site) -> None:
    assert place.sqlite(REPEATED_LOGINS) == [f"{JANE}|127.0.0.1|2"]


def test_denied_looks_name_both_sides(town: Town) -> None:
    attempt = f"User {JANE} (role: user) attempted to access user {town.john.id}'s data from IP: 127.0.0.1"
    assert town.place.sqlite(DENIED) == [f"{JANE}|Authorization failed: {attempt}"]


def test_users_are_listed_with_their_roles(place: Site) -> None:
    assert place.sqlite(ROLES) == [f"{JANE}|user", f"{JOHN}|user"]


def test_names_and_types_are_as_promised(place: Site) -> None:
    """Column names, types and indices that existing one-liners rely on."""
    promised = {
        "users": "id TEXT, first_name TEXT, last_name TEXT, email TEXT, date_of_birth DATETIME, job_title TEXT,"
        " role TEXT, created_at DATETIME",
        "webauthn_credentials": "id TEXT, user_id TEXT, credential_id BLOB, public_key BLOB, sign_count INTEGER,"
        " created_at DATETIME",
        "audit_logs": "id TEXT, event_type TEXT, user_email TEXT, user_id TEXT, ip_address TEXT, user_agent TEXT,"
        " success INTEGER, details TEXT, created_at DATETIME",
    }
    for table, columns in promised.items():
        found = place.sqlite(f"SELECT name || ' ' || type FROM pragma_table_info('{table}')")
        assert set(columns.split(", ")) <= set(found)
    indices = place.sqlite("SELECT name FROM sqlite_master WHERE type = 'index'")
    assert {
        "idx_users_email", "idx_credentials_user_id", "idx_credentials_credential_id", "idx_audit_event_type",
        "idx_audit_user_email", "idx_audit_created_at",
    } <= set(indices)  # fmt: skip
    assert place.sqlite("SELECT dflt_value FROM pragma_table_info('users') WHERE name = 'role'") == ["'user'"]


def test_an_update_of_a_role_with_the_service_stopped_takes_effect_as_a_promotion(town: Town) -> None:
    """D-8: old tokens keep the old role, the next login has the new one; the trail is as intact as before."""
    place, jane, john = town.place, town.jane, town.john
    assert place.stop() == 0
    place.sqlite(PROMOTE)
    assert place.sqlite(ROLES) == [f"{JANE}|admin", f"{JOHN}|user"]
    place.start()
    assert jane.see(john.id).status_code == 403
    jane.log_in()
    assert jane.see(john.id).status_code == 200
    assert place.verify() == 0
    place.stop()
    place.sqlite(PROMOTE.replace("'admin'", "'user'"))
    place.start()
