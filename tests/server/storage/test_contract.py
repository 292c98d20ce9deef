"""What every database has to do alike: one suite, run on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from authctl.clock import FixedClock
from authctl.errors import AlreadyExists, StorageError, StorageUnavailable
from authctl.server.storage.engine import open_database
from authctl.server.storage.rows import make
from authctl.server.storage.tables import Challenge, LoginSession, User, WebauthnCredential

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authctl.server.storage.database import Database
    from authctl.server.storage.transaction import Transaction

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def store(any_url: str, clock: FixedClock) -> Iterator[Database]:
    opened = open_database(any_url, clock, create=True)
    yield opened
    opened.close()


def a_user(email: str = "jane@example.com", **changes: object) -> User:
    values: dict[str, object] = {
        "first_name": "Jane",
        "last_name": "Dœ",
        "email": email,
        "date_of_birth": datetime(1990, 1, 15, tzinfo=UTC),
        "job_title": "Engineer",
        "created_at": NOW,
        "user_handle": email.encode().ljust(64, b"\0"),
    }
    return make(User, **{**values, **changes})


def a_credential(user: User, credential_id: bytes = b"c" * 32, **changes: object) -> WebauthnCredential:
    values: dict[str, object] = {
        "user_id": user.id,
        "credential_id": credential_id,
        "public_key": b"\xa5\x01\x02",
        "created_at": NOW,
        "algorithm": -7,
        "aaguid": "00000000-0000-0000-0000-000000000000",
    }
    return make(WebauthnCredential, **{**values, **changes})


def a_challenge(name: bytes = b"x", seconds: int = 300, source: str = "192.0.2.1") -> Challenge:
    return make(
        Challenge,
        id=name.ljust(32, b"\0"),
        purpose="login",
        context="{}",
        source=source,
        created_at=NOW,
        expires_at=NOW + timedelta(seconds=seconds),
        boot_id="fixed",
        created_monotonic=1000.0,
    )


def test_a_user_comes_back_as_it_went_in(store: Database) -> None:
    user = a_user(disabled_at=NOW)
    store.write_now(lambda tx: tx.users.add(user))
    assert store.read_now(lambda tx: tx.users.by_id(user.id)) == user
    found = store.write_now(lambda tx: tx.users.by_email("jane@example.com"))
    assert found is not None
    assert found.model_dump() == user.model_dump()
    assert found.date_of_birth.tzinfo is not None


def test_nothing_comes_back_for_what_was_never_added(store: Database) -> None:
    def unit(tx: Transaction) -> tuple[object, ...]:
        return (
            tx.users.by_id("nobody"),
            tx.users.by_email("nobody@example.com"),
            tx.credentials.with_owner(b"none"),
            tx.sessions.with_user("none"),
            tx.challenges.take(b"none"),
            tx.limits.get("none"),
        )

    assert store.write_now(unit) == (None,) * 6


def test_an_email_is_taken_by_one_user_only_whatever_a_reader_saw_before(store: Database) -> None:
    """R-ST-04: the database decides, not a prior read."""
    store.write_now(lambda tx: tx.users.add(a_user()))
    with pytest.raises(AlreadyExists) as caught:
        store.write_now(lambda tx: tx.users.add(a_user(user_handle=b"h" * 64)))
    assert caught.value.constraint == "users.email"
    with pytest.raises(AlreadyExists) as caught:
        store.write_now(lambda tx: tx.users.add(a_user("john@example.com", user_handle=a_user().user_handle)))
    assert caught.value.constraint == "users.user_handle"


def test_a_credential_id_belongs_to_one_user_only(store: Database) -> None:
    """R-ST-04, R-WA-02."""
    jane, john = a_user(), a_user("john@example.com")

    def add_both(tx: Transaction) -> None:
        tx.users.add(jane)
        tx.users.add(john)
        tx.credentials.add(a_credential(jane))

    store.write_now(add_both)
    with pytest.raises(AlreadyExists) as caught:
        store.write_now(lambda tx: tx.credentials.add(a_credential(john)))
    assert caught.value.constraint == "webauthn_credentials.credential_id"
    found = store.write_now(lambda tx: tx.credentials.with_owner(b"c" * 32))
    assert found is not None
    assert found[1].email == "jane@example.com"


def test_credentials_are_found_by_email_and_by_user(store: Database) -> None:
    user = a_user()

    def unit(tx: Transaction) -> tuple[list[bytes], list[WebauthnCredential], int, list[bytes]]:
        tx.users.add(user)
        tx.credentials.add(a_credential(user, b"1" * 16))
        tx.credentials.add(a_credential(user, b"2" * 16, created_at=NOW + timedelta(seconds=1), backup_eligible=True))
        ids, rows = tx.credentials.ids_of_email(user.email), tx.credentials.of_user(user.id)
        return ids, rows, tx.credentials.delete_of_user(user.id), tx.credentials.ids_of_email(user.email)

    ids, rows, deleted, left = store.write_now(unit)
    assert ids == [b"1" * 16, b"2" * 16]
    assert [row.backup_eligible for row in rows] == [False, True]
    assert (deleted, left) == (2, [])


@pytest.mark.parametrize(
    ("stored", "new", "is_accepted"),
    [(0, 0, True), (0, 1, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False), (1, 0xFFFFFFFF, True)],
)
def test_the_sign_count_only_grows_or_stays_at_zero(store: Database, stored: int, new: int, is_accepted: bool) -> None:
    """R-WA-13."""
    user, credential = a_user(), None
    credential = a_credential(user, sign_count=stored)

    def unit(tx: Transaction) -> bool:
        tx.users.add(user)
        tx.credentials.add(credential)
        return tx.credentials.record_use(credential.id, sign_count=new, backup_state=True, user_verified=True, at=NOW)

    assert store.write_now(unit) is is_accepted
    after = store.read_now(lambda tx: tx.credentials.of_user(user.id))[0]
    assert after.sign_count == (new if is_accepted else stored)
    assert after.last_used_at == (NOW if is_accepted else None)


def test_a_challenge_is_taken_once_by_however_many(store: Database) -> None:
    """R-CH-02: of 40 threads, one gets it."""
    store.write_now(lambda tx: tx.challenges.add(a_challenge()))
    taken: list[Challenge | None] = []
    threads = [
        threading.Thread(target=lambda: taken.append(store.write_now(lambda tx: tx.challenges.take(a_challenge().id))))
        for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 40
    assert [one.expires_at for one in taken if one] == [NOW + timedelta(seconds=300)]


def test_challenges_are_counted_up_to_a_limit_and_swept_when_expired(store: Database, clock: FixedClock) -> None:
    def add(tx: Transaction) -> None:
        for index in range(6):
            tx.challenges.add(a_challenge(bytes([65 + index]), seconds=10 if index < 3 else 300))

    store.write_now(add)
    assert store.write_now(lambda tx: tx.challenges.count_of_source("192.0.2.1", 4)) == 4
    assert store.write_now(lambda tx: tx.challenges.count_of_source("192.0.2.9", 4)) == 0
    clock.advance(11)
    assert store.write_now(lambda tx: tx.challenges.count_of_source("192.0.2.1", 50)) == 3
    assert store.write_now(lambda tx: tx.challenges.delete_expired(2)) == 2
    assert store.write_now(lambda tx: (tx.challenges.delete_expired(99), tx.challenges.count())) == (1, 3)


def test_sessions_end_once_and_all_at_a_word(store: Database, clock: FixedClock) -> None:
    user = a_user()
    sessions = [
        make(LoginSession, user_id=user.id, credential_id="c", created_at=NOW, expires_at=NOW + timedelta(minutes=60))
        for _ in range(3)
    ]

    def add(tx: Transaction) -> None:
        tx.users.add(user)
        for session in sessions:
            tx.sessions.add(session)

    store.write_now(add)
    assert store.write_now(lambda tx: tx.sessions.end(sessions[0].id, "logout")) is True
    assert store.write_now(lambda tx: tx.sessions.end(sessions[0].id, "logout")) is False
    found = store.read_now(lambda tx: tx.sessions.with_user(sessions[0].id))
    assert found is not None
    assert (found[0].ended_at, found[0].ended_reason, found[1].id) == (NOW, "logout", user.id)
    assert store.write_now(lambda tx: tx.sessions.end_all_of_user(user.id, "disabled")) == 2
    assert {row.ended_reason for row in store.read_now(lambda tx: tx.sessions.of_user(user.id))} == {
        "logout",
        "disabled",
    }
    clock.advance(3601)
    assert store.write_now(lambda tx: tx.sessions.delete_expired(99)) == 3


def test_deleting_a_user_takes_credentials_and_sessions_along(store: Database) -> None:
    user = a_user()

    def unit(tx: Transaction) -> tuple[object, ...]:
        tx.users.add(user)
        tx.credentials.add(a_credential(user))
        tx.sessions.add(
            make(LoginSession, user_id=user.id, credential_id="c", created_at=NOW, expires_at=NOW + timedelta(hours=1))
        )
        tx.users.delete(user.id)
        return tx.users.all(), tx.credentials.of_user(user.id), tx.sessions.of_user(user.id)

    assert store.write_now(unit) == ([], [], [])


def test_roles_and_disabling_are_counted_for_the_last_admin(store: Database) -> None:
    users = [a_user(), a_user("john@example.com")]

    def unit(tx: Transaction) -> list[int]:
        counts = []
        for user in users:
            tx.users.add(user)
            tx.users.set_role(user.id, "admin")
            counts.append(tx.users.count_admins())
        tx.users.set_disabled(users[0].id, NOW)
        counts.append(tx.users.count_admins())
        tx.users.set_disabled(users[0].id, None)
        counts.append(tx.users.count_admins())
        return counts

    assert store.write_now(unit) == [1, 2, 1, 2]


def test_an_unknown_role_is_refused_by_the_database(store: Database) -> None:
    with pytest.raises(StorageError):
        store.write_now(lambda tx: tx.users.add(a_user(role="root")))


def test_a_limit_counts_within_its_window_and_starts_again_after_it(store: Database, clock: FixedClock) -> None:
    """R-RL-02: check and count are one step."""

    def hit(amount: int) -> tuple[int, int]:
        count, end = store.write_now(lambda tx: tx.limits.hit("k", amount, 60))
        return count, round(end - NOW.timestamp())

    assert [hit(1), hit(2)] == [(1, 60), (3, 60)]
    assert (store.write_now(lambda tx: tx.limits.get("k")) or (0, 0))[0] == 3
    clock.advance(61)
    assert store.write_now(lambda tx: tx.limits.get("k")) is None
    assert hit(1) == (1, 121)
    store.write_now(lambda tx: tx.limits.clear("k"))
    assert store.write_now(lambda tx: tx.limits.get("k")) is None
    store.write_now(lambda tx: tx.limits.hit("old", 1, 1))
    clock.advance(2)
    assert store.write_now(lambda tx: tx.limits.delete_expired(9)) == 1


def test_a_unit_that_raises_leaves_nothing_and_disturbs_nobody(store: Database) -> None:
    """R-LG-02: all or nothing."""

    def failing(tx: Transaction) -> None:
        tx.users.add(a_user("gone@example.com"))
        raise LookupError("no")

    async def both() -> tuple[object, ...]:
        return await asyncio.gather(
            store.write(lambda tx: tx.users.add(a_user("one@example.com"))),
            store.write(failing),
            store.write(lambda tx: tx.users.add(a_user("two@example.com"))),
            return_exceptions=True,
        )

    outcome = asyncio.run(both())
    assert [type(one) for one in outcome] == [type(None), LookupError, type(None)]
    emails = {user.email for user in store.read_now(lambda tx: tx.users.all())}
    assert emails == {"one@example.com", "two@example.com"}


def test_an_attempt_undoes_its_own_block_only(store: Database) -> None:
    def unit(tx: Transaction) -> str:
        tx.users.add(a_user())
        try:
            with tx.attempt():
                tx.users.add(a_user("half@example.com"))
                tx.users.add(a_user(user_handle=b"h" * 64))
        except AlreadyExists as error:
            tx.users.add(a_user("after@example.com"))
            return error.constraint
        return ""

    assert store.write_now(unit) == "users.email"
    emails = {user.email for user in store.read_now(lambda tx: tx.users.all())}
    assert emails == {"jane@example.com", "after@example.com"}


def test_reading_never_writes(store: Database) -> None:
    with pytest.raises(StorageUnavailable):
        store.read_now(lambda tx: tx.users.add(a_user()))
    assert store.read_now(lambda tx: tx.users.all()) == []


def test_reset_empties_every_table_and_keeps_the_instance(store: Database) -> None:
    def fill(tx: Transaction) -> None:
        tx.instance.add("me", '{"audit": "ab"}')
        tx.users.add(a_user())
        tx.challenges.add(a_challenge())
        tx.limits.hit("k", 1, 60)

    store.write_now(fill)

    def empty(tx: Transaction) -> int:
        tx.instance.empty_all_data()
        return tx.instance.bump_generation()

    assert store.write_now(empty) == 2

    def look(tx: Transaction) -> tuple[object, ...]:
        instance = tx.instance.load()
        return instance.instance_id, instance.generation, instance.maintenance, tx.users.all(), tx.challenges.count()

    assert store.read_now(look) == ("me", 2, 0, [], 0)


def test_text_that_looks_like_sql_is_text(store: Database) -> None:
    """R-IN-08."""
    hostile = "Robert'); DROP TABLE users;-- %_ \\ :x %(x)s é\u202e"
    user = a_user(first_name=hostile, job_title=hostile)
    store.write_now(lambda tx: tx.users.add(user))
    found = store.read_now(lambda tx: tx.users.by_email(user.email))
    assert found is not None
    assert (found.first_name, found.job_title) == (hostile, hostile)


def test_two_openings_of_one_database_see_each_other(any_url: str, store: Database) -> None:
    """Several workers and instances share one database."""
    other = open_database(any_url)
    other.write_now(lambda tx: tx.users.add(a_user()))
    assert store.read_now(lambda tx: len(tx.users.all())) == 1
    assert store.write_now(lambda tx: tx.users.by_email("jane@example.com")) is not None
    other.close()


def test_a_closed_database_says_so(store: Database) -> None:
    store.close()
    with pytest.raises(StorageUnavailable):
        store.write_now(lambda tx: tx.users.all())


def test_two_operators_at_once_never_leave_no_admin(store: Database) -> None:
    """R-CL-04: the count holds until the transaction ends."""
    users = [a_user(), a_user("john@example.com")]

    def add(tx: Transaction) -> None:
        for user in users:
            tx.users.add(user)
            tx.users.set_role(user.id, "admin")

    def demote(user: User) -> Any:
        def unit(tx: Transaction) -> None:
            if tx.users.count_admins() > 1:
                time.sleep(0.05)
                tx.users.set_role(user.id, "user")

        return unit

    async def both() -> None:
        await asyncio.gather(*(store.write(demote(user)) for user in users))

    store.write_now(add)
    asyncio.run(both())
    assert store.write_now(lambda tx: tx.users.count_admins()) == 1


def test_a_login_under_way_is_ended_too_when_its_user_is_disabled(store: Database) -> None:
    """R-TK-07."""
    user = a_user()
    session = make(
        LoginSession, user_id=user.id, credential_id="c", created_at=NOW, expires_at=NOW + timedelta(hours=1)
    )

    def add(tx: Transaction) -> None:
        tx.users.add(user)
        tx.credentials.add(a_credential(user))

    def log_in(tx: Transaction) -> None:
        assert tx.credentials.with_owner(b"c" * 32) is not None
        has_looked.set()
        time.sleep(0.1)
        tx.sessions.add(session)

    def disable(tx: Transaction) -> int:
        tx.users.set_disabled(user.id, tx.now)
        return tx.sessions.end_all_of_user(user.id, "disabled")

    store.write_now(add)
    has_looked = threading.Event()
    login = threading.Thread(target=lambda: store.write_now(log_in))
    login.start()
    assert has_looked.wait(5)
    assert store.write_now(disable) == 1
    login.join()
