"""`authctl users passkeys` and `remove-passkey`: what an operator sees of a person's passkeys, and takes away."""

from __future__ import annotations

import csv
import io
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from authctl.commands._fitting import layout_of
from authctl.commands._views import CREDENTIAL_COLUMNS, credential_row
from authctl.server.storage.tables import LoginSession, WebauthnCredential
from tests.commands.conftest import LONG_AGO, Home

if TYPE_CHECKING:
    from authctl.server.storage.tables import User
    from authctl.server.storage.transaction import Transaction

JANE = "jane@example.com"
APPLE = "fbfc3007-154e-4ecc-8c0b-6e020557d7bd"
KEYS = [
    "id", "name", "removed_at", "last_used_at", "created_at", "authenticator", "algorithm", "backed_up",
    "backup_eligible", "transports", "aaguid", "credential_id", "source_address",
]  # fmt: skip


def add_passkey(home: Home, user: User, number: int, **members: Any) -> WebauthnCredential:
    """A passkey of a user; higher numbers are younger."""
    given: dict[str, Any] = {
        "name": f"Key {number}",
        "aaguid": APPLE,
        "credential_id": bytes([250 + number]) * 16,
        **members,
    }
    credential = WebauthnCredential(
        user_id=user.id,
        public_key=b"key",
        created_at=LONG_AGO + timedelta(days=number),
        algorithm=-7,
        transports='["internal", "hybrid"]',
        **given,
    )
    kept = credential.model_copy()
    with home.service() as service:
        service.database.write_now(lambda tx: tx.credentials.add(credential))
    return kept


@pytest.fixture
def jane(home: Home) -> User:
    """Somebody with an account."""
    return home.add_user(JANE)


def removed(home: Home) -> list[bool]:
    """Of each passkey, oldest first, whether it was removed."""
    rows = json.loads(home.run("users", "passkeys", JANE, "--all", "--format", "json").stdout)
    return [row["removed_at"] is not None for row in rows]


def test_a_persons_passkeys_are_listed_oldest_first(home: Home, jane: User) -> None:
    second, first = add_passkey(home, jane, 2), add_passkey(home, jane, 1)
    result = home.run("users", "passkeys", JANE.upper())
    heading, *lines = result.stdout.splitlines()
    assert (result.exit_code, heading.split()[:2]) == (0, ["Id", "Name"])
    assert [line.split()[0] for line in lines] == [first.id, second.id]
    assert "Apple Passwords" in lines[0]


def test_programs_get_every_member_in_each_format(home: Home, jane: User) -> None:
    key = add_passkey(home, jane, 1, source_address="192.0.2.7")
    (row,) = json.loads(home.run("users", "passkeys", JANE, "--format", "json").stdout)
    assert list(row) == KEYS
    assert row["credential_id"] == urlsafe_b64encode(key.credential_id).rstrip(b"=").decode()
    assert (row["authenticator"], row["algorithm"], row["transports"]) == (
        "Apple Passwords",
        "ES256",
        ["internal", "hybrid"],
    )
    assert (row["removed_at"], row["source_address"]) == (None, "192.0.2.7")
    assert json.loads(home.run("users", "passkeys", JANE, "--format", "jsonl").stdout) == row
    text = home.run("users", "passkeys", JANE, "--format", "csv").stdout
    (line,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (list(line), line["id"]) == (KEYS, row["id"])


def test_a_terminal_of_80_columns_shows_id_and_name(home: Home, jane: User) -> None:
    """The id is whole, for it is what remove-passkey is given."""
    row = credential_row(add_passkey(home, jane, 1, name="x" * 100))
    columns = [column for column in CREDENTIAL_COLUMNS if column.heading]
    lines = [[column.heading for column in columns], [str(row[column.key] or "-") for column in columns]]
    layout = layout_of(lines, columns, 80)
    shown = (" " * layout.gap).join(text for _, text in layout.cells(lines[1]))
    assert shown.startswith(f"{row['id']} xxx")
    assert len(shown) <= 80


def test_a_terminal_of_80_columns_tells_removed_passkeys_from_others(home: Home, jane: User) -> None:
    row = {**credential_row(add_passkey(home, jane, 1)), "removed_at": "2026-11-24 13:00:00Z"}
    columns = [column for column in CREDENTIAL_COLUMNS if column.heading]
    lines = [[column.heading for column in columns], [str(row[column.key] or "-") for column in columns]]
    layout = layout_of(lines, columns, 80)
    assert "2026-11-24 13:00:00Z" in [text.strip() for _, text in layout.cells(lines[1])]


def test_a_hostile_name_is_harmless_in_every_answer_and_question(home: Home, jane: User) -> None:
    """R-CL-01."""
    key = add_passkey(home, jane, 1, name="\x1b]0;pwned\x07=1+1")
    add_passkey(home, jane, 2)
    for output_format in ("table", "csv", "json", "jsonl"):
        assert "\x1b" not in home.run("users", "passkeys", JANE, "--format", output_format).stdout
    result = home.run("users", "remove-passkey", JANE, key.id, typed="y\n")
    assert result.exit_code == 0
    assert "\x1b" not in result.output


def test_there_may_be_none(home: Home, jane: User) -> None:
    result = home.run("users", "passkeys", JANE)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"{JANE} has no passkeys.\n")


