"""Opening a service: what is made, what is refused, what stays untouched."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from authctl.clock import FixedClock
from authctl.errors import Refused, SettingsError, StorageDamaged, StorageMissing, StorageUnavailable
from authctl.server.assembly import open_service
from authctl.server.audit.events import Caller
from authctl.server.maintenance import MOST_SWEPT
from authctl.server.storage.copying import copy_database
from authctl.server.storage.drivers import choose_driver
from authctl.server.storage.engine import open_database
from authctl.server.storage.serving_lock import serving_lock
from authctl.server.storage.sqlite import dbapi
from authctl.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.server.storage.transaction import Transaction
    from authctl.settings import Settings

CLI = Caller(None, None, "authctl", None, actor="os:jane(1000)")


def settings_in(directory: Path, **changes: Any) -> Settings:
    return load_settings(environ={}, cwd=directory, **changes)


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_server_makes_database_log_and_keys_once(tmp_path: Path) -> None:
    """R-CF-01, SPEC of the first start."""
    settings = settings_in(tmp_path)
    open_service(settings).close()
    keys = {path.name: path.read_bytes() for path in (tmp_path / "app.keys").iterdir()}
    service = open_service(settings)
    assert {path.name: path.read_bytes() for path in (tmp_path / "app.keys").iterdir()} == keys
    assert asyncio.run(service.health.ready()).is_ready
    service.close()
    service.close()
    assert not list(tmp_path.glob(".app.db*"))


def test_a_command_makes_nothing_where_there_is_no_database(tmp_path: Path) -> None:
    with pytest.raises((StorageMissing, SettingsError)):
        open_service(settings_in(tmp_path), kind="cli")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_gone_is_not_replaced(tmp_path: Path) -> None:
    """R-ST-03: the keys remember it."""
    settings = settings_in(tmp_path)
    open_service(settings).close()
    (tmp_path / "app.db").unlink()
    with pytest.raises(StorageMissing, match=r"is gone.*belong to it"):
        open_service(settings)
    assert not (tmp_path / "app.db").exists()


def test_an_empty_file_in_place_of_the_database_stays_empty(tmp_path: Path) -> None:
    """R-ST-03."""
    settings = settings_in(tmp_path)
    open_service(settings).close()
    for name in ("app.db", "app.db-wal", "app.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "app.db").touch()
    with pytest.raises(StorageDamaged, match="is empty"):
        open_service(settings)
    assert (tmp_path / "app.db").stat().st_size == 0


def test_a_server_does_not_go_on_with_a_trail_whose_end_was_changed(tmp_path: Path) -> None:
    """R-ST-03: a command still opens it, to verify it."""
    settings = settings_in(tmp_path)
    service = open_service(settings)
    asyncio.run(service.audit.record_start("Started"))
    service.close()
    with closing(dbapi.connect(tmp_path / "app.db", isolation_level=None)) as shell:
        shell.execute("DROP TRIGGER audit_logs_no_delete")
        shell.execute("DELETE FROM audit_logs WHERE seq = 2")
    with pytest.raises(StorageDamaged, match="audit trail"):
        open_service(settings)
    opened = open_service(settings, kind="cli")
    assert not asyncio.run(opened.audit.verify()).is_intact
    opened.close()


def test_keys_that_are_gone_are_not_replaced_beside_their_database(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    open_service(settings).close()
    shutil.rmtree(tmp_path / "app.keys")
    with pytest.raises(SettingsError) as caught:
        open_service(settings)
    assert "the database exists" in (caught.value.hint or "")
    assert not (tmp_path / "app.keys").exists()


@pytest.mark.parametrize("name", ["audit.key", "decoy.key"])
def test_other_keys_than_those_of_the_database_are_refused(tmp_path: Path, name: str) -> None:
    """D-6."""
    settings = settings_in(tmp_path)
    open_service(settings).close()
    (tmp_path / "app.keys" / name).write_text("another-secret-of-at-least-32-bytes!\n")
    with pytest.raises(StorageDamaged, match=f"{name.removesuffix('.key')} key differs"):
        open_service(settings)


def test_another_token_key_only_ends_sessions(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    open_service(settings).close()
    (tmp_path / "app.keys" / "jwt.key").write_text("another-secret-of-at-least-32-bytes!\n")
    service = open_service(settings)
    assert asyncio.run(service.health.ready()).is_ready
    service.close()


def test_the_database_of_another_instance_is_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for place in (first, second):
        place.mkdir()
        open_service(_placed(place)).close()
    shutil.copy(second / "app.db", first / "app.db")
    with pytest.raises(StorageDamaged, match="other keys"):
        open_service(_placed(first))


def _placed(place: Path, **changes: Any) -> Settings:
    paths = {"database_url": f"sqlite:///{place}/app.db", "key_dir": place / "app.keys", "log_file": place / "app.log"}
    return settings_in(place, **paths, **changes)


def test_a_copy_from_before_a_reset_is_refused(tmp_path: Path) -> None:
    """F-07: an older backup."""
    settings = settings_in(tmp_path)
    open_service(settings).close()
    shutil.copy(tmp_path / "app.db", tmp_path / "old.db")
    service = open_service(settings, kind="cli")
    assert asyncio.run(service.maintenance.reset(CLI)).generation == 2
    service.close()
    shutil.copy(tmp_path / "old.db", tmp_path / "app.db")
    for name in ("app.db-wal", "app.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(StorageDamaged, match="older than its keys"):
        open_service(settings)


def test_a_mark_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    open_service(settings).close()
    (tmp_path / "app.keys" / "database.json").write_text("[]")
    with pytest.raises(StorageDamaged, match=r"database\.json"):
        open_service(settings)


def test_a_service_does_not_start_while_its_database_is_taken_alone(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    open_service(settings).close()
    lock = serving_lock(choose_driver(settings.database_url))
    assert lock.own()
    with pytest.raises(Refused, match="being reset"):
        open_service(settings)
    lock.release()
    open_service(settings).close()


def test_servers_share_the_lock_and_keep_others_from_owning_it(any_url: str) -> None:
    open_database(any_url, create=True).close()
    driver = choose_driver(any_url)
    one, two, three = serving_lock(driver), serving_lock(driver), serving_lock(driver)
    assert one.share()
    assert two.share()
    assert not three.own()
    one.release()
    two.release()
    assert three.own()
    assert not one.share()
    three.release()
    one.release()
    one.release()


def test_a_copy_is_whole_and_private(any_url: str, tmp_path: Path) -> None:
    database = open_database(any_url, create=True)
    database.write_now(lambda tx: tx.instance.add("me", "{}"))
    copy = copy_database(database.driver, "before")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.stat().st_size > 1000
    if database.driver.name == "sqlite":
        restored = open_database(f"sqlite:///{copy}")
        assert restored.read_now(lambda tx: tx.instance.load()).instance_id == "me"
        restored.close()
    else:
        assert copy.read_bytes().startswith(b"PGDMP")
    database.close()


def test_a_dump_without_its_program_or_its_server_is_refused(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(postgres_url, create=True)
    database.close()
    broken = choose_driver(postgres_url.replace("postgres@", "nobody_at_all@"))
    with pytest.raises(StorageUnavailable):
        copy_database(broken, "before")
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(Refused, match="pg_dump"):
        copy_database(database.driver, "before")
    assert list(tmp_path.glob("*.dump")) == []


@pytest.fixture
def production(tmp_path: Path) -> Callable[[], Settings]:
    """Settings of a production service; its keys were made by a development one in another directory."""
    place = tmp_path / "made"
    place.mkdir()
    open_service(_placed(place)).close()
    shutil.move(place / "app.db", tmp_path / "app.db")

    def make() -> Settings:
        files = {"AUDIT_KEY": "audit.key", "DECOY_KEY": "decoy.key", "JWT_SECRET": "jwt.key"}
        environ = {f"{name}_FILE": str(place / "app.keys" / file) for name, file in files.items()}
        environ |= {
            "CHECKPOINT_KEY_FILE": str(place / "app.keys" / "checkpoint.pem"),
            "ENVIRONMENT": "production",
            "RP_ID": "login.example.com",
            "ORIGIN": "https://login.example.com",
            "KEY_DIR": str(place / "app.keys"),
        }
        return load_settings(environ=environ, cwd=tmp_path)

    return make


def test_production_is_reset_only_when_stopped_confirmed_and_copied(
    production: Callable[[], Settings], tmp_path: Path
) -> None:
    """R-CL-02, D-15."""
    settings = production()
    running = open_service(settings)
    command = open_service(settings, kind="cli")
    with pytest.raises(Refused) as caught:
        asyncio.run(command.maintenance.reset(CLI, confirmed_host="localhost"))
    assert caught.value.hint == "--confirm login.example.com"
    with pytest.raises(Refused, match="running"):
        asyncio.run(command.maintenance.reset(CLI, confirmed_host="login.example.com"))
    running.close()
    done = asyncio.run(command.maintenance.reset(CLI, confirmed_host="login.example.com"))
    assert done.copy is not None
    assert done.copy.exists()
    assert done.copy.parent == tmp_path or done.copy.parent == Path()
    command.close()


def test_sweeping_removes_what_has_expired_and_nothing_else(tmp_path: Path) -> None:
    clock = FixedClock()
    service = open_service(settings_in(tmp_path), clock=clock)
    caller = Caller("192.0.2.1", "192.0.2.1", None, "r", network="192.0.2.1")
    asyncio.run(service.login.begin("jane@example.com", caller))
    assert asyncio.run(service.maintenance.sweep()) == 0
    clock.advance(301)
    asyncio.run(service.login.begin("jane@example.com", caller))
    assert asyncio.run(service.maintenance.sweep()) == 1
    assert service.database.read_now(lambda tx: tx.challenges.count()) == 1
    service.close()


def test_sweeping_goes_on_until_nothing_expired_is_left(tmp_path: Path) -> None:
    """R-RL-07: under load more rows come in between two sweeps than one transaction removes."""
    clock = FixedClock()
    service = open_service(settings_in(tmp_path), clock=clock)

    def count_many(tx: Transaction) -> None:
        for number in range(MOST_SWEPT * 2 + 1):
            tx.limits.hit(f"source {number}", 1, 60)

    service.database.write_now(count_many)
    clock.advance(61)
    assert asyncio.run(service.maintenance.sweep()) == MOST_SWEPT * 2 + 1
    service.close()


def test_postgresql_without_tables_asks_for_the_upgrade(postgres_url: str, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, database_url=postgres_url)
    with pytest.raises(StorageMissing) as caught:
        open_service(settings)
    assert "authctl db upgrade" in (caught.value.hint or "")
    open_database(postgres_url, create=True).close()
    open_service(settings).close()
