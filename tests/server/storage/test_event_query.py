"""One filter and one grouping give the same events in every database, and nothing that is typed becomes SQL."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields, replace
from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from authctl.clock import FixedClock
from authctl.server.audit.records import EventRecord
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage.engine import open_database
from authctl.server.storage.event_query import (
    EVENT_COLUMNS,
    GROUP_COLUMNS,
    Dialect,
    EventFilter,
    Position,
    select_events,
    select_groups,
    spelled_out,
)
from authctl.server.storage.events import COLUMNS
from authctl.server.storage.reader import open_reader
from tests.server.storage.trail_rows import START, Duck, a_row, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.server.storage.reader import Reader

HOUR = timedelta(hours=1)
UUID = "0b6d6d3e-7a34-4b0a-8f55-3c1e6b1f2a11"
ROWS = [
    a_row(1, event_type="login_begin", user_email="ann@example.com", user_id="u1", ip_address="192.0.2.1"),
    a_row(2, success=0, reason="signature_invalid", user_email="ann@example.com", user_agent="Mozilla/5.0 100% (X_1)"),
    a_row(3, success=0, reason="unknown_user", created_at=START + HOUR, user_agent="curl/8", request_id="r-3"),
    a_row(4, event_type="user_access", user_id="u1", target_user_id="u2", actor="u1", created_at=START + 2 * HOUR),
    a_row(5, event_type="user_access", user_id="u2", target_user_id="u2", created_at=START + 2 * HOUR),
    a_row(6, event_type="role_change", user_id="u3", actor="os:root(0)", created_at=START + 3 * HOUR),
    a_row(7, details=r"User Jörg MÜLLER's \u001b[2J", ip_address="2001:db8::7", created_at=START + 4 * HOUR),
]

FILTERS: list[tuple[EventFilter, list[int]]] = [
    (EventFilter(), [7, 6, 5, 4, 3, 2, 1]),
    (EventFilter(newest_first=False), [1, 2, 3, 4, 5, 6, 7]),
    (EventFilter(limit=2), [7, 6]),
    (EventFilter(ids=("e02", "e05", "e99")), [5, 2]),
    (EventFilter(ids=("e02",)), [2]),
    (EventFilter(event_types=("login_begin",)), [1]),
    (EventFilter(event_types=("login_begin", "role_change")), [6, 1]),
    (EventFilter(event_types=("login_complete", "user_access"), limit=3), [7, 5, 4]),
    (EventFilter(event_types=("login_complete",), limit=2, newest_first=False), [2, 3]),
    (EventFilter(event_types=("login_complete", "role_change"), success=False, limit=9), [3, 2]),
    (EventFilter(event_types=("login_complete",), limit=9, after=Position(START + HOUR, "e03")), [2]),
    (EventFilter(event_types=("login_complete",), since=START + HOUR), [7, 3]),
    (EventFilter(event_types=("user_access",), user_email="ann@example.com", limit=9), []),
    (EventFilter(excluded_types=("login_complete", "user_access")), [6, 1]),
    (EventFilter(reasons=("unknown_user", "signature_invalid")), [3, 2]),
    (EventFilter(excluded_reasons=("unknown_user",)), [7, 6, 5, 4, 2, 1]),
    (EventFilter(user_email="ann@example.com"), [2, 1]),
    (EventFilter(user_email="%@example.com"), []),
    (EventFilter(user_id="u2"), [5, 4]),
    (EventFilter(user_id="u1"), [4, 1]),
    (EventFilter(user_id="os:root(0)"), [6]),
    (EventFilter(only_others=True), [4]),
    (EventFilter(success=False), [3, 2]),
    (EventFilter(success=True, event_types=("login_complete",)), [7]),
    (EventFilter(since=START + HOUR), [7, 6, 5, 4, 3]),
    (EventFilter(until=START + HOUR), [2, 1]),
    (EventFilter(since=START + HOUR, until=START + 2 * HOUR), [3]),
    (EventFilter(agent="MOZILLA"), [2]),
    (EventFilter(agent="0%"), [2]),
    (EventFilter(agent="8%"), []),
    (EventFilter(agent="x_1"), [2]),
    (EventFilter(agent="5_0"), []),
    (EventFilter(contains="müller"), [7]),
    (EventFilter(contains="JÖRG MÜLLER'S"), [7]),
    (EventFilter(contains="ö*g"), []),
    (EventFilter(contains="ö?"), []),
    (EventFilter(contains="ö["), []),
    (EventFilter(contains=r"\u001b[2j"), [7]),
    (EventFilter(contains="R-3"), [3]),
    (EventFilter(contains="192.0.2"), [1]),
    (EventFilter(contains="root"), [6]),
    (EventFilter(contains="signature"), [2]),
    (EventFilter(contains="U2"), [5, 4]),
    (EventFilter(contains="' OR 1=1 --"), []),
    (EventFilter(networks=(ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))), [7, 1]),
    (EventFilter(after=Position(START + 2 * HOUR, "e05")), [4, 3, 2, 1]),
    (EventFilter(after=Position(START + 2 * HOUR, "e04"), newest_first=False), [5, 6, 7]),
    (EventFilter(after=Position(START + 2 * HOUR, "e05"), limit=1), [4]),
]

GROUPS: list[tuple[EventFilter, tuple[str, ...], int | None, list[tuple[tuple[Any, ...], int, int]]]] = [
    (EventFilter(), (), None, [((), 7, 2)]),
    (EventFilter(event_types=("none",)), (), None, []),
    (EventFilter(), ("success",), None, [((1,), 5, 0), ((0,), 2, 2)]),
    (EventFilter(), ("reason",), None, [((None,), 5, 0), (("signature_invalid",), 1, 1), (("unknown_user",), 1, 1)]),
    (
        EventFilter(),
        ("event_type", "success"),
        3,
        [(("login_complete", 0), 2, 2), (("user_access", 1), 2, 0), (("login_begin", 1), 1, 0)],
    ),
    (EventFilter(), ("month",), None, [(("2026-02",), 5 - 1, 0), (("2026-01",), 3, 2)]),
    (EventFilter(), ("day",), None, [(("2026-02-01",), 4, 0), (("2026-01-31",), 3, 2)]),
    (EventFilter(until=START + HOUR), ("hour",), None, [(("2026-01-31T22:00Z",), 2, 1)]),
    (EventFilter(until=START + HOUR), ("minute",), None, [(("2026-01-31T22:30Z",), 2, 1)]),
]


@pytest.fixture(scope="module")
def sqlite_reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    yield from _filled(f"sqlite:///{tmp_path_factory.mktemp('q') / 'app.db'}")


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    engine = Duck(ROWS)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def postgres_reader(postgres_server: Any) -> Iterator[Reader]:
    yield from _filled(postgres_server.create_database("event_query"))


def _filled(url: str) -> Iterator[Reader]:
    database = open_database(url, FixedClock(), create=True)
    fill(database, ROWS)
    database.close()
    reader = open_reader(url)
    yield reader
    reader.close()


@pytest.fixture(params=["sqlite", "duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def asked(request: pytest.FixtureRequest) -> Any:
    """The same rows in each database."""
    names = {"sqlite": "sqlite_reader", "duckdb": "duck", "postgresql": "postgres_reader"}
    return request.getfixturevalue(names[request.param])


@pytest.mark.parametrize(("wanted", "numbers"), FILTERS)
def test_every_filter_finds_the_same_events_in_every_database(
    asked: Any, wanted: EventFilter, numbers: list[int]
) -> None:
    found = [event.seq for event in DatabaseSource(asked).events(wanted)]
    assert found == numbers


def test_every_member_of_the_filter_is_tried() -> None:
    tried = {
        member.name
        for wanted, _ in FILTERS
        for member in fields(EventFilter)
        if getattr(wanted, member.name) != member.default
    }
    assert tried == {member.name for member in fields(EventFilter)}


@pytest.mark.parametrize(("wanted", "by", "top", "expected"), GROUPS)
def test_every_grouping_counts_the_same_in_every_database(
    asked: Any, wanted: EventFilter, by: tuple[str, ...], top: int | None, expected: list[Any]
) -> None:
    groups = DatabaseSource(asked).groups(wanted, by, top=top)
    assert [(group.values, group.total, group.failures) for group in groups] == expected


@pytest.mark.parametrize("column", GROUP_COLUMNS)
def test_every_column_can_be_counted_by(asked: Any, column: str) -> None:
    groups = DatabaseSource(asked).groups(EventFilter(), (column,))
    assert sum(group.total for group in groups) == len(ROWS)
    assert min(group.first for group in groups) == START
    assert max(group.last for group in groups) == START + 4 * HOUR


def test_another_column_is_not_counted_by() -> None:
    with pytest.raises(ValueError, match="mac"):
        select_groups(EventFilter(), ("mac",), "sqlite")


def test_an_event_reads_the_same_in_every_database(asked: Any) -> None:
    (event,) = DatabaseSource(asked).events(EventFilter(ids=("e07",)))
    columns = {**ROWS[6], "success": True, "created_at": START + 4 * HOUR}
    assert event == EventRecord(**{name: columns[name] for name in EVENT_COLUMNS})
    assert event.created_at.utcoffset() == timedelta(0)
    assert event.success is True


def test_what_is_selected_are_the_members_of_a_record() -> None:
    assert EventRecord._fields == EVENT_COLUMNS
    assert set(EVENT_COLUMNS) < set(COLUMNS)


HOSTILE = "x' OR '1'='1'; DROP TABLE audit_logs; -- \" $ip_1 :ip_1 %(ip_1)s %s ? \\"


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "duckdb"])
def test_what_is_typed_never_becomes_part_of_the_text(dialect: Dialect) -> None:
    wanted = EventFilter(
        ids=(HOSTILE,),
        event_types=(HOSTILE, "b"),
        excluded_types=(HOSTILE,),
        reasons=(HOSTILE,),
        excluded_reasons=(HOSTILE,),
        user_email=HOSTILE,
        user_id=HOSTILE,
        agent=HOSTILE,
        contains=HOSTILE + "ü",
        after=Position(START, HOSTILE),
    )
    for sql in (select_events(wanted, dialect), select_groups(wanted, ("day",), dialect)):
        assert "DROP" not in sql.text
        assert "ü" not in sql.text


def test_hostile_text_is_text_to_every_database(asked: Any) -> None:
    everywhere = EventFilter(
        event_types=(HOSTILE,), user_email=HOSTILE, user_id=HOSTILE, agent=HOSTILE, contains=HOSTILE + "ü"
    )
    assert list(DatabaseSource(asked).events(everywhere)) == []
    assert len(list(DatabaseSource(asked).events(EventFilter()))) == len(ROWS)


@pytest.mark.parametrize(("wanted", "numbers"), FILTERS)
def test_the_statement_that_is_shown_finds_the_same_when_it_is_run(
    asked: Any, wanted: EventFilter, numbers: list[int]
) -> None:
    text = spelled_out(select_events(wanted, asked.dialect))
    plain = type(select_events(wanted, asked.dialect))(_for_driver(text, asked.dialect), {}, asked.dialect)
    assert [row[-1] for row in asked.all(plain)] == numbers


def _for_driver(text: str, dialect: str) -> str:
    """psycopg looks for placeholders whenever parameters are given, be they none."""
    return text.replace("%", "%%") if dialect == "postgresql" else text


@pytest.mark.parametrize(
    "wanted",
    [
        EventFilter(networks=tuple(map(ip_network, ("192.0.2.0/25", "10.0.0.0/9", "0.0.0.0/0", "2001:db8::/32")))),
        EventFilter(contains="müller", agent="it's", since=START, after=Position(START, "e01"), limit=3),
    ],
)
def test_the_statement_that_is_shown_runs_in_the_plain_shell(tmp_path: Path, wanted: EventFilter) -> None:
    url = f"sqlite:///{tmp_path / 'app.db'}"
    open_database(url, create=True).close()
    for sql in (select_events(wanted, "sqlite"), select_groups(wanted, ("hour", "ip_address"), "sqlite", top=5)):
        done = subprocess.run(
            ["sqlite3", "-bail", str(tmp_path / "app.db"), spelled_out(sql) + ";"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_nothing_but_placeholders_is_replaced_when_values_look_like_them() -> None:
    wanted = EventFilter(user_email=":limit_2 $x %(limit_2)s", limit=7)
    for dialect in ("sqlite", "postgresql", "duckdb"):
        shown = spelled_out(select_events(wanted, dialect))
        assert "user_email = ':limit_2 $x %(limit_2)s'" in shown
        assert shown.endswith("LIMIT 7")


@given(needle=st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), min_size=1, max_size=6))
@example("ß")
@example("İ")
@example("[^a]")
@example("é]")
@example("é^-")
@settings(max_examples=150, deadline=None)
def test_text_that_stands_in_an_event_is_found_in_any_case_of_its_letters(
    needle: str,
) -> None:
    for form in {needle, needle.upper(), needle.lower()}:
        if len(form) != len(needle) or not _is_plain(needle, form):
            continue
        for engine in (_SQLITE, _DUCK):
            pattern = EventFilter(agent=form)
            sql = select_events(pattern, engine.dialect, table=_TABLE[engine.dialect])
            engine.needle(f"before {needle} after")
            assert len(engine.all(sql)) == 1, (engine.dialect, sql)


def _is_plain(needle: str, form: str) -> bool:
    """Leaves out letters whose cases do not lead back, such as the long s."""
    return all({a.lower(), a.upper()} == {b.lower(), b.upper()} for a, b in zip(needle, form, strict=True))


class _SqliteNeedle:
    dialect: Dialect = "sqlite"

    def __init__(self) -> None:
        from authctl.server.storage.sqlite import dbapi

        self.engine = dbapi.connect(":memory:", check_same_thread=False)
        self.engine.execute(f"CREATE TABLE audit_logs ({', '.join(EVENT_COLUMNS)})")

    def needle(self, text: str) -> None:
        self.engine.execute("DELETE FROM audit_logs")
        self.engine.execute("INSERT INTO audit_logs (id, user_agent) VALUES ('e', ?)", (text,))

    def all(self, sql: Any) -> list[Any]:
        return list(self.engine.execute(sql.text, sql.params))


class _DuckNeedle(Duck):
    def needle(self, text: str) -> None:
        self.engine.execute("DELETE FROM audit_logs")
        self.engine.execute("INSERT INTO audit_logs (id, user_agent) VALUES ('e', ?)", [text])


_SQLITE, _DUCK = _SqliteNeedle(), _DuckNeedle()
_TABLE = {"sqlite": "audit_logs", "duckdb": "audit_logs"}


HERE = (ip_network("192.0.2.1/32"),)
LOGINS = EventFilter(event_types=("login_complete",), success=True)
PLANS: list[tuple[EventFilter, tuple[str, ...] | None, str]] = [
    (EventFilter(limit=9), None, "idx_audit_created_at"),
    (EventFilter(success=False, limit=9), None, "idx_audit_created_at"),
    (EventFilter(since=START, success=False), None, "idx_audit_created_at (created_at>?)"),
    (EventFilter(user_email="a", event_types=("b",), success=True), None, "idx_audit_user_email (user_email=?)"),
    (EventFilter(event_types=("a",), limit=9), None, "idx_audit_event_type (event_type=? AND success=?)"),
    (EventFilter(event_types=("a", "b"), success=False, limit=9), None, "(event_type=? AND success=?)"),
    (EventFilter(event_types=("a", "b"), since=START), None, "(event_type=? AND success=? AND created_at>?)"),
    (EventFilter(since=START), ("user_email",), "idx_audit_created_at (created_at>?)"),
    (EventFilter(since=START), ("event_type",), "idx_audit_created_at (created_at>?)"),
    (EventFilter(since=START), ("writer_id", "hour"), "idx_audit_created_at (created_at>?)"),
    (EventFilter(until=START), ("user_email", "ip_address"), "idx_audit_created_at (created_at<?)"),
    (EventFilter(since=START, event_types=("a",)), ("user_email",), "success=? AND created_at>?)"),
    (EventFilter(since=START, user_email="a"), ("event_type",), "idx_audit_user_email (user_email=? AND created_at>?)"),
    (EventFilter(since=START), ("hour",), "COVERING INDEX idx_audit_created_at (created_at>?)"),
    (EventFilter(success=False), ("day",), "COVERING INDEX idx_audit_created_at"),
    (EventFilter(), ("hour", "success"), "COVERING INDEX idx_audit_created_at"),
    (EventFilter(), (), "COVERING INDEX idx_audit_created_at"),
    (EventFilter(), ("event_type", "success"), "COVERING INDEX idx_audit_event_type"),
    (EventFilter(), ("user_email",), "COVERING INDEX idx_audit_user_email"),
    (EventFilter(success=False), ("ip_address",), "COVERING INDEX idx_audit_ip_address"),
    (EventFilter(reasons=("a",)), ("user_email",), "SCAN audit_logs"),
    (EventFilter(), ("user_email", "ip_address"), "SCAN audit_logs"),
    (EventFilter(), ("event_type", "ip_address"), "SCAN audit_logs"),
    (EventFilter(excluded_types=("a",)), ("event_type",), "COVERING INDEX idx_audit_event_type"),
    (EventFilter(event_types=("a",)), ("ip_address",), "idx_audit_event_type (event_type=?)"),
    (EventFilter(event_types=("a", "b")), ("user_email",), "idx_audit_event_type (event_type=?)"),
    (EventFilter(networks=HERE, limit=9), None, "idx_audit_ip_address (ip_address=?)"),
    (EventFilter(networks=HERE, event_types=("a",), success=True), None, "idx_audit_ip_address (ip_address=?)"),
    (EventFilter(networks=HERE, since=START), ("hour",), "idx_audit_ip_address (ip_address=? AND created_at>?)"),
    (EventFilter(networks=HERE, user_email="a"), None, "idx_audit_user_email (user_email=?)"),
    (LOGINS, ("user_email", "ip_address"), "COVERING INDEX idx_audit_logins (success=?)"),
    (
        replace(LOGINS, since=START),
        ("user_email", "ip_address"),
        "idx_audit_event_type (event_type=? AND success=? AND",
    ),
    (replace(LOGINS, limit=9), None, "idx_audit_event_type (event_type=? AND success=?)"),
    (EventFilter(ids=("019a",), since=START), None, "sqlite_autoindex_audit_logs_1 (id>? AND id<?)"),
]


@pytest.mark.parametrize(("wanted", "by", "plan"), PLANS)
def test_sqlite_looks_only_at_what_it_has_to(
    sqlite_reader: Reader, wanted: EventFilter, by: tuple[str, ...] | None, plan: str
) -> None:
    """F-20: without statistics the planner would read a whole index, or all logins for those of one person."""
    sql = select_events(wanted, "sqlite") if by is None else select_groups(wanted, by, "sqlite")
    explained = type(sql)(f"EXPLAIN QUERY PLAN {sql.text}", sql.params, "sqlite")
    steps = [row[3] for row in sqlite_reader.all(explained) if "audit_logs" in row[3]]
    assert steps
    assert all(step == plan if plan.startswith("SCAN") else plan in step for step in steps), steps


def test_the_names_of_parameters_cannot_run_into_the_text() -> None:
    for dialect in ("sqlite", "postgresql", "duckdb"):
        sql = select_events(EventFilter(user_email="a", limit=1), dialect)
        assert set(re.findall(r"[a-z_]+_\d+", sql.text)) == set(sql.params)
