"""A person is forgotten beside running servers, in their files, and whatever is killed in the middle of it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.builders import JANE, Visitor
from tests.process.crowd import Connected, register_crowd
from tests.process.site import Site, site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.process

MARKS = (JANE.encode(), b"Unmistakable")
LOOK_SECONDS = 15


def jane_at(place: Site, looks: int = 0) -> Visitor:
    """Jane, who has an account and has looked at herself so often."""
    jane = Visitor(Connected(place.origin), JANE)
    jane.register(first_name="Jacqueline", last_name="Unmistakable")
    jane.log_in()
    for _ in range(looks):
        assert jane.see().status_code == 200
    return jane


def files_that_tell(folder: Path) -> list[str]:
    """Every file in which something of Jane is left."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if any(mark in path.read_bytes() for mark in MARKS))


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + LOOK_SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_person_is_forgotten_beside_a_busy_server(tmp_path: Path) -> None:
    """Two workers write all the time, about her too; neither notices anything but that she is gone."""
    with site(tmp_path / "site") as place:
        place.start("--workers", "2")
        jane = jane_at(place, looks=20)
        others = register_crowd(place.origin, "other", 4)
        stop = threading.Event()
        statuses: set[int] = set()

        def live(visitor: Visitor) -> None:
            while not stop.is_set():
                visitor.log_in()
                statuses.add(visitor.see().status_code)

        def ask_for_her(visitor: Visitor) -> None:
            """Attempts under her e-mail: rows about her that come while she is erased."""
            while not stop.is_set():
                statuses.add(visitor.post("/login/begin", {"email": JANE}).status_code)

        threads = [threading.Thread(target=live, args=(visitor,)) for visitor in others[:3]]
        threads.append(threading.Thread(target=ask_for_her, args=(others[3],)))
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        answer = place.done("users", "erase", JANE, "--yes")
        stop.set()
        for thread in threads:
            thread.join(20)
        assert statuses == {200}
        assert answer["events"] >= 22
        assert answer["is_file_clean"]
        assert jane.see().status_code == 401
        # What was asked under her e-mail afterwards is new, and goes when it is asked for again.
        place.command("users", "erase", JANE, "--yes")
        assert place.stop() == 0
        assert files_that_tell(place.directory) == []
        assert "audit_gap" not in (place.directory / "app.log").read_text(encoding="utf-8")
        assert place.verify() == 0


def test_an_erasure_that_is_killed_is_finished_by_running_it_again(tmp_path: Path) -> None:
    """In the table, in the file, and between both."""
    with site(tmp_path / "site") as place:
        place.start()
        jane_at(place, looks=900)
        other = Visitor(Connected(place.origin), "other@example.com")
        other.register()
        for delay in (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7):
            process = place.popen("users", "erase", JANE, "--yes")
            time.sleep(delay)
            process.kill()
            process.wait(20)
            assert place.command("audit", "verify").returncode in (0, 1)  # lines wait for the next look
        last = place.command("users", "erase", JANE, "--yes")
        assert last.returncode in (0, 3)
        log = place.directory / "app.log"
        until(lambda: not any(mark in log.read_bytes() for mark in MARKS))
        other.log_in()
        assert place.stop() == 0
        assert files_that_tell(place.directory) == []
        assert place.verify() == 0


def test_a_server_with_another_log_file_cleans_its_own(tmp_path: Path) -> None:
    """Two hosts over one database; the command runs on one of them. One more is down, and cleans when it starts."""
    with site(tmp_path / "one") as one:
        one.start()
        shared = {"DATABASE_URL": one.url, "KEY_DIR": str(one.directory / "app.keys"), "ORIGIN": one.origin}
        with site(tmp_path / "two", **shared) as two, site(tmp_path / "three", **shared) as three:
            for place in (two, three):
                place.start()
            for place in (one, two, three):
                Visitor(Connected(place.origin), JANE).begin_login()
            assert three.stop() == 0
            jane_at(one)
            logs = [place.directory / "app.log" for place in (one, two, three)]
            assert all(JANE.encode() in log.read_bytes() for log in logs)
            assert one.done("users", "erase", JANE, "--yes")["is_file_clean"]
            assert JANE.encode() not in logs[0].read_bytes()
            until(lambda: JANE.encode() not in logs[1].read_bytes())
            assert JANE.encode() in logs[2].read_bytes()
            three.start()
            until(lambda: JANE.encode() not in logs[2].read_bytes())
            for place in (three, two, one):
                assert place.stop() == 0
                assert files_that_tell(place.directory) == []
                assert place.verify() == 0


def test_a_log_file_is_mended_beside_a_busy_server(tmp_path: Path) -> None:
    with site(tmp_path / "site") as place:
        place.start("--workers", "2")
        visitors = register_crowd(place.origin, "user", 3)
        log = place.directory / "app.log"
        lines = log.read_bytes().splitlines(keepends=True)
        foreign = b"x" * (len(lines[1]) - 1) + b"\n"
        with log.open("r+b") as file:
            file.write(lines[0].replace(b"true", b"eurt") + foreign)
        stop = threading.Event()

        def live(visitor: Visitor) -> None:
            while not stop.is_set():
                visitor.log_in()

        threads = [threading.Thread(target=live, args=(visitor,)) for visitor in visitors]
        for thread in threads:
            thread.start()
        answer = place.done("audit", "repair-file")
        stop.set()
        for thread in threads:
            thread.join(20)
        assert (answer["mended"], answer["rejected"]) == (1, 1)
        assert place.stop() == 0
        assert "audit_gap" not in log.read_text(encoding="utf-8")
        assert place.verify() == 0
