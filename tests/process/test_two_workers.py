"""One server of two worker processes, with people logging in and an operator beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import Visitor
from tests.process.crowd import Connected, log_in_all, register_crowd, submit_at_once
from tests.process.site import Site, site
from tests.process.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.process

PEOPLE = 8
CROWDS = (2, 10, 50)
MOST_ROUNDS = 20
"""After so many logins of everybody each worker has surely had one."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The folder of one server for all tests of this file, whatever their order."""
    with site(tmp_path_factory.mktemp("workers") / "site") as made:
        yield made


@pytest.fixture
def place(folder: Site) -> Site:
    """A running server with two workers."""
    if folder.process is None:
        folder.start("--workers", "2")
    return folder


def workers_of(place: Site) -> int:
    """How many processes have written events."""
    with Tables(place.database) as tables:
        return len(tables.rows("SELECT DISTINCT pid FROM audit_writers WHERE kind = 'server'"))


def test_all_logins_succeed_and_the_chains_of_both_workers_verify(place: Site) -> None:
    """R-LG-06: each worker writes a chain of its own."""
    visitors = register_crowd(place.origin, "worker", PEOPLE)
    assert log_in_all(visitors, 5) == 5 * PEOPLE
    with Tables(place.database) as tables:
        assert tables.contradictions() == []
    assert workers_of(place) >= 2
    assert place.verify() == 0


@pytest.mark.parametrize("crowd", CROWDS)
def test_one_assertion_submitted_to_both_workers_at_once_opens_one_session(place: Site, crowd: int) -> None:
    """F-13, R-CH-02: over real connections."""
    visitor = Visitor(Connected(place.origin), f"twice{crowd}@example.com")
    visitor.register()
    document = {"email": visitor.email, "assertion": visitor.sign()}
    answers = submit_at_once(place.origin, "/login/complete", document, crowd)
    assert answers == [200] + [401] * (crowd - 1)
    with Tables(place.database) as tables:
        outcomes = "SELECT success FROM audit_logs WHERE user_email = ? AND event_type = 'login_complete'"
        assert sorted(tables.rows(outcomes, visitor.email)) == [(0,)] * (crowd - 1) + [(1,)]


def test_one_credential_submitted_to_both_workers_at_once_makes_one_account(place: Site) -> None:
    """F-13, F-14."""
    visitor = Visitor(Connected(place.origin), "once@example.com")
    document = {"email": visitor.email, "credential": visitor.browser.create(visitor.begin_registration())}
    assert submit_at_once(place.origin, "/register/complete", document, 10) == [201] + [400] * 9
    assert visitor.log_in()


def test_a_reset_in_development_starts_a_new_trail_in_both_workers(place: Site) -> None:
    """R-CL-02, F-22: old users and tokens are gone, later ones work, and what the workers write then verifies."""
    old = Visitor(Connected(place.origin), "before@example.com")
    old.register()
    token, pending = old.log_in(), old.sign()
    assert place.command("reset").returncode == 2
    assert place.command("reset", "--yes").returncode == 0
    assert old.see(token=token).status_code == 401
    assert old.post("/login/complete", {"email": old.email, "assertion": pending}).status_code == 401

    visitors = register_crowd(place.origin, "after", PEOPLE)
    for _ in range(MOST_ROUNDS):
        assert log_in_all(visitors, 1) == PEOPLE
        if workers_of(place) == 2:
            break
    assert workers_of(place) == 2
    with Tables(place.database) as tables:
        # The first event of the new trail, and the only thing that knows of the old one.
        (first,) = tables.rows("SELECT actor, anchors FROM audit_logs WHERE event_type = 'database_reset'")
        assert tables.rows("SELECT count(*) FROM users") == [(PEOPLE,)]
    assert first[0].startswith("os:")
    assert '"heads":[{' in first[1].replace(" ", "")
    assert place.verify() == 0


def test_the_server_ends_in_order_with_a_trail_that_verifies(place: Site) -> None:
    """F-02, R-LG-06: every writer has closed its chain."""
    assert place.stop() == 0
    assert place.verify() == 0
    with Tables(place.database) as tables:
        assert tables.rows("SELECT count(*) FROM audit_writers WHERE closed_at IS NULL") == [(0,)]
