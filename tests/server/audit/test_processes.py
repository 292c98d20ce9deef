"""Several processes write one trail and one file, are killed, and the file is rotated under them."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from authctl.clock import SystemClock
from authctl.server.audit.lines import place_of
from authctl.server.storage.engine import open_database
from tests.server.audit.workbench import Site, an_event

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.process

WRITER = """
import sys, time
from pathlib import Path
from authctl.clock import SystemClock
from tests.server.audit.workbench import Site, an_event
site = Site(Path(sys.argv[1]), sys.argv[2], SystemClock())
service = site.start(policy=sys.argv[3])
end = time.monotonic() + float(sys.argv[4])
while time.monotonic() < end:
    service.write(*(an_event(number) for number in range(5)))
    service.tick()
site.stop()
"""
ROOT = Path(__file__).parents[3]


def start_writer(site: Site, policy: str, seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(site.folder), site.url, policy, str(seconds)], cwd=ROOT)


def rotate(site: Site, writers: list[subprocess.Popen[bytes]], number: int) -> None:
    if site.log_file.exists():
        site.log_file.rename(site.folder / f"app.log.{number}")


def kill_one(site: Site, writers: list[subprocess.Popen[bytes]], number: int) -> None:
    victim = random.choice(writers)  # noqa: S311
    victim.kill()
    victim.wait()
    writers.remove(victim)


@pytest.mark.parametrize(("policy", "disturb"), [("db", rotate), ("all", kill_one)])
def test_no_event_is_lost_doubled_or_split_when_processes_are_disturbed(
    tmp_path: Path,
    sqlite_url: str,
    policy: str,
    disturb: Callable[[Site, list[subprocess.Popen[bytes]], int], None],
) -> None:
    """R-LG-02, R-LG-08, F-01, F-10."""
    site = Site(tmp_path, sqlite_url, SystemClock())
    site.start().write(an_event())
    site.stop()
    writers = [start_writer(site, policy, 2) for _ in range(3)]
    for number in range(2):
        time.sleep(1)
        disturb(site, writers, number)
    for writer in writers:
        assert writer.wait(30) == 0
    last = site.start()
    last.write(an_event())
    while last.shipper.has_work():
        last.tick()
    site.stop()
    places = [place_of(line) for file in tmp_path.glob("app.log*") for line in file.read_bytes().splitlines()]
    database = open_database(sqlite_url)
    rows = database.read_now(lambda tx: [(row[14], row[15], 1) for row in tx.events.in_chains()])
    database.close()
    assert len(rows) > 20
    assert sorted(place for place in places if place is not None) == sorted(rows)
    assert None not in places
    assert site.verify().is_intact
