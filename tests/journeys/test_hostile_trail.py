"""R-LG-04, R-LG-09, R-CL-01: what a hostile client plants comes out harmless, whichever way it leaves the trail.

Everything is planted through the HTTP API, called in this process, so that no parser in front keeps anything away. The
same ways out are looked at again after an insider has written the texts into the table as they are.
"""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import sys
from contextlib import closing
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest

from authctl.cli import app
from authctl.server.audit.events import Caller
from authctl.server.audit.neutralising import clean_details, clean_identifier, clean_user_agent
from authctl.server.audit.records import EventRecord
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage.event_query import EventFilter
from authctl.server.storage.reader import open_reader
from authctl.settings import load_settings
from authctl.settings.model import FIELD_OF_FILE_VARIABLE, FIELD_OF_VARIABLE
from tests.builders import JANE, PEER, Instance, Visitor, person
from tests.journeys import hostile
from tests.journeys.sql import connect

pytestmark = pytest.mark.thorough

OPERATOR = Caller(None, None, None, "request-1", actor="os:root(0)")


def plant_everywhere(instance: Instance) -> Visitor:
    """Every text in every place that a client may fill; somebody who is an admin in the end."""
    jane = Visitor(instance)
    jane.register()
    jane.log_in()
    for text in hostile.TEXTS:
        plant(jane, text.encode())
    for raw in hostile.BYTES:
        plant(jane, raw)
    for number, local_part in enumerate(hostile.LOCAL_PARTS):
        visitor = Visitor(instance, f"{local_part}@example.com")
        name = hostile.NAMES[number]
        visitor.register(first_name=name, last_name=hostile.NAMES[-number], job_title=name)
        for address in ("198.51.100.1", "2001:db8::1"):
            fields = {b"x-forwarded-for": address.encode(), b"user-agent": hostile.TEXTS[number].encode()}
            document = {"email": visitor.email, "assertion": visitor.sign()}
            assert instance.call("POST", "/login/complete", json=document, headers=fields).status_code == 200
        visitor.log_in()
        visitor.see(jane.id)
        visitor.complete_login({**visitor.sign(), "response": {}})
    asyncio.run(instance.service.roles.promote(JANE, OPERATOR))
    jane.log_in()
    for user in instance.service.database.read_now(lambda tx: tx.users.all()):
        jane.see(user.id)
    return jane


def plant(jane: Visitor, raw: bytes) -> None:
    """One text, in header fields, path and bodies."""
    call = jane.service.call
    fields = {
        b"user-agent": raw,
        b"x-forwarded-for": raw,
        b"forwarded": b"for=" + raw,
        b"x-request-id": raw,
        b"authorization": f"Bearer {jane.token}".encode(),
    }
    call("POST", "/login/begin", json={"email": JANE}, headers=fields)
    call("GET", f"/users/{quote(raw, safe='')[:2000]}", headers=fields)
    call("GET", "/users/me", headers={**fields, b"authorization": b"Bearer " + raw})
    call("POST", "/login/complete", json={"email": JANE, "assertion": {"id": "x", "rawId": "x"}}, headers=fields)
    text = raw.decode("utf-8", "replace")
    call("POST", "/login/begin", json={"email": f"{text}@example.com", text: text})
    call("POST", "/register/begin", json=person(JANE, first_name=text, job_title=text))
    call("GET", f"/audit/events?contains={quote(raw)}&{quote(raw)}=1", headers=fields)


