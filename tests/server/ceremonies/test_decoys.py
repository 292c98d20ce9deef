"""Decoys: stable, keyed, and shaped like the truth (R-EN-01, R-EN-02, D-3)."""

from __future__ import annotations

from collections import Counter

from authctl.server.ceremonies.cose_key import ES256, OFFERED
from authctl.server.ceremonies.decoys import Decoys

DECOYS = Decoys(b"k" * 32, "localhost")
EMAILS = [f"user{n}@example.com" for n in range(400)]


def test_decoys_are_the_same_whenever_they_are_made() -> None:
    again = Decoys(b"k" * 32, "localhost")
    assert [DECOYS.for_email(email) for email in EMAILS] == [again.for_email(email) for email in EMAILS]


def test_decoys_of_different_emails_differ() -> None:
    ids = [decoy for email in EMAILS for decoy in DECOYS.for_email(email)]
    assert len(set(ids)) == len(ids)
    assert len({decoy[:8] for decoy in ids}) == len(ids)


def test_decoys_differ_when_key_or_relying_party_differs() -> None:
    email = EMAILS[0]
    made = [DECOYS, Decoys(b"l" * 32, "localhost"), Decoys(b"k" * 32, "example.com")]
    assert len({tuple(decoys.for_email(email)) for decoys in made}) == 3


def test_decoys_have_numbers_and_lengths_of_real_credentials() -> None:
    counts = Counter(len(DECOYS.for_email(email)) for email in EMAILS)
    lengths = Counter(len(decoy) for email in EMAILS for decoy in DECOYS.for_email(email))
    assert set(counts) == {1, 2, 3}
    assert counts[1] > counts[2] + counts[3]
    assert set(lengths) == {16, 20, 32, 64}
    assert min(lengths.values()) > 20


def test_decoys_seem_to_have_every_algorithm_and_always_the_same() -> None:
    """R-EN-04: an unknown credential is looked at as long as one that exists."""
    ids = [decoy for email in EMAILS for decoy in DECOYS.for_email(email)]
    found = [DECOYS.algorithm_of(decoy) for decoy in ids]
    assert found == [Decoys(b"k" * 32, "localhost").algorithm_of(decoy) for decoy in ids]
    numbers = Counter(found)
    assert set(numbers) == set(OFFERED)
    assert min(numbers.values()) > 20
    assert numbers[ES256] > len(ids) / 2
