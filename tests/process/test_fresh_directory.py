"""The first start in an empty folder, the second, and starts on what is left of a service."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from tests.builders import Visitor
from tests.process.site import Site, site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.process

STORAGE = 5
SETTINGS = 2


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """An empty folder; the server runs under a mask that would leave its files open to everybody."""
    with site(tmp_path / "site", LOG_LEVEL="debug") as made:
        yield made


def mode(path: Path) -> int:
    """Who may do what."""
    return stat.S_IMODE(path.stat().st_mode)


def keys_in(place: Site) -> dict[str, bytes]:
    """Every key file with its content."""
    folder = place.directory / "app.keys"
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "database.json"}


def test_serve_makes_everything_it_needs_in_an_empty_folder_and_finds_it_again(place: Site) -> None:
    """R-CF-01: private files, no secret in what is said (R-LG-05), and the same keys at the second start."""
    place.start()
    visitor = Visitor(place)
    visitor.register()
    token, challenge = visitor.log_in(), visitor.begin_login()["challenge"]
    made = {path.name for path in place.directory.iterdir()}
    assert {"app.db", "app.log", "app.keys"} <= made
    for path in place.directory.rglob("*"):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path
    keys = keys_in(place)
    assert {"jwt.key", "audit.key", "decoy.key", "checkpoint.pem", "instance_id"} <= keys.keys()
    assert place.stop() == 0

    place.start()
    assert keys_in(place) == keys
    assert visitor.see(token=token).status_code == 200
    assert place.stop() == 0
    assert place.verify() == 0
    assert not any(key.decode().strip() in place.stderr for key in keys.values() if key)
    assert token not in place.stderr
    assert challenge not in place.stderr
    with (place.directory / "app.log").open(encoding="utf-8") as log:
        events = [json.loads(line)["event_type"] for line in log]
    assert events.count("server_start") == events.count("server_stop") == 2


def test_a_database_that_is_gone_or_empty_is_never_replaced_by_a_new_one(place: Site) -> None:
    """F-07, R-ST: neither by serve nor by a command."""
    place.start()
    assert place.stop() == 0
    before = place.database.read_bytes()
    for leftover in place.directory.glob("app.db*"):
        leftover.unlink()
    for command in (("serve",), ("audit", "verify")):
        finished = place.command(*command)
        assert finished.returncode == STORAGE, finished.stderr
        assert "app.db" in finished.stderr
        assert "Traceback" not in finished.stderr
        assert not list(place.directory.glob("app.db"))

    place.database.touch()
    finished = place.command("serve")
    assert (finished.returncode, "empty" in finished.stderr) == (STORAGE, True)
    assert place.database.stat().st_size == 0

    place.database.write_bytes(before)
    place.start()
    assert place.call("GET", "/readyz").status_code == 200


def test_commands_make_nothing_in_an_empty_folder(place: Site) -> None:
    """Only serve, reset and `db upgrade` create files."""
    for command in (("promote", "jane@example.com"), ("audit", "list")):
        finished = place.command(*command)
        assert finished.returncode == STORAGE, finished.stderr
        assert "authctl serve" in finished.stderr
    assert list(place.directory.iterdir()) == []


def test_a_key_that_others_may_read_is_refused(place: Site) -> None:
    """R-CF-01."""
    place.start()
    assert place.stop() == 0
    (place.directory / "app.keys" / "audit.key").chmod(0o644)
    finished = place.command("serve")
    assert (finished.returncode, "audit.key" in finished.stderr) == (SETTINGS, True)
