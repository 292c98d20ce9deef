"""What every store promises, in memory and in a file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from authctl.virtual_authenticator import ES256, Credential, CredentialStore, FileStore, MemoryStore, SystemRandom
from authctl.virtual_authenticator.authenticator.counters import GLOBAL, PER_CREDENTIAL, CounterPolicy
from authctl.virtual_authenticator.authenticator.keys import CredentialKey
from authctl.virtual_authenticator.credential_store.interface import Imported
from authctl.virtual_authenticator.errors import StoreConflict

if TYPE_CHECKING:
    from pathlib import Path

KEY = CredentialKey.generate(ES256, SystemRandom())
START = datetime(2026, 1, 1, tzinfo=UTC)


def credential(number: int, *, handle: bytes | None = None, rp_id: str = "localhost", **changes: object) -> Credential:
    values: dict[str, object] = {
        "credential_id": b"id-%d" % number,
        "rp_id": rp_id,
        "user_handle": handle or b"user-%d" % number,
        "user_name": f"user{number}@example.com",
        "user_display_name": "Üser",
        "key": KEY,
        "counter": PER_CREDENTIAL,
        "created_at": START + timedelta(seconds=number),
        **changes,
    }
    return Credential(**values)  # type: ignore[arg-type]  # built from a table


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CredentialStore:
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path / "passkeys.json")


def ids(found: list[Credential]) -> list[bytes]:
    return [each.credential_id for each in found]


def test_a_new_store_is_empty(store: CredentialStore) -> None:
    assert store.all() == []
    assert store.shared_count() == 0
    assert store.candidates("localhost", None) == []
    assert store.candidates("localhost", [b"id-1"]) == []


def test_what_was_added_comes_back_newest_first(store: CredentialStore) -> None:
    for number in (1, 2, 3):
        store.add(credential(number))
    assert ids(store.all()) == [b"id-3", b"id-2", b"id-1"]
    kept = store.all()[2]
    assert kept.user_display_name == "Üser"
    assert kept.created_at == START + timedelta(seconds=1)
    assert kept.key.to_pkcs8() == KEY.to_pkcs8()
    assert (kept.counter, kept.transports, kept.attachment) == (PER_CREDENTIAL, ("internal",), "platform")


def test_candidates_belong_to_the_rp_id(store: CredentialStore) -> None:
    store.add(credential(1))
    store.add(credential(2, rp_id="example.com"))
    store.add(credential(3, is_discoverable=False))
    store.add(credential(4))
    assert ids(store.candidates("localhost", None)) == [b"id-4", b"id-1"]
    assert ids(store.candidates("localhost", [b"id-1", b"id-2", b"id-3", b"id-9"])) == [b"id-3", b"id-1"]


def test_a_discoverable_credential_takes_the_place_of_the_one_for_the_same_account(store: CredentialStore) -> None:
    store.add(credential(1, handle=b"same"))
    store.add(credential(2, handle=b"same", rp_id="example.com"))
    store.add(credential(3, handle=b"same", is_discoverable=False))
    store.add(credential(4, handle=b"same"))
    assert ids(store.all()) == [b"id-4", b"id-3", b"id-2"]


def test_a_signature_moves_the_counter_of_its_credential(store: CredentialStore) -> None:
    store.add(credential(1))
    store.add(credential(2))
    assert [store.count_signature(b"id-1") for _ in range(3)] == [1, 2, 3]
    assert [each.sign_count for each in store.all()] == [0, 3]


def test_a_signature_moves_the_shared_counter_when_the_policy_is_global(store: CredentialStore) -> None:
    store.add(credential(1, counter=GLOBAL))
    store.add(credential(2))
    assert store.count_signature(b"id-1") == 1
    assert store.count_signature(b"id-2", GLOBAL) == 2
    assert store.shared_count() == 2


def test_another_policy_may_be_given(store: CredentialStore) -> None:
    store.add(credential(1))
    assert store.count_signature(b"id-1", CounterPolicy("fixed", 77)) == 77
    assert store.all()[0].sign_count == 77


def test_no_signature_is_counted_when_the_credential_is_gone(store: CredentialStore) -> None:
    assert store.count_signature(b"id-1") is None


def test_a_credential_is_removed_once(store: CredentialStore) -> None:
    store.add(credential(1))
    assert store.remove(b"id-1")
    assert not store.remove(b"id-1")
    assert store.all() == []


def test_a_credential_from_elsewhere_is_there_once_with_the_higher_count(store: CredentialStore) -> None:
    taken = [store.take_in([credential(1, sign_count=count)]) for count in (3, 8, 5)]
    assert [each for (each,) in taken] == [Imported.ADDED, Imported.COUNTED, Imported.KNOWN]
    assert [each.sign_count for each in store.all()] == [8]


def test_another_credential_with_the_same_id_is_not_taken_in(store: CredentialStore) -> None:
    store.add(credential(1))
    with pytest.raises(StoreConflict, match="aWQtMQ"):
        store.take_in([credential(2), credential(1, rp_id="example.org")])
    assert [(each.credential_id, each.rp_id) for each in store.all()] == [(b"id-1", "localhost")]


def test_a_credential_from_elsewhere_takes_the_place_of_the_older_one_of_its_account(store: CredentialStore) -> None:
    store.add(credential(1, user_handle=b"jane"))
    taken = store.take_in([credential(2, user_handle=b"jane"), credential(3, user_handle=b"joe")])
    assert taken == [Imported.REPLACED, Imported.ADDED]
    assert ids(store.all()) == [b"id-3", b"id-2"]


def test_a_shared_counter_goes_on_from_a_credential_that_is_ahead_of_it(store: CredentialStore) -> None:
    store.take_in([credential(1, counter=GLOBAL, sign_count=3)])
    assert store.count_signature(b"id-1") == 4
    assert store.shared_count() == 4


def test_nothing_is_lost_when_many_take_in_at_once(store: CredentialStore) -> None:
    """Each reads and writes under one lock, so that no count and no credential of the others is written over."""

    def take_in(number: int) -> None:
        mine = FileStore(store.path) if isinstance(store, FileStore) else store
        mine.take_in([credential(0, sign_count=number)])
        mine.take_in([credential(number)])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(take_in, range(1, 13)))
    assert sorted(ids(store.all())) == sorted(b"id-%d" % number for number in range(13))
    assert next(each.sign_count for each in store.all() if each.credential_id == b"id-0") == 12
