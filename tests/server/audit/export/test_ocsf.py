"""The Open Cybersecurity Schema Framework, held against its published schema."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema  # type: ignore[import-untyped]

from authctl.server.audit.events import EventType
from authctl.server.audit.export.ocsf import PLACES, VERSION, Ocsf
from tests.server.audit.export.records import HOSTILE, a_record, hostile_records
from tests.server.audit.export.test_lines import ACTS


@cache
def schema() -> OcsfJsonSchemaEmbedded:
    return OcsfJsonSchemaEmbedded(get_ocsf_schema(VERSION))


@cache
def validator(class_uid: int) -> Draft202012Validator:
    found = schema()
    return Draft202012Validator(found.get_class_schema(found.lookup_class_name_from_uid(class_uid)))


def require_valid(document: dict[str, Any]) -> None:
    errors = [
        f"{error.json_path}: {error.message[:200]}" for error in validator(document["class_uid"]).iter_errors(document)
    ]
    assert errors == []


def ocsf(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Ocsf().lines([a_record(**changes)]))
    return document


NOBODY = {"user_email": None, "user_id": None, "ip_address": None, "peer_address": None, "user_agent": None}


@pytest.mark.parametrize("event_type", EventType)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"success": False, "reason": "user_disabled"},
        {**NOBODY, "actor": None, "details": None, "request_id": None, "target_user_id": None},
        {**NOBODY, "actor": "os:root(0)"},
        {"target_user_id": "u2", "actor": "u1", "ip_address": "2001:db8::1"},
        {"ip_address": "nowhere", "user_email": "jané@example.com"},
    ],
)
def test_every_event_type_is_valid_by_the_published_schema(event_type: EventType, changes: dict[str, Any]) -> None:
    document = ocsf(event_type=event_type.value, **changes)
    require_valid(document)
    assert document["metadata"]["version"] == VERSION
    assert document["type_uid"] == document["class_uid"] * 100 + document["activity_id"]


@pytest.mark.parametrize("event_type", EventType)
def test_names_of_class_and_activity_are_those_of_the_schema(event_type: EventType) -> None:
    event_class, activity, name = PLACES[event_type]
    raw = get_ocsf_schema(VERSION)
    found = next(one for one in raw["classes"].values() if one.get("uid") == event_class.uid)
    assert found["caption"] == event_class.name
    assert found["category_name"] == event_class.category
    if activity != 99:
        assert found["attributes"]["activity_id"]["enum"][str(activity)]["caption"] == name


def test_the_table_of_places_has_nothing_else() -> None:
    assert set(PLACES) == set(EventType)


def test_the_schema_refuses_what_it_does_not_know() -> None:
    document = ocsf()
    with pytest.raises(AssertionError, match="osint"):
        require_valid(document | {"osint": []})
    del document["user"]
    with pytest.raises(AssertionError, match="user"):
        require_valid(document)


def test_a_login_is_a_logon_of_its_user_from_its_address() -> None:
    document = ocsf(success=False, reason="signature_invalid")
    assert (document["class_uid"], document["activity_name"], document["time"]) == (3002, "Logon", 1795512615123)
    assert document["user"] == {
        "name": "jane@example.com",
        "uid": "0b6d6d3e-7a34-4b0a-8f55-3c1e6b1f2a11",
        "email_addr": "jane@example.com",
    }
    assert document["src_endpoint"] == {"ip": "192.0.2.1", "intermediate_ips": ["198.51.100.9"]}
    assert document["http_request"] == {"uid": "r1", "user_agent": "Mozilla/5.0 (X11; Linux)"}
    assert (document["status"], document["status_detail"], document["severity"]) == (
        "Failure",
        "signature_invalid",
        "Medium",
    )
    assert document["metadata"]["uid"] == "01a20ce6-37ea-7958-a969-000000000001"


@pytest.mark.parametrize(
    ("details", "activity"),
    [
        ("User Jane Doe changed from user to admin by os:root(0) from the command line", 1),
        ("User Jane Doe changed from admin to user by os:root(0) from the command line", 2),
        ("User x changed from user to admin by y changed from admin to user by os:root(0) from the command line", 2),
        (None, 99),
    ],
)
def test_a_role_change_gives_or_takes_privileges_whatever_the_user_is_called(
    details: str | None, activity: int
) -> None:
    document = ocsf(event_type="role_change", details=details, actor="os:root(0)")
    assert document["activity_id"] == activity
    assert document["actor"]["user"]["name"] == "os:root(0)"
    assert document["user"]["name"] == "jane@example.com"
    require_valid(document)


def test_an_event_of_a_newer_program_is_valid_too() -> None:
    document = ocsf(event_type="moon_landing")
    require_valid(document)
    assert document["metadata"]["event_code"] == "moon_landing"


def test_hostile_values_stay_exact_harmless_and_valid() -> None:
    """R-CL-01."""
    text = Ocsf().lines(hostile_records()).decode()
    assert not ACTS.search(text)
    documents = [json.loads(line) for line in text.splitlines()]
    assert [document["message"] for document in documents] == list(HOSTILE)
    for document in documents:
        require_valid(document)