@pytest.mark.parametrize("words", [("passkeys",), ("remove-passkey", "--yes")])
def test_an_unknown_person_is_not_found(home: Home, jane: User, words: tuple[str, ...]) -> None:
    more = ("x",) if len(words) > 1 else ()
    result = home.run("users", *words, "john@example.com", *more)
    assert result.exit_code == 3
    assert "authctl users list" in result.stderr


@pytest.mark.parametrize("form", ["id", "credential id", "credential id, padded"])
def test_a_passkey_is_removed_by_either_of_its_ids(home: Home, jane: User, form: str) -> None:
    first = add_passkey(home, jane, 1)
    add_passkey(home, jane, 2)
    encoded = urlsafe_b64encode(first.credential_id).decode()
    which = {"id": first.id, "credential id": encoded.rstrip("="), "credential id, padded": encoded}[form]
    result = home.run("users", "remove-passkey", JANE, "--yes", "--", which)
    assert (result.exit_code, result.stdout) == (0, f'"Key 1" of {JANE} is removed, 0 sessions ended\n')
    assert removed(home) == [True, False]
    (row,) = json.loads(home.run("users", "passkeys", JANE, "--format", "json").stdout)
    assert row["name"] == "Key 2"
    (event,) = home.events("credential_removed")
    assert (event.success, event.user_email, event.user_id, event.target_user_id) == (True, JANE, jane.id, None)
    assert event.actor is not None
    assert event.details == (
        f'Passkey "Key 1" ({first.id}) of user Jane Doe removed with 0 sessions by {event.actor} from the command line'
    )


def test_the_sessions_of_a_removed_passkey_end(home: Home, jane: User) -> None:
    first, second = add_passkey(home, jane, 1), add_passkey(home, jane, 2)
    later = datetime(2999, 1, 1, tzinfo=UTC)
    with home.service() as service:
        for key in (first, first, second):
            session = LoginSession(user_id=jane.id, credential_id=key.id, created_at=LONG_AGO, expires_at=later)
            service.database.write_now(partial(_add_session, session=session))
    result = home.run("users", "remove-passkey", JANE, first.id, "--yes", "--format", "json")
    row = json.loads(result.stdout)
    assert (row["id"], row["sessions_ended"], row["removed_at"] is None) == (first.id, 2, False)
    with home.service() as service:
        sessions = service.database.read_now(lambda tx: tx.sessions.of_user(jane.id))
    assert {(one.credential_id, one.ended_reason) for one in sessions} == {
        (first.id, "credential_removed"),
        (second.id, None),
    }


def _add_session(tx: Transaction, *, session: LoginSession) -> None:
    tx.sessions.add(session)


def test_the_last_passkey_is_refused_with_the_way_out(home: Home, jane: User) -> None:
    only = add_passkey(home, jane, 1)
    result = home.run("users", "remove-passkey", JANE, only.id, "--yes")
    assert result.exit_code == 4
    assert "only passkey" in result.stderr
    assert f"authctl users disable {JANE}" in result.stderr
    assert removed(home) == [False]
    (event,) = home.events("credential_removed")
    assert (event.success, event.reason, event.user_email) == (False, "last_credential", JANE)


def test_a_passkey_that_is_unknown_removed_or_another_persons_is_not_found(home: Home, jane: User) -> None:
    keys = [add_passkey(home, jane, number) for number in (1, 2, 3)]
    john = home.add_user("john@example.com")
    his = add_passkey(home, john, 4)
    add_passkey(home, john, 5)
    assert home.run("users", "remove-passkey", JANE, keys[0].id, "--yes").exit_code == 0
    for which in (keys[0].id, his.id, "x", "", "="):
        result = home.run("users", "remove-passkey", JANE, which, "--yes")
        assert result.exit_code == 3, which
        assert f"authctl users passkeys {JANE}" in result.stderr
    assert removed(home) == [True, False, False]


@pytest.mark.parametrize(("typed", "exit_code"), [("n\n", 4), ("", 2), ("y\n", 0)])
def test_it_asks_before_it_removes(home: Home, jane: User, typed: str, exit_code: int) -> None:
    first = add_passkey(home, jane, 1)
    add_passkey(home, jane, 2)
    result = home.run("users", "remove-passkey", JANE, first.id, typed=typed)
    assert result.exit_code == exit_code
    assert f'Remove the passkey "Key 1" of {JANE}' in result.stderr
    assert removed(home) == [exit_code == 0, False]


def test_an_export_shows_names_and_an_erasure_leaves_none(home: Home, jane: User) -> None:
    """Right of access, right to erasure: also of a passkey that was removed."""
    first = add_passkey(home, jane, 1, name="Unmistakable")
    add_passkey(home, jane, 2)
    assert home.run("users", "remove-passkey", JANE, first.id, "--yes").exit_code == 0
    held = json.loads(home.run("users", "export", JANE).stdout)
    assert [(one["name"], one["removed_at"] is None) for one in held["credentials"]] == [
        ("Unmistakable", False),
        ("Key 2", True),
    ]
    assert home.run("users", "erase", JANE, "--yes").exit_code == 0
    for path in home.path.iterdir():
        if path.is_file():
            assert b"Unmistakable" not in path.read_bytes(), path
