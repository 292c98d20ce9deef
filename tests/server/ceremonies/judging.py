"""Asks the relying party about messages made by hand, with expectations that the valid ones meet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies import cose_key, envelope, relying_party
from authctl.server.ceremonies.shared_steps import Expected
from tests.server.ceremonies.messages import EDDSA, ES256, ORIGIN, RP_ID, RS256, Passkey

if TYPE_CHECKING:
    from collections.abc import Callable

CHALLENGE = b"c" * 32
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXPECTED = Expected(
    challenge_hash=sha256(CHALLENGE).digest(),
    origins=("https://other.example", ORIGIN),
    top_origins=(),
    rp_id=RP_ID,
    require_user_verification=True,
)
FRAMED = replace(EXPECTED, top_origins=("https://top.example",))
KEYS = {algorithm: Passkey(algorithm) for algorithm in (ES256, EDDSA, RS256)}
PASSKEY = KEYS[ES256]


def register(
    credential: object,
    expected: Expected = EXPECTED,
    formats: frozenset[str] = frozenset({"none", "packed-self"}),
    roots: tuple[bytes, ...] = (),
) -> relying_party.VerifiedRegistration:
    return relying_party.verify_registration(
        envelope.read_registration(credential),
        expected=expected,
        expected_algorithms=cose_key.OFFERED,
        expected_formats=formats,
        expected_roots=roots,
        now=NOW,
    )


def log_in(
    assertion: object, passkey: Passkey = PASSKEY, expected: Expected = EXPECTED, **changes: Any
) -> relying_party.VerifiedAssertion:
    arguments: dict[str, Any] = {
        "expected_user_handle": passkey.user_handle,
        "expected_backup_eligible": False,
        "public_key": passkey.public_key,
        "require_user_handle": False,
    }
    return relying_party.verify_assertion(envelope.read_assertion(assertion), expected=expected, **arguments | changes)


def refusal_of(action: Callable[[], object]) -> str:
    with pytest.raises(CeremonyFailed) as refusal:
        action()
    return refusal.value.reason
