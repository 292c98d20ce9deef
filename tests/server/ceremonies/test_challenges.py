"""The book of challenges: randomness, binding, age by two clocks, and bounds."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from authctl.errors import CeremonyFailed, RateLimited
from authctl.server.ceremonies import challenges
from authctl.server.ceremonies.challenges import ChallengeBook
from authctl.server.ceremonies.policy import Policy
from authctl.server.ceremonies.reasons import Reason
from authctl.server.storage.challenges import Challenges
from tests.server.ceremonies.harness import CALLER, JANE, POLICY, Ceremonies, octets

if TYPE_CHECKING:
    from authctl.clock import FixedClock
    from authctl.server.storage.database import Database

VALUE = b"c" * 32


def issue(database: Database, book: ChallengeBook, value: bytes = VALUE, source: str = "192.0.2.1") -> bool:
    caller = replace(CALLER, network=source)
    return database.write_now(
        lambda tx: book.issue(tx, value, purpose=challenges.LOGIN, email="a@b.cd", caller=caller, context={"x": 1})
    )


def redeem(database: Database, book: ChallengeBook, value: bytes = VALUE) -> str | None:
    """The reason of a refusal, or None."""

    def unit(tx: object) -> str | None:
        taken = tx.challenges.take(sha256(value).digest())  # type: ignore[attr-defined]
        try:
            context = book.redeem(tx, taken, purpose=challenges.LOGIN, email="a@b.cd")  # type: ignore[arg-type]
        except CeremonyFailed as failure:
            return failure.reason
        assert context["x"] == 1
        return None

    return database.write_now(unit)


def test_challenges_are_32_random_bytes_that_never_repeat(ceremonies: Ceremonies) -> None:
    """R-CH-01: no byte is the same in a noticeable share of them."""
    ceremonies.use(replace(POLICY, outstanding_per_source=None))
    values = [octets(ceremonies.begin_login(None)["challenge"]) for _ in range(300)]
    assert {len(value) for value in values} == {32}
    assert len(set(values)) == 300
    for position in range(32):
        assert Counter(value[position] for value in values).most_common(1)[0][1] < 20


def test_only_a_hash_of_the_challenge_is_stored(ceremonies: Ceremonies) -> None:
    """D-1: who reads the database cannot answer a pending ceremony."""
    value = octets(ceremonies.begin_registration()["challenge"])
    row = ceremonies.database.write_now(lambda tx: tx.challenges.take(sha256(value).digest()))
    assert row is not None
    assert value not in repr(row.__dict__).encode()
    assert (row.purpose, row.email, row.source) == ("registration", JANE.email, "192.0.2.1")


def test_the_stored_context_binds_the_ceremony(ceremonies: Ceremonies) -> None:
    """R-CH-06."""
    options = ceremonies.begin_registration()
    row = ceremonies.database.write_now(lambda tx: tx.challenges.take(sha256(octets(options["challenge"])).digest()))
    assert row is not None
    context = json.loads(row.context)
    assert context["user_handle"] == options["user"]["id"]
    assert context["profile"]["email"] == JANE.email
    assert context["algorithms"] == [-8, -7, -257]
    assert (context["user_verification"], context["fingerprint"]) == (True, POLICY.fingerprint)


def test_a_challenge_is_redeemed_once(database: Database) -> None:
    book = ChallengeBook(POLICY)
    assert issue(database, book)
    assert [redeem(database, book), redeem(database, book)] == [None, Reason.CHALLENGE_UNKNOWN]


@pytest.mark.parametrize(("seconds", "reason"), [(299.9, None), (300, Reason.CHALLENGE_EXPIRED)])
def test_a_challenge_expires_by_the_time_of_day(
    database: Database, clock: FixedClock, seconds: float, reason: Reason | None
) -> None:
    """R-CH-04: a wall clock set ahead is believed."""
    book = ChallengeBook(POLICY)
    issue(database, book)
    clock.set_wall(clock.now() + timedelta(seconds=seconds))
    assert redeem(database, book) == reason


@pytest.mark.parametrize("seconds", [200, 3600])
def test_a_challenge_stays_expired_when_the_clock_is_set_back(
    database: Database, clock: FixedClock, seconds: int
) -> None:
    """R-CH-10: to a time within its life, and to one before it."""
    book = ChallengeBook(POLICY)
    issue(database, book)
    clock.advance(301)
    clock.set_wall(clock.now() - timedelta(seconds=seconds))
    assert redeem(database, book) == Reason.CHALLENGE_EXPIRED


@pytest.mark.parametrize(("seconds", "reason"), [(-20, None), (-3600, Reason.CHALLENGE_EXPIRED)])
def test_a_challenge_from_the_future_is_refused_after_a_restart_of_the_machine(
    database: Database, clock: FixedClock, seconds: int, reason: Reason | None
) -> None:
    """R-CH-10: elapsed time is not comparable then; another machine's clock may be a little behind."""
    book = ChallengeBook(POLICY)
    issue(database, book)
    database.write_now(lambda tx: tx._connection.raw.execute("UPDATE challenges SET boot_id = 'another'"))
    clock.set_wall(clock.now() + timedelta(seconds=seconds))
    assert redeem(database, book) == reason


