"""Anchors and signatures say what they said, or are refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authctl.server.audit.anchors import AnchorKind, Anchors, parse_anchors
from authctl.server.audit.events import Head
from authctl.server.audit.keys import TrailKeys, fingerprint_of
from tests.server.audit.workbench import KEYS

ANCHORS = Anchors(
    kind=AnchorKind.CHECKPOINT,
    instance="i",
    generation=1,
    writer="w",
    seq=7,
    time="2026-01-01 00:00:00.000000",
    audit_key="a",
    heads=(Head("w", 6, b"m" * 32), Head("v", 2, b"n" * 32)),
    key="k",
    public_key="p",
)


def test_anchors_survive_being_written_and_read() -> None:
    assert parse_anchors(ANCHORS.to_text()) == ANCHORS


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"kind":"other"}', ANCHORS.to_text().replace("heads", "x")])
def test_anchors_are_refused_when_they_are_not_ours(text: str) -> None:
    with pytest.raises(ValueError):
        parse_anchors(text)


def test_a_signature_counts_only_with_its_key_and_its_text() -> None:
    fingerprint = fingerprint_of(KEYS.public_key)
    signature = KEYS.sign("text")
    assert KEYS.is_signature_valid(fingerprint, "text", signature)
    assert not KEYS.is_signature_valid(fingerprint, "other", signature)
    assert not KEYS.is_signature_valid(fingerprint_of(b"x"), "text", signature)
    assert not KEYS.is_signature_valid(fingerprint, "text", b"short")


def test_a_retired_key_is_still_known() -> None:
    """D-13: old public checkpoint keys stay for verification."""
    rotated = TrailKeys(audit=KEYS.audit, checkpoint=Ed25519PrivateKey.generate(), retired=(KEYS.public_key,))
    fingerprint = fingerprint_of(KEYS.public_key)
    assert rotated.is_known(fingerprint)
    assert rotated.is_signature_valid(fingerprint, "text", KEYS.sign("text"))
    assert not KEYS.is_known(fingerprint_of(rotated.public_key))


def test_keys_do_not_show_themselves() -> None:
    """R-LG-05."""
    assert repr(KEYS) == "TrailKeys(retired=())"
