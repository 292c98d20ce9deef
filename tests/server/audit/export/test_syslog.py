"""Syslog messages by RFC 5424."""

from __future__ import annotations

import re

import pytest

import authctl
from authctl.server.audit.export.syslog import LARGEST_DATAGRAM, datagram, message, octet_counted
from tests.server.audit.export.records import HOSTILE, a_record
from tests.server.audit.export.test_lines import ACTS

RFC_5424 = re.compile(
    rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) "
    rb'((?:\[[!-~]+(?: [!-~]+="(?:\\["\\\]]|[^"\\\]])*")*\])+) (.*)\Z',
    re.DOTALL,
)


def test_a_message_as_a_whole() -> None:
    found = RFC_5424.match(message(a_record(success=False, reason="signature_invalid"), b"payload"))
    assert found is not None
    priority, time, host, app, process, kind, data, payload = found.groups()
    assert (priority, time, app, kind) == (b"108", b"2026-11-24T09:30:15.123456Z", b"authctl", b"login_complete")
    assert process == b"11111111-2222-4333-8444-555555555555"
    assert host
    assert data.decode() == (
        f'[origin software="authctl" swVersion="{authctl.__version__}"][authctl@32473 '
        'id="01a20ce6-37ea-7958-a969-000000000001" event="login_complete" outcome="failure" '
        'reason="signature_invalid" writer="11111111-2222-4333-8444-555555555555" seq="1"]'
    )
    assert payload == b"payload"


@pytest.mark.parametrize(
    ("event_type", "success", "priority"),
    [
        ("login_complete", True, 13 * 8 + 6),
        ("login_complete", False, 13 * 8 + 4),
        ("user_disabled", True, 13 * 8 + 5),
        ("credential_clone_suspected", False, 13 * 8 + 2),
    ],
)
def test_the_severity_follows_what_happened(event_type: str, success: bool, priority: int) -> None:
    assert message(a_record(event_type=event_type, success=success), b"").startswith(b"<%d>1 " % priority)


@pytest.mark.parametrize("text", HOSTILE)
def test_structured_data_holds_whatever_the_values(text: str) -> None:
    """R-LG-04."""
    frame = message(a_record(reason=text, event_type=text, writer_id=text), b"x")
    assert RFC_5424.match(frame)
    assert not ACTS.search(frame.decode())


def test_text_that_is_not_ascii_says_that_it_is_utf_8() -> None:
    assert message(a_record(), "héllo".encode()).endswith(b"] \xef\xbb\xbfh\xc3\xa9llo")
    assert message(a_record(), b"hello").endswith(b"] hello")


def test_a_stream_is_framed_by_counting_octets() -> None:
    assert octet_counted("é!".encode()) == b"3 \xc3\xa9!"


def test_a_datagram_that_is_too_long_is_cut_with_a_mark_and_within_no_character() -> None:
    assert datagram(b"x" * LARGEST_DATAGRAM) == b"x" * LARGEST_DATAGRAM
    cut = datagram("é".encode() * LARGEST_DATAGRAM)
    assert len(cut) <= LARGEST_DATAGRAM
    assert cut.decode().endswith("é [cut]")
