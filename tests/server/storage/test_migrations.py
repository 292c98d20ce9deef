"""A database of an older version becomes one of this version, keeps every row, and is upgraded by whoever may."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command

from authctl.clock import FixedClock
from authctl.errors import AuthctlError, SchemaMismatch
from authctl.server.assembly import open_service
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage import schema
from authctl.server.storage.drivers import choose_driver
from authctl.server.storage.engine import open_database
from authctl.server.storage.event_query import EventFilter
from authctl.server.storage.reader import open_reader
from tests.builders import settings_in
from tests.server.storage.test_contract import a_credential, a_user
from tests.server.storage.trail_rows import a_row, fill

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("real_migrations")


@pytest.fixture
def old_url(any_url: str) -> str:
    """A database of the first version with three events."""
    database = open_database(any_url, FixedClock(), create=True)
    fill(database, [a_row(number, user_email="a@example.com") for number in range(3)])
    database.close()
    go_back(any_url)
    return any_url


def go_back(url: str) -> None:
    """What later versions added goes."""
    raw = choose_driver(url).connect(readonly=False)
    for name in ("name", "removed_at"):
        raw.execute(f"ALTER TABLE webauthn_credentials DROP COLUMN {name}")
    for name in ("idx_audit_logins", "idx_audit_ip_address", "idx_audit_user_email", "idx_audit_created_at"):
        raw.execute(f"DROP INDEX {name}")
    raw.execute("CREATE INDEX idx_audit_user_email ON audit_logs (user_email, created_at)")
    raw.execute("CREATE INDEX idx_audit_created_at ON audit_logs (created_at)")
    raw.execute("UPDATE alembic_version SET version_num = '0001'")
    raw.close()


def test_an_older_database_is_upgraded_and_keeps_its_rows(old_url: str) -> None:
    with pytest.raises(SchemaMismatch, match="0001"):
        open_database(old_url)
    with pytest.raises(SchemaMismatch) as caught:
        open_reader(old_url)
    assert caught.value.hint == "run `authctl db upgrade`"
    open_database(old_url, upgrade=True).close()
    assert schema.version(choose_driver(old_url)) == schema.HEAD
    with schema._alchemy(choose_driver(old_url)) as connection:
        command.check(schema.config(connection))
    with closing(open_reader(old_url)) as reader:
        (group,) = DatabaseSource(reader).groups(
            EventFilter(event_types=("login_complete",), success=True), ("user_email", "ip_address")
        )
    assert (group.values, group.total) == (("a@example.com", None), 3)


def test_credentials_of_an_older_database_get_a_name_and_stay(any_url: str) -> None:
    """R-WA-24."""
    user = a_user()
    database = open_database(any_url, FixedClock(), create=True)
    database.write_now(lambda tx: tx.users.add(user))
    database.write_now(lambda tx: tx.credentials.add(a_credential(user)))
    database.close()
    go_back(any_url)
    with closing(open_database(any_url, upgrade=True)) as upgraded:
        (credential,) = upgraded.read_now(lambda tx: tx.credentials.live_of_user(user.id))
    assert (credential.name, credential.removed_at, credential.credential_id) == ("Passkey", None, b"c" * 32)


def test_a_server_upgrades_its_own_file_and_a_command_does_not(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    open_service(settings, create=True).close()
    go_back(settings.database_url)
    with pytest.raises(SchemaMismatch):
        open_service(settings, kind="cli")
    open_service(settings, kind="server").close()
    assert schema.version(choose_driver(settings.database_url)) == schema.HEAD


def test_a_failed_upgrade_leaves_the_older_version(old_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    driver: Any = choose_driver(old_url)
    raw = driver.connect(readonly=False)
    raw.execute("CREATE INDEX idx_audit_logins ON users (role)")
    raw.close()
    with pytest.raises(AuthctlError):
        open_database(old_url, upgrade=True)
    assert schema.version(driver) == "0001"