def test_a_source_is_bounded_by_its_unexpired_challenges(database: Database, clock: FixedClock) -> None:
    """R-CH-08."""
    book = ChallengeBook(replace(POLICY, outstanding_per_source=2))
    assert [issue(database, book, bytes([n]) * 32) for n in range(3)] == [True, True, False]
    assert issue(database, book, b"o" * 32, source="192.0.2.2")
    clock.advance(301)
    assert issue(database, book, b"l" * 32)


def test_sources_are_not_bounded_without_rate_limits(database: Database) -> None:
    book = ChallengeBook(replace(POLICY, outstanding_per_source=None))
    assert all(issue(database, book, n.to_bytes(32, "big")) for n in range(60))


def test_the_total_is_bounded_and_expired_challenges_make_room(database: Database, clock: FixedClock) -> None:
    """R-CH-08: no pending one is evicted."""
    book = ChallengeBook(replace(POLICY, outstanding_total=3))
    assert [issue(database, book, bytes([n]) * 32) for n in range(4)] == [True, True, True, False]
    clock.advance(200)
    assert not issue(database, book, b"m" * 32)
    assert redeem(database, book, b"\0" * 32) is None
    clock.advance(2)
    assert issue(database, book, b"n" * 32)
    clock.advance(150)
    assert issue(database, book, b"o" * 32)
    assert redeem(database, book, b"n" * 32) is None
    assert redeem(database, book, b"\1" * 32) == Reason.CHALLENGE_UNKNOWN


def test_expired_challenges_are_left_to_the_sweeper_when_there_is_room(database: Database, clock: FixedClock) -> None:
    """A begin is not the one to pay for those of others."""
    book = ChallengeBook(POLICY)
    issue(database, book)
    clock.advance(301)
    issue(database, book, b"n" * 32)
    assert database.write_now(lambda tx: tx.challenges.count()) == 2


def test_rows_are_counted_at_most_once_a_second(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    original = Challenges.count

    def count(self: Challenges) -> int:
        counted.append(original(self))
        return counted[-1]

    monkeypatch.setattr(Challenges, "count", count)
    book = ChallengeBook(POLICY)
    for n in range(20):
        issue(database, book, bytes([n]) * 32)
    assert len(counted) == 1
    clock.advance(1)
    issue(database, book)
    assert len(counted) == 2


def test_a_begin_says_when_to_come_back(ceremonies: Ceremonies) -> None:
    ceremonies.use(replace(POLICY, outstanding_per_source=0))
    with pytest.raises(RateLimited) as refusal:
        ceremonies.begin_login(None)
    assert 0 < refusal.value.retry_after <= 300
    assert "Login without e-mail refused" in ceremonies.journal.events[-1].details


def test_the_fingerprint_changes_with_rp_id_and_origins() -> None:
    """R-CH-06."""

    class Settings:
        rp_id = "example.com"
        rp_name = "Example"
        origins: tuple[str, ...] = ("https://example.com", "https://www.example.com")
        allowed_top_origins: tuple[str, ...] = ()
        user_verification = "preferred"
        authenticator_attachment = "any"
        attestation_formats = ("none",)
        challenge_ttl_seconds = 120
        rate_limits = False
        rate_limit_outstanding_per_source = 5
        rate_limit_outstanding_total = 6

    settings = Settings()
    policy = Policy.of(settings)
    assert (policy.attachment, policy.formats, policy.challenge_seconds) == (None, frozenset({"none"}), 120)
    assert (policy.outstanding_per_source, policy.outstanding_total) == (None, 6)
    prints = {policy.fingerprint}
    settings.origins = ("https://www.example.com", "https://example.com")
    assert Policy.of(settings).fingerprint in prints
    settings.origins = ("https://example.com",)
    prints.add(Policy.of(settings).fingerprint)
    settings.rp_id = "www.example.com"
    prints.add(Policy.of(settings).fingerprint)
    settings.allowed_top_origins = ("https://top.example",)
    settings.rate_limits = True
    policy = Policy.of(settings)
    prints.add(policy.fingerprint)
    assert len(prints) == 4
    assert policy.outstanding_per_source == 5


@pytest.mark.parametrize("attachment", ["platform", "cross-platform", None])
def test_the_attachment_is_left_out_when_any_is_welcome(attachment: str | None) -> None:
    options = replace(POLICY, attachment=attachment).creation_options(VALUE, VALUE, email="a@b.cd", display_name="A B")
    assert options["authenticatorSelection"].get("authenticatorAttachment") == attachment
    assert ("authenticatorAttachment" in options["authenticatorSelection"]) == (attachment is not None)


@pytest.mark.parametrize("attachment", ["platform", "cross-platform", None])
def test_a_further_passkey_need_not_be_on_this_device(attachment: str | None) -> None:
    """The platform authenticator at hand is among those that are excluded."""
    options = replace(POLICY, attachment=attachment).creation_options(
        VALUE, VALUE, email="a@b.cd", display_name="A B", exclude=[(b"id", ["internal"])]
    )
    wanted = None if attachment == "platform" else attachment
    assert options["authenticatorSelection"].get("authenticatorAttachment") == wanted
