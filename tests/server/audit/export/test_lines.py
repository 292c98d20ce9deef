"""CSV, JSON lines and CEF, to the byte."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import authctl
from authctl.commands._rendering import csv_line
from authctl.errors import UsageError
from authctl.server.audit.events import EventType
from authctl.server.audit.export.catalogue import FormatName, format_called, line_format
from authctl.server.audit.export.cef import Cef
from authctl.server.audit.export.csv import Csv
from authctl.server.audit.export.interface import FIELDS, time_of
from authctl.server.audit.export.jsonl import JsonLines
from authctl.server.audit.export.kinds import KINDS, Person, Weight, kind_of, parties, weight_of
from tests.server.audit.export.records import HOSTILE, a_record, hostile_records

ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\u3164]")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(HOSTILE)


def test_csv_has_names_first_and_records_of_rfc_4180() -> None:
    chosen = Csv()
    lines = chosen.head() + chosen.lines([a_record(), a_record(2, success=False, reason="user_disabled", details=None)])
    assert lines.decode() == (
        "id,created_at,event_type,success,reason,user_email,user_id,actor,target_user_id,ip_address,peer_address,"
        "user_agent,request_id,details,writer_id,seq\r\n"
        "01a20ce6-37ea-7958-a969-000000000001,2026-11-24T09:30:15.123456Z,login_complete,true,,jane@example.com,"
        "0b6d6d3e-7a34-4b0a-8f55-3c1e6b1f2a11,,,192.0.2.1,198.51.100.9,Mozilla/5.0 (X11; Linux),r1,"
        "User Jane Doe logged in from IP: 192.0.2.1,11111111-2222-4333-8444-555555555555,1\r\n"
        "01a20ce6-37ea-7958-a969-000000000002,2026-11-24T09:30:15.123456Z,login_complete,false,user_disabled,"
        "jane@example.com,0b6d6d3e-7a34-4b0a-8f55-3c1e6b1f2a11,,,192.0.2.1,198.51.100.9,Mozilla/5.0 (X11; Linux),r1,,"
        "11111111-2222-4333-8444-555555555555,2\r\n"
    )


def test_csv_is_what_the_command_line_writes_whatever_the_values() -> None:
    """R-LG-09, V-43."""
    for records in ([record] for record in hostile_records()):
        assert Csv().lines(records).decode() == _as_listed(records)
    assert Csv().lines(hostile_records()).decode() == _as_listed(hostile_records())


@given(st.lists(st.tuples(TEXTS, TEXTS, st.none() | TEXTS), min_size=1, max_size=5))
def test_csv_is_what_the_command_line_writes_for_any_text(texts: list[tuple[str, str, str | None]]) -> None:
    """R-LG-09."""
    records = [a_record(user_agent=agent, details=details, reason=reason) for agent, details, reason in texts]
    assert Csv().lines(records).decode() == _as_listed(records)


def _as_listed(records: list) -> str:  # type: ignore[type-arg]
    return "".join(csv_line({**record._asdict(), "created_at": time_of(record)}.values()) for record in records)


def test_no_field_of_csv_is_a_formula_or_acts_on_a_terminal() -> None:
    """R-LG-09, R-CL-01."""
    text = Csv().lines(hostile_records()).decode()
    assert not ACTS.search(text.replace("\r\n", "\n"))
    for row in csv.reader(io.StringIO(text, newline="")):
        assert len(row) == len(FIELDS)
        assert not [field for field in row if re.match(r"[\s\"']*[=+\-@]", field) and not field.startswith("'")]


def test_json_lines_hold_exact_values_in_the_order_of_the_columns() -> None:
    """R-LG-09: JSON lines keep the exact value."""
    for record, line in zip(hostile_records(), JsonLines().lines(hostile_records()).splitlines(), strict=True):
        content = json.loads(line)
        assert tuple(content) == FIELDS
        assert content == record._asdict() | {"created_at": "2026-11-24T09:30:15.123456Z"}


def test_json_lines_are_harmless_on_a_terminal() -> None:
    """R-CL-01."""
    text = JsonLines().lines(hostile_records()).decode()
    assert text.count("\n") == len(HOSTILE)
    assert not ACTS.search(text)
    assert "李" in text


def test_cef_has_a_header_and_the_standard_keys() -> None:
    line = Cef().lines([a_record(success=False, reason="signature_invalid")]).decode()
    assert line == (
        f"CEF:0|authctl|authctl|{authctl.__version__}|login_complete|Login completed|5|rt=1795512615123 "
        "externalId=01a20ce6-37ea-7958-a969-000000000001 act=login_complete outcome=failure reason=signature_invalid "
        "suser=jane@example.com suid=0b6d6d3e-7a34-4b0a-8f55-3c1e6b1f2a11 src=192.0.2.1 "
        "requestClientApplication=Mozilla/5.0 (X11; Linux) msg=User Jane Doe logged in from IP: 192.0.2.1 "
        "cs1Label=requestId cs1=r1 cs3Label=peerAddress cs3=198.51.100.9 "
        "cs4Label=writerId cs4=11111111-2222-4333-8444-555555555555 cn1Label=sequence cn1=1\n"
    )


def test_cef_escapes_by_two_rules() -> None:
    line = Cef().lines([a_record(event_type="a|b\\c=d\r\ne", user_agent="a|b\\c=d\r\ne")]).decode()
    header, extension = line.split("|1|", 1)
    assert header.endswith("|a\\|b\\\\c=d e|A\\|b\\\\c=d e")
    assert "requestClientApplication=a|b\\\\c\\=d\\r\\ne msg=" in extension


def test_cef_is_one_harmless_line_whatever_the_values() -> None:
    """R-LG-04, R-CL-01."""
    text = Cef().lines(hostile_records()).decode()
    assert text.count("\n") == len(HOSTILE)
    assert not ACTS.search(text)
    for line in text.splitlines():
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line.split(" externalId=", 1)[0])) == 7
        assert dict(re.findall(r"(?:^|[ |])(\w+)=((?:\\.|[^=\\])*?)(?=$| \w+=)", line))["outcome"] == "success"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("192.0.2.1", " src=192.0.2.1 "),
        ("2001:db8::1", " c6a2Label=Source IPv6 Address c6a2=2001:db8::1 "),
        ("nowhere", " shost=nowhere "),
    ],
)
def test_cef_puts_an_address_where_its_kind_belongs(address: str, said: str) -> None:
    assert said in Cef().lines([a_record(ip_address=address)]).decode()


def test_cef_leaves_out_what_is_not_there() -> None:
    line = Cef().lines([a_record(ip_address=None, user_email=None, user_id=None, actor="os:root(0)")]).decode()
    assert " suser=os:root(0) " in line
    assert "src=" not in line
    assert "suid=" not in line


@pytest.mark.parametrize("event_type", EventType)
def test_every_event_type_has_a_title_and_weights(event_type: EventType) -> None:
    kind = KINDS[event_type]
    assert kind.title[0].isupper()
    assert kind.failed >= kind.succeeded


def test_the_table_of_kinds_has_nothing_else() -> None:
    assert set(KINDS) == set(EventType)


def test_an_event_of_a_newer_program_is_named_by_its_type() -> None:
    assert kind_of("moon_landing").title == "Moon landing"
    assert weight_of(a_record(event_type="moon_landing", success=False)) is Weight.LOW


def test_the_operator_acts_on_the_user_of_an_account_change() -> None:
    record = a_record(event_type="user_disabled", actor="os:root(0)", user_email="jane@example.com", user_id="u1")
    assert parties(record) == (Person("os:root(0)", None), Person("jane@example.com", "u1"))


@pytest.mark.parametrize("event_type", ["credential_renamed", "credential_removed"])
@pytest.mark.parametrize(
    ("actor", "target", "acting", "concerned"),
    [
        ("u1", None, Person("jane@example.com", "u1"), Person()),
        ("os:root(0)", None, Person("os:root(0)", None), Person("jane@example.com", "u1")),
        ("u2", "u2", Person(None, "u2"), Person("jane@example.com", "u1")),
        (None, "u2", Person("jane@example.com", "u1"), Person(None, "u2")),
    ],
    ids=["their owner", "an operator", "an admin", "nobody known"],
)
def test_whoever_acts_on_a_passkey_is_told_from_whose_it_is(
    event_type: str, actor: str | None, target: str | None, acting: Person, concerned: Person
) -> None:
    record = a_record(event_type=event_type, user_id="u1", target_user_id=target, actor=actor)
    assert parties(record) == (acting, concerned)


def test_the_user_acts_on_whom_they_look_at() -> None:
    record = a_record(event_type="user_access", user_id="u1", target_user_id="u2", actor="u1")
    assert parties(record) == (Person("jane@example.com", "u1"), Person(None, "u2"))


@pytest.mark.parametrize("name", FormatName)
def test_every_format_of_lines_ends_each_event_with_a_line_break(name: FormatName) -> None:
    if name is FormatName.PARQUET:
        return
    chosen = line_format(name)
    assert chosen.name == name
    assert chosen.lines([a_record(1), a_record(2)]).count(b"\n") == 2


@pytest.mark.parametrize(("typed", "hint"), [("json", "did you mean jsonl?"), ("xml", "one of jsonl, csv")])
def test_an_unknown_format_suggests_the_nearest(typed: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        format_called(typed)
    assert (caught.value.hint or "").startswith(hint)