def write_as_insider(url: str) -> None:
    """Puts the texts into the table as they are, where the service would never have let them stand."""
    texts = [text for text in hostile.TEXTS if "\0" not in text]
    with closing(connect(url)) as connection:
        connection.execute("UPDATE instance SET maintenance = 1")
        # The end of a chain is looked at when the service starts.
        last = "SELECT max(seq) FROM audit_logs AS other WHERE other.writer_id = audit_logs.writer_id"
        rows = connection.execute(f"SELECT id FROM audit_logs WHERE seq < ({last}) ORDER BY id").fetchall()
        for number, (event_id,) in enumerate(rows):
            text = texts[number % len(texts)]
            connection.execute(
                "UPDATE audit_logs SET user_agent = ?, user_email = ?, details = ?, reason = ?, actor = ?,"
                " target_user_id = ?, request_id = ?, ip_address = ?, peer_address = ? WHERE id = ?",
                (text, texts[number // 4 % len(texts)], *[text] * 7, event_id),
            )
        connection.execute("UPDATE instance SET maintenance = 0")


@dataclass(frozen=True)
class Planted:
    """A directory whose service was visited, and the token of its admin."""

    directory: Path
    token: str
    is_raw: bool

    @property
    def url(self) -> str:
        """The database."""
        return f"sqlite:///{self.directory / 'app.db'}"

    def events(self) -> list[EventRecord]:
        """Every event, oldest first."""
        with closing(DatabaseSource(open_reader(self.url))) as source:
            return list(source.events(EventFilter(newest_first=False)))


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The directory of a service that a hostile client visited, behind a proxy that passes everything on."""
    directory = tmp_path_factory.mktemp("hostile")
    settings = load_settings(environ={}, cwd=directory, rate_limits=False, trusted_proxies=(ip_network(PEER),))
    instance = Instance(settings)
    jane = plant_everywhere(instance)
    assert instance.is_intact()
    instance.close()
    return directory, jane.token


@pytest.fixture(params=["by a client", "by an insider"])
def planted(
    request: pytest.FixtureRequest, visited: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Planted:
    """That directory, as the current one; or one like it whose table holds the texts as they are."""
    directory, token = visited
    is_raw = request.param == "by an insider"
    copy = Path(shutil.copytree(directory, tmp_path / "home"))
    found = Planted(copy, token, is_raw)
    if is_raw:
        write_as_insider(found.url)
    for name in (*FIELD_OF_VARIABLE, *FIELD_OF_FILE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(copy)
    return found


def test_everything_was_planted(visited: tuple[Path, str]) -> None:
    """Otherwise the tests below would look at nothing."""
    directory, token = visited
    events = Planted(directory, token, is_raw=False).events()
    agents = {event.user_agent for event in events}
    assert {clean_user_agent(text[:512]) for text in hostile.TEXTS} < agents
    assert {clean_user_agent(raw.decode("utf-8", "replace")) for raw in hostile.BYTES} < agents
    assert {f"{local_part}@example.com" for local_part in hostile.LOCAL_PARTS} < {event.user_email for event in events}
    details = "\n".join(event.details or "" for event in events)
    targets = {event.target_user_id for event in events}
    assert all(clean_details(name) in details for name in hostile.NAMES)
    assert {clean_identifier(text) for text in hostile.TEXTS if "/" not in text and len(text) < 100} <= targets


class Terminal(io.StringIO):
    """Says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def run(monkeypatch: pytest.MonkeyPatch, *words: str, stream: io.StringIO | None = None) -> str:
    """What a command answers. It may find something, and does not fail."""
    out, said = stream or io.StringIO(), io.StringIO()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        patched.setattr(sys, "stderr", said)
        patched.setenv("COLUMNS", "120")
        patched.setenv("TERM", "xterm-256color")
        with pytest.raises(SystemExit) as left:
            app(list(words))
    assert left.value.code in (0, 1), said.getvalue()
    hostile.require_harmless(said.getvalue())
    return out.getvalue()


Words = tuple[str, ...]

EVERYTHING: Words = ("--limit", "100000")
LISTINGS: tuple[Words, ...] = (
    ("audit", "list", *EVERYTHING),
    ("audit", "failed-logins", *EVERYTHING),
    ("audit", "denied", *EVERYTHING),
    ("audit", "user", JANE, *EVERYTHING),
    ("audit", "tail", *EVERYTHING),
)
"""What shows events one by one."""
QUESTIONS: tuple[Words, ...] = (
    *LISTINGS,
    ("audit", "multi-ip"),
    ("audit", "admin-access"),
    ("audit", "summary"),
    ("audit", "list", "--count-by", "user_agent,reason,user_email"),
    ("audit", "verify"),
    ("users", "list"),
    ("audit", "detect", "--threshold", "address-failures=3", "--threshold", "account-failures=3"),
)
"""Whatever shows what stands in events, in the formats of every command."""


@pytest.mark.parametrize("words", QUESTIONS, ids=" ".join)
def test_nothing_acts_on_a_terminal(planted: Planted, words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-CL-01: with and without colours, and in a pipe that may end on a terminal."""
    for colours in ("", "1"):
        monkeypatch.setenv("NO_COLOR", colours)
        text = hostile.without_styles(run(monkeypatch, *words, stream=Terminal()))
        assert text
        hostile.require_harmless(text)
    hostile.require_harmless(run(monkeypatch, *words))


def test_one_event_is_shown_harmless_and_whole(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-CL-01, R-LG-09: each text in the form of a record."""
    events = {event.user_agent: event for event in planted.events()}
    for event in list(events.values())[: len(hostile.TEXTS) + 3]:
        words = ("audit", "show", event.id)
        hostile.require_harmless(hostile.without_styles(run(monkeypatch, *words, stream=Terminal())))
        piped = run(monkeypatch, *words)
        hostile.require_harmless(piped)
        assert len(piped.splitlines()) == len(EventRecord._fields)
        for output_format in ("json", "jsonl"):
            text = run(monkeypatch, *words, "--format", output_format)
            hostile.require_harmless(text)
            hostile.require_exact([json.loads(text)], [event])
        text = run(monkeypatch, *words, "--format", "csv")
        hostile.require_harmless(text, line_end="\r\n")
        hostile.require_neutralised(hostile.csv_records(text), [event])


@pytest.mark.parametrize("email", [JANE, *(f"{local_part}@example.com" for local_part in hostile.LOCAL_PARTS)])
def test_what_is_held_about_a_person_is_harmless_and_exact(
    planted: Planted, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Account, passkeys and events; each record of them too."""
    hostile.require_harmless(run(monkeypatch, "users", "show", "--", email))
    text = run(monkeypatch, "users", "export", "--", email)
    hostile.require_harmless(text)
    hostile.require_exact(json.loads(text)["audit_events"], planted.events())


@pytest.mark.parametrize("words", LISTINGS, ids=" ".join)
def test_one_event_stays_one_line_in_a_pipe(planted: Planted, words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-LG-04."""
    events = hostile.json_lines(run(monkeypatch, *words, "--format", "jsonl"))
    assert events
    assert len(run(monkeypatch, *words).splitlines()) == len(events) + 1


@pytest.mark.parametrize("output_format", ["json", "jsonl"])
@pytest.mark.parametrize("words", QUESTIONS, ids=" ".join)
def test_json_is_harmless_and_exact(
    planted: Planted, words: Words, output_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-CL-01: what would act on a terminal is a JSON escape, and its value what is stored."""
    text = run(monkeypatch, *words, "--format", output_format)
    hostile.require_harmless(text)
    found = hostile.json_lines(text) if output_format == "jsonl" else json.loads(text)
    if words in LISTINGS:
        hostile.require_exact(found, planted.events())


@pytest.mark.parametrize("words", QUESTIONS, ids=" ".join)
def test_csv_is_harmless_and_no_formula(planted: Planted, words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-LG-09."""
    text = run(monkeypatch, *words, "--format", "csv")
    hostile.require_harmless(text, line_end="\r\n")
    records = hostile.csv_records(text)
    hostile.require_no_formula(records)
    if words in LISTINGS:
        hostile.require_neutralised(records, planted.events())


def test_findings_for_other_tools_are_harmless(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    text = run(monkeypatch, *QUESTIONS[-1], "--format", "sarif")
    hostile.require_harmless(text)
    assert json.loads(text)["runs"]


def exported(monkeypatch: pytest.MonkeyPatch, name: str) -> tuple[str, list[EventRecord]]:
    """The events in one of the formats for other programs, and what is stored of them."""
    events = Planted(Path(), "", is_raw=False).events()
    path = Path(f"exported.{name}")
    run(monkeypatch, "audit", "export", "--format", name, "--output", str(path))
    return path.read_bytes().decode(), events


@pytest.mark.usefixtures("planted")
def test_exported_json_lines_are_harmless_and_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-LG-09: the exact value, whatever a spreadsheet would make of it."""
    text, events = exported(monkeypatch, "jsonl")
    hostile.require_harmless(text)
    hostile.require_exact(hostile.json_lines(text), events)


@pytest.mark.usefixtures("planted")
def test_exported_csv_is_harmless_and_no_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-LG-09, V-43."""
    text, events = exported(monkeypatch, "csv")
    hostile.require_harmless(text, line_end="\r\n")
    hostile.require_neutralised(hostile.csv_records(text), events)


@pytest.mark.usefixtures("planted")
def test_an_exported_cef_line_has_the_fields_of_the_event_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the texts say of pipes, equals signs and keys."""
    text, events = exported(monkeypatch, "cef")
    hostile.require_harmless(text)
    stored = {event.id: event for event in events}
    found = hostile.cef_events(text)
    assert len(found) == len(events)
    for header, extension in found:
        event = stored[extension["externalId"]]
        assert header[0].startswith("CEF:0")
        assert header[4] == event.event_type
        assert extension.get("act") != "pwned"
        if event.details is not None and hostile.is_plain(event.details):
            assert extension["msg"] in (event.details, event.details.strip())


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("name", ["ecs", "ocsf"])
def test_an_exported_document_holds_the_texts_of_the_event_as_they_are(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, events = exported(monkeypatch, name)
    hostile.require_harmless(text)
    texts = {told for document in hostile.json_lines(text) for told in hostile.texts_in(document)}
    assert {event.id for event in events} <= texts
    assert {event.user_agent for event in events if event.user_agent} <= texts


@pytest.mark.usefixtures("planted")
def test_exported_parquet_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, "audit", "export", "--format", "parquet", "--output", "exported.parquet")
    with closing(duckdb.connect()) as engine:
        names = ("id", "user_agent", "details", "user_email", "target_user_id", "reason")
        rows = engine.execute(f"SELECT {', '.join(names)} FROM 'exported.parquet'").fetchall()
    events = {event.id: event for event in Planted(Path(), "", is_raw=False).events()}
    assert rows
    assert all(row == tuple(getattr(events[row[0]], name) for name in names) for row in rows)


@pytest.mark.parametrize("words", LISTINGS, ids=" ".join)
def test_what_was_archived_comes_out_as_harmless(
    visited: tuple[Path, str], tmp_path: Path, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(visited[0], tmp_path / "home"))
    monkeypatch.chdir(copy)
    before = Planted(copy, "", is_raw=False).events()
    run(monkeypatch, "audit", "archive", "--before", "0s", "--archive", "archive", "--yes")
    assert len(Planted(copy, "", is_raw=False).events()) < len(before)
    archived = (*words, "--archive", "archive")
    hostile.require_harmless(hostile.without_styles(run(monkeypatch, *archived, stream=Terminal())))
    text = run(monkeypatch, *archived, "--format", "jsonl")
    hostile.require_harmless(text)
    found = [one for one in hostile.json_lines(text) if one["id"] in {event.id for event in before}]
    hostile.require_exact(found, before)


def test_a_line_of_the_audit_file_is_one_event(visited: tuple[Path, str]) -> None:
    """R-LG-04: however what was planted is read, by lines of any kind of line break."""
    directory, token = visited
    text = (directory / "app.log").read_bytes().decode()
    hostile.require_harmless(text)
    hostile.require_exact(hostile.json_lines(text), Planted(directory, token, is_raw=False).events())


def test_answers_over_http_are_exact_and_one_line(planted: Planted) -> None:
    """R-LG-04: raw bytes of no character but those that JSON may hold, and no line break at all."""
    instance = Instance(load_settings(environ={}, cwd=planted.directory, rate_limits=False))
    try:
        headers = {"authorization": f"Bearer {planted.token}"}
        events = planted.events()
        answer = instance.call("GET", "/audit/events?limit=1000", headers=headers)
        assert not any(character < " " for character in answer.text)
        hostile.require_exact(answer.json()["events"], events)
        for text in hostile.TEXTS:
            asked = {"contains": text.replace("\0", "")[:500], "limit": "5"}
            assert instance.call("GET", "/audit/events", params=asked, headers=headers).status_code == 200
    finally:
        instance.close()
