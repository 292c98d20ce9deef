"""The vocabulary is complete and speaks plainly."""

from __future__ import annotations

import pytest

from authctl.server.audit.events import Caller, EventType, origin_of

PROMISED = """
registration_begin registration_complete login_begin login_complete user_access token_rejected
credential_clone_suspected credential_begin credential_added credential_renamed credential_removed role_change
user_disabled user_enabled user_deleted user_export user_erased session_revoked
audit_query audit_export audit_prune audit_archive audit_repair checkpoint audit_gap database_reset rate_limited
server_start server_stop
"""


def test_every_promised_event_type_exists() -> None:
    assert {event_type.value for event_type in EventType} == set(PROMISED.split())


@pytest.mark.parametrize(
    ("address", "actor", "words"),
    [
        ("192.0.2.1", None, "from IP: 192.0.2.1"),
        ("2001:db8::1", "u1", "from IP: 2001:db8::1"),
        (None, "os:root(0)", "from the command line"),
        (None, None, "from an unknown address"),
        (None, "u1", "from an unknown address"),
    ],
)
def test_a_caller_is_described_by_where_the_call_came_from(address: str | None, actor: str | None, words: str) -> None:
    assert origin_of(Caller(address, address, None, None, actor)) == words
