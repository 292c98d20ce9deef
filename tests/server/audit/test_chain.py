"""What a MAC covers: everything, unambiguously, and personal values only through their digest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authctl.server.audit import chain
from authctl.server.storage.events import COLUMNS, EventRow

KEY = chain.derive_writer_key(b"k" * 32, "w1")
PERSONAL = ("user_email", "ip_address", "user_agent", "details", "peer_address")


def a_row(**changes: Any) -> EventRow:
    values: dict[str, Any] = {
        "id": "0190c0de-0000-7000-8000-000000000001",
        "event_type": "login_complete",
        "user_email": "jane@example.com",
        "user_id": "u1",
        "ip_address": "192.0.2.1",
        "user_agent": "agent",
        "success": 1,
        "details": "Jane logged in",
        "created_at": "2026-01-01 00:00:00.000000",
        "actor": None,
        "target_user_id": None,
        "reason": None,
        "request_id": "r1",
        "peer_address": "192.0.2.1",
        "writer_id": "w1",
        "seq": 2,
        "salt": b"s" * 16,
        "personal_digest": b"",
        "anchors": None,
        "signature": None,
        "mac": b"",
    }
    values |= changes
    if not values["personal_digest"] and values["salt"] is not None:
        values["personal_digest"] = chain.digest_personal(values["salt"], *(values[name] for name in PERSONAL))
    return tuple(values[name] for name in COLUMNS)


@pytest.mark.parametrize("column", [name for name in COLUMNS if name != "mac"])
def test_the_mac_differs_when_one_column_differs(column: str) -> None:
    """D-11."""
    other: Any = {"success": 0, "seq": 3, "salt": b"t" * 16, "personal_digest": b"d" * 32, "signature": b"x"}
    before = chain.compute_mac(KEY, a_row(), chain.START)
    after = chain.compute_mac(KEY, a_row(**{column: other.get(column, "other")}), chain.START)
    assert before != after


def test_the_mac_differs_when_the_row_before_or_the_writer_differs() -> None:
    row = a_row()
    assert chain.compute_mac(KEY, row, chain.START) != chain.compute_mac(KEY, row, b"p" * 32)
    other_key = chain.derive_writer_key(b"k" * 32, "w2")
    assert chain.compute_mac(KEY, row, chain.START) != chain.compute_mac(other_key, row, chain.START)


OPTIONAL = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


FIVE = st.tuples(OPTIONAL, OPTIONAL, OPTIONAL, OPTIONAL, OPTIONAL)


@given(FIVE, FIVE)
def test_two_rows_have_the_same_bytes_only_when_they_are_equal(
    one: tuple[str | None, ...], other: tuple[str | None, ...]
) -> None:
    names = ("actor", "target_user_id", "reason", "request_id", "anchors")
    first = a_row(**dict(zip(names, one, strict=True)))
    second = a_row(**dict(zip(names, other, strict=True)))
    assert (chain.encode_row(first) == chain.encode_row(second)) == (first == second)


@given(OPTIONAL, OPTIONAL)
def test_personal_values_cannot_move_between_columns(one: str | None, other: str | None) -> None:
    salt = b"s" * 16
    straight = chain.digest_personal(salt, one, other, None, None, None)
    crossed = chain.digest_personal(salt, other, one, None, None, None)
    assert (straight == crossed) == (one == other)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_row_is_written_as_any_json_library_would(text: str) -> None:
    """RFC 8785: the encoding does not depend on one library."""
    row = a_row(reason=text)
    expected = [
        1, row[14], row[15], row[0], row[1], row[6], row[8], row[3], row[9], row[10], text, row[12],
        row[17].hex(), None, None,
    ]  # fmt: skip
    written = json.dumps(expected, ensure_ascii=False, separators=(",", ":")).encode()
    assert chain.encode_row(row) == written


def test_erasing_a_person_keeps_the_mac() -> None:
    row = a_row()
    erased = a_row(**dict.fromkeys(PERSONAL), salt=None, personal_digest=row[17])
    assert chain.compute_mac(KEY, row, chain.START) == chain.compute_mac(KEY, erased, chain.START)
    assert chain.is_personal_part_intact(row)
    assert chain.is_personal_part_intact(erased)
    assert chain.is_erased(erased)
    assert not chain.is_erased(row)


@pytest.mark.parametrize("column", PERSONAL)
def test_a_personal_value_is_not_intact_when_it_was_changed_or_half_erased(column: str) -> None:
    row = a_row()
    assert not chain.is_personal_part_intact(a_row(**{column: "other"}, personal_digest=row[17]))
    only_salt = {"salt": None, "personal_digest": row[17]}
    assert not chain.is_personal_part_intact(a_row(**only_salt))


def test_equal_values_have_unequal_digests_in_different_rows() -> None:
    salts = {chain.new_salt() for _ in range(10)}
    assert len(salts) == 10
    assert all(len(salt) == 16 for salt in salts)
    assert len({chain.digest_personal(salt, "jane@example.com", *[None] * 4) for salt in salts}) == 10


def test_a_key_id_names_a_key_and_does_not_tell_it() -> None:
    assert chain.audit_key_id(b"a" * 32) == chain.audit_key_id(b"a" * 32)
    assert chain.audit_key_id(b"a" * 32) != chain.audit_key_id(b"b" * 32)
    assert len(chain.audit_key_id(b"a" * 32)) == 16
