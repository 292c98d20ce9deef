"""Ways to take the store away from a running service, and to give it back."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.journeys.sql import connect, execute

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSE_EVENTS = {
    "sqlite": (
        "CREATE TRIGGER no_events BEFORE INSERT ON audit_logs BEGIN SELECT RAISE(ABORT, 'no more events'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no more events'; END $$",
        "CREATE TRIGGER no_events BEFORE INSERT ON audit_logs FOR EACH ROW EXECUTE FUNCTION no()",
    ),
}
ADMIT_EVENTS = {
    "sqlite": ("DROP TRIGGER no_events",),
    "postgresql": ("DROP TRIGGER no_events ON audit_logs",),
}
HOLD = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN; LOCK TABLE challenges IN ACCESS EXCLUSIVE MODE"}


def kind_of(url: str) -> str:
    """The database's name in the tables above."""
    return "sqlite" if url.startswith("sqlite") else "postgresql"


@contextmanager
def refused_events(url: str) -> Iterator[None]:
    """The table of events takes none."""
    execute(url, *REFUSE_EVENTS[kind_of(url)])
    yield
    execute(url, *ADMIT_EVENTS[kind_of(url)])


@contextmanager
def missing_table(url: str) -> Iterator[None]:
    """A table has another name."""
    execute(url, "ALTER TABLE challenges RENAME TO gone")
    yield
    execute(url, "ALTER TABLE gone RENAME TO challenges")


@contextmanager
def held(url: str, seconds: float | None = None) -> Iterator[None]:
    """Another process's write transaction, let go after a while, or with the block."""
    connection = connect(url)
    for statement in HOLD[kind_of(url)].split("; "):
        connection.execute(statement)
    ends = threading.Event()

    def let_go() -> None:
        ends.wait(seconds)
        connection.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=let_go)
    thread.start()
    try:
        yield
        if seconds is not None:
            thread.join()
    finally:
        ends.set()
        thread.join()
