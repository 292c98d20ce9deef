"""An operator's commands beside a running server: felt at once, and never in its way."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.builders import Visitor
from tests.process.crowd import Connected, log_in_all, register_crowd
from tests.process.site import Site, site
from tests.process.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running server."""
    with site(tmp_path_factory.mktemp("operator") / "site") as made:
        made.start()
        yield made


def registered(place: Site, name: str) -> Visitor:
    """Somebody new, logged in."""
    visitor = Visitor(Connected(place.origin), f"{name}@example.com")
    visitor.register()
    visitor.log_in()
    return visitor


def test_promotion_takes_effect_with_the_next_login_and_demotion_at_once(place: Site) -> None:
    """R-AZ-01, R-AZ-02, F-22; promoting again is no event."""
    admin, other = registered(place, "admin"), registered(place, "other")
    assert place.done("promote", " Admin@Example.com ")["after"] == "admin"
    assert admin.see(other.id).status_code == 403
    admin.log_in()
    assert admin.see(other.id).status_code == 200
    again = place.command("promote", admin.email)
    assert (again.returncode, "already admin" in again.stderr + again.stdout) == (0, True)
    with Tables(place.database) as tables:
        events = tables.rows(
            "SELECT actor, details FROM audit_logs WHERE event_type = 'role_change' AND user_email = ?", admin.email
        )
    assert len(events) == 1
    assert events[0][0].startswith("os:")
    refused = place.command("demote", admin.email)
    assert refused.returncode == 4
    assert admin.see(other.id).status_code == 200
    assert place.command("demote", admin.email, "--allow-no-admin").returncode == 0
    assert admin.see(other.id).status_code == 403


def test_disabling_is_felt_on_the_next_request_and_enabling_with_the_next_login(place: Site) -> None:
    """R-TK-07, F-22."""
    visitor = registered(place, "disabled")
    place.done("users", "disable", visitor.email)
    assert visitor.see().status_code == 401
    assert visitor.complete_login(visitor.sign()).status_code == 401
    place.done("users", "enable", visitor.email)
    assert visitor.see().status_code == 401
    visitor.log_in()
    assert visitor.see().status_code == 200


def test_the_trail_lists_what_was_done_and_by_whom(place: Site) -> None:
    """R-LG-01: over HTTP and at the command line, in one list."""
    visitor = registered(place, "listed")
    place.done("users", "logout", visitor.email)
    listed = place.done("audit", "list", "--user", visitor.email)
    assert [event["event_type"] for event in listed] == [
        "session_revoked", "login_complete", "login_begin", "registration_complete", "registration_begin",
    ]  # fmt: skip
    assert listed[0]["actor"].startswith("os:")
    failures = place.done("audit", "list", "--user", visitor.email, "--failure")
    assert failures == []


def test_somebody_unknown_is_not_found(place: Site) -> None:
    """R-CL-01: and what was typed does not reach the terminal raw."""
    finished = place.command("promote", "no such\x1b[31mperson")
    assert finished.returncode == 3
    assert "\x1b" not in finished.stdout + finished.stderr
    assert "Traceback" not in finished.stderr


def test_commands_that_are_killed_leave_everything_or_nothing_and_no_request_fails(place: Site) -> None:
    """F-22: logins go on meanwhile, and the trail verifies."""
    crowd = register_crowd(place.origin, "meanwhile", 3)
    goes_on = threading.Event()
    failures: list[BaseException] = []

    def keep_logging_in() -> None:
        while not goes_on.is_set():
            try:
                log_in_all(crowd, 1)
            except BaseException as error:  # told by the test itself
                failures.append(error)
                return

    load = threading.Thread(target=keep_logging_in)
    load.start()
    moments = random.Random(7)  # noqa: S311  the same moments in every run
    try:
        for number in range(4):
            command = "promote" if number % 2 == 0 else "demote"
            process = place.popen(command, crowd[0].email, *(["--allow-no-admin"] if number % 2 else []))
            time.sleep(moments.uniform(0.02, 0.4))
            process.kill()
            process.wait(10)
    finally:
        goes_on.set()
        load.join(30)
    assert failures == []
    with Tables(place.database) as tables:
        (role,) = tables.rows("SELECT role FROM users WHERE email = ?", crowd[0].email)[0]
        changes = tables.rows(
            "SELECT details FROM audit_logs WHERE event_type = 'role_change' AND user_email = ? ORDER BY created_at",
            crowd[0].email,
        )
        assert tables.contradictions() == []
    assert role == ("user" if not changes else changes[-1][0].split(" to ")[1].split()[0])
    assert place.verify() == 0
