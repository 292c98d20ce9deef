"""A production set-up: keys from files, https origins, and a reset that is hard to do by mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.builders import shared_keys
from tests.process.site import Site, site

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.process

REFUSED = 4


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """A folder with production settings; every key stands in a file of its own."""
    files = {}
    for name, key in shared_keys().items():
        path = tmp_path / name
        path.write_text(key, encoding="ascii")
        path.chmod(0o600)
        files[f"{name.upper()}_FILE"] = str(path)
    settings = {"ENVIRONMENT": "production", "RATE_LIMITS": "on", "ORIGIN": "https://login.localhost", **files}
    with site(tmp_path / "site", **settings) as made:
        yield made


def test_reset_in_production_wants_the_service_stopped_the_host_named_and_leaves_a_copy(place: Site) -> None:
    """R-CL-02, R-CF-02, F-22."""
    place.start()
    assert place.process is not None
    proc = Path("/proc") / str(place.process.pid)
    seen = (proc / "environ").read_bytes() + (proc / "cmdline").read_bytes()
    assert not any(key.encode() in seen for key in shared_keys().values())
    assert place.call("GET", "/readyz").status_code == 200
    assert not (place.directory / "app.keys").exists()

    running = place.command("reset", "--yes", "--confirm", "localhost")
    assert (running.returncode, "stop it first" in running.stderr) == (REFUSED, True)
    assert place.stop() == 0
    unnamed = place.command("reset", "--yes")
    assert (unnamed.returncode, "--confirm localhost" in unnamed.stderr) == (REFUSED, True)

    done = place.command("reset", "--yes", "--confirm", "localhost", "--format", "json")
    assert done.returncode == 0, done.stderr
    copy = place.directory / Path(json.loads(done.stdout)["copy"]).name
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.stat().st_size > 0
    assert place.verify() == 0
