"""The Elastic Common Schema."""

from __future__ import annotations

import json
import logging
from typing import Any

import ecs_logging
import pytest

import authctl
from authctl.server.audit.events import EventType
from authctl.server.audit.export.ecs import PLACES, VERSION, Ecs
from tests.server.audit.export.records import HOSTILE, a_record, hostile_records
from tests.server.audit.export.test_lines import ACTS

# What the schema's reference expects of event.type for each event.category, as far as we use them.
EXPECTED_TYPES = {
    "api": {"access", "admin", "allowed", "change", "creation", "deletion", "denied", "end", "info", "start", "user"},
    "authentication": {"start", "end", "info"},
    "database": {"access", "change", "info", "error"},
    "file": {"access", "change", "creation", "deletion", "info"},
    "iam": {"admin", "change", "creation", "deletion", "group", "info", "user"},
    "intrusion_detection": {"allowed", "denied", "info"},
    "process": {"access", "change", "end", "info", "start"},
    "session": {"start", "end", "info"},
}


def ecs(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Ecs().lines([a_record(**changes)]))
    return document


def test_a_login_as_a_whole() -> None:
    assert ecs(success=False, reason="signature_invalid") == {
        "@timestamp": "2026-11-24T09:30:15.123456Z",
        "message": "User Jane Doe logged in from IP: 192.0.2.1",
        "ecs": {"version": "8.17.0"},
        "event": {
            "id": "01a20ce6-37ea-7958-a969-000000000001",
            "kind": "event",
            "category": ["authentication"],
            "type": ["start"],
            "action": "login_complete",
            "outcome": "failure",
            "reason": "signature_invalid",
            "severity": 2,
            "sequence": 1,
            "provider": "authctl",
            "module": "authctl",
            "dataset": "authctl.audit",
        },
        "service": {"name": "authctl", "type": "authctl", "version": authctl.__version__},
        "user": {
            "id": "0b6d6d3e-7a34-4b0a-8f55-3c1e6b1f2a11",
            "name": "jane@example.com",
            "email": "jane@example.com",
        },
        "source": {"ip": "192.0.2.1", "address": "192.0.2.1"},
        "user_agent": {"original": "Mozilla/5.0 (X11; Linux)"},
        "http": {"request": {"id": "r1"}},
        "related": {
            "user": ["jane@example.com", "0b6d6d3e-7a34-4b0a-8f55-3c1e6b1f2a11"],
            "ip": ["192.0.2.1", "198.51.100.9"],
        },
        "authctl": {"peer_address": "198.51.100.9", "writer_id": "11111111-2222-4333-8444-555555555555"},
    }


@pytest.mark.parametrize("event_type", EventType)
@pytest.mark.parametrize("success", [True, False])
def test_every_event_type_has_categories_and_types_that_fit_together(event_type: EventType, success: bool) -> None:
    event = ecs(event_type=event_type.value, success=success)["event"]
    assert event["kind"] in {"event", "alert"}
    allowed = set[str]().union(*(EXPECTED_TYPES[category] for category in event["category"]))
    assert set(event["type"]) <= allowed
    for category in event["category"]:
        assert EXPECTED_TYPES[category] & set(event["type"]), category


def test_the_table_of_places_has_nothing_else() -> None:
    assert set(PLACES) == set(EventType)


def test_an_event_of_a_newer_program_still_has_a_place() -> None:
    assert ecs(event_type="moon_landing")["event"]["action"] == "moon_landing"


def test_an_access_is_allowed_or_denied() -> None:
    assert ecs(event_type="user_access")["event"]["type"] == ["user", "access", "allowed"]
    assert ecs(event_type="user_access", success=False)["event"]["type"] == ["user", "access", "denied"]


def test_whom_an_operator_acts_on_is_the_target() -> None:
    user = ecs(event_type="role_change", actor="os:root(0)")["user"]
    assert user["name"] == "os:root(0)"
    assert user["target"]["email"] == "jane@example.com"
    assert "email" not in user


def test_what_is_no_address_is_not_in_a_field_for_addresses() -> None:
    document = ecs(ip_address="nowhere", peer_address="fe80::1%eth0")
    assert document["source"] == {"address": "nowhere"}
    assert document["related"]["ip"] == ["fe80::1"]


def test_the_reference_formatter_nests_the_same_fields_in_the_same_way() -> None:
    """Against Elastic's own library."""
    ours = ecs()
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "User Jane Doe logged in", None, None)
    for name, value in ours.items():
        if name not in {"@timestamp", "message", "ecs"}:
            setattr(record, name, value)
    theirs = json.loads(ecs_logging.StdlibFormatter().format(record))
    for name in ("event", "user", "source", "user_agent", "http", "related", "service"):
        assert theirs[name] == ours[name]
    assert set(ours) - {"ecs"} <= set(theirs)
    assert ours["ecs"]["version"] == VERSION > theirs["ecs.version"]


def test_hostile_values_stay_exact_and_harmless() -> None:
    """R-CL-01."""
    text = Ecs().lines(hostile_records()).decode()
    assert not ACTS.search(text)
    agents = [json.loads(line).get("user_agent", {}).get("original") for line in text.splitlines()]
    assert agents == list(HOSTILE)
