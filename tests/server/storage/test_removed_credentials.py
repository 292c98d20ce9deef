"""Names and ends of credentials in the store, and those who change an account one after the other."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from authctl.clock import FixedClock
from authctl.errors import AlreadyExists
from authctl.server.storage.engine import open_database
from authctl.server.storage.rows import make
from authctl.server.storage.tables import LoginSession
from tests.server.storage.test_contract import NOW, a_credential, a_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.storage.database import Database
    from authctl.server.storage.transaction import Transaction

JANE = a_user()
FIRST, SECOND = a_credential(JANE, b"1" * 16), a_credential(JANE, b"2" * 16, created_at=NOW + timedelta(seconds=1))


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at the time of the rows."""
    return FixedClock(NOW)


@pytest.fixture
def store(any_url: str, clock: FixedClock) -> Iterator[Database]:
    """A store of each kind, with a user who has two credentials."""
    database = open_database(any_url, clock, create=True)

    def fill(tx: Transaction) -> None:
        tx.users.add(JANE)
        tx.credentials.add(FIRST)
        tx.credentials.add(SECOND)

    database.write_now(fill)
    yield database
    database.close()


def test_a_credential_that_was_removed_stays_as_a_record_and_nothing_else(store: Database) -> None:
    """R-WA-24."""
    assert store.write_now(lambda tx: tx.credentials.remove(FIRST.id, NOW)) is True
    assert store.write_now(lambda tx: tx.credentials.remove(FIRST.id, NOW + timedelta(days=1))) is False
    assert [one.removed_at for one in store.read_now(lambda tx: tx.credentials.of_user(JANE.id))] == [NOW, None]
    assert [one.id for one in store.read_now(lambda tx: tx.credentials.live_of_user(JANE.id))] == [SECOND.id]
    assert store.read_now(lambda tx: tx.credentials.ids_of_email(JANE.email)) == [SECOND.credential_id]
    found = store.write_now(lambda tx: tx.credentials.with_owner(FIRST.credential_id))
    assert found is not None
    assert found[0].removed_at == NOW
    assert store.read_now(lambda tx: [tx.credentials.is_removed(one.id) for one in (FIRST, SECOND)]) == [True, False]


def test_a_credential_that_was_removed_is_not_used_and_its_id_not_given_again(store: Database) -> None:
    store.write_now(lambda tx: tx.credentials.remove(FIRST.id, NOW))

    def use(tx: Transaction) -> bool:
        return tx.credentials.record_use(FIRST.id, sign_count=9, backup_state=False, user_verified=True, at=NOW)

    assert store.write_now(use) is False
    again = a_credential(JANE, FIRST.credential_id)
    with pytest.raises(AlreadyExists) as caught:
        store.write_now(lambda tx: tx.credentials.add(again))
    assert caught.value.constraint == "webauthn_credentials.credential_id"


def test_a_credential_keeps_the_name_it_is_given(store: Database) -> None:
    assert store.read_now(lambda tx: tx.credentials.live_of_user(JANE.id))[0].name == "Passkey"
    store.write_now(lambda tx: tx.credentials.rename(FIRST.id, "Schlüssel 🔑"))
    names = [one.name for one in store.read_now(lambda tx: tx.credentials.live_of_user(JANE.id))]
    assert names == ["Schlüssel 🔑", "Passkey"]


def test_only_live_sessions_of_one_credential_end(store: Database) -> None:
    later, earlier = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    sessions = [
        make(LoginSession, user_id=JANE.id, credential_id=credential_id, created_at=NOW, expires_at=expires_at)
        for credential_id, expires_at in ((FIRST.id, later), (FIRST.id, earlier), (SECOND.id, later))
    ]

    def end(tx: Transaction) -> int:
        for session in sessions:
            tx.sessions.add(session)
        return tx.sessions.end_all_of_credential(JANE.id, FIRST.id, "credential_removed")

    assert store.write_now(end) == 1
    found = {one.id: one.ended_reason for one in store.read_now(lambda tx: tx.sessions.of_user(JANE.id))}
    assert found == dict(zip((one.id for one in sessions), ("credential_removed", None, None), strict=True))


def test_whoever_holds_an_account_makes_the_next_one_wait(store: Database) -> None:
    """The second sees what the first has left."""
    is_held = threading.Event()
    seen: list[str] = []

    def first(tx: Transaction) -> None:
        assert tx.users.hold(JANE.id) is not None
        is_held.set()
        time.sleep(0.1)
        tx.credentials.remove(FIRST.id, NOW)

    def second(tx: Transaction) -> None:
        tx.users.hold(JANE.id)
        seen.extend(one.id for one in tx.credentials.live_of_user(JANE.id))

    holder = threading.Thread(target=lambda: store.write_now(first))
    holder.start()
    assert is_held.wait(5)
    store.write_now(second)
    holder.join()
    assert seen == [SECOND.id]


def test_a_login_that_read_its_credential_before_the_removal_is_refused_after_it(store: Database) -> None:
    """R-WA-24: the compare-and-set of the count sees the removal."""
    is_held = threading.Event()
    outcome: list[bool] = []

    def remove(tx: Transaction) -> None:
        tx.users.hold(JANE.id)
        is_held.set()
        time.sleep(0.1)
        tx.credentials.remove(FIRST.id, NOW)

    def log_in(tx: Transaction) -> None:
        assert tx.credentials.with_owner(FIRST.credential_id) is not None
        outcome.append(
            tx.credentials.record_use(FIRST.id, sign_count=1, backup_state=False, user_verified=True, at=NOW)
        )
        outcome.append(tx.credentials.is_removed(FIRST.id))

    remover = threading.Thread(target=lambda: store.write_now(remove))
    remover.start()
    assert is_held.wait(5)
    store.write_now(log_in)
    remover.join()
    assert outcome == [False, True]


def test_nobody_is_held_who_is_not_there(store: Database) -> None:
    assert store.write_now(lambda tx: tx.users.hold("nobody")) is None
