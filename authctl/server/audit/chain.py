"""The chain: what exactly a row's MAC covers, and with which key.

A row is covered as a JSON array, serialised as RFC 8785 does, so that no two different rows have the same bytes. The
columns that name a person enter through a salted digest: erasing them and the salt leaves the chain provable.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TYPE_CHECKING, Any

import orjson

from authctl.server.storage.times import write_time

if TYPE_CHECKING:
    from authctl.server.storage.events import EventRow

VERSION = 1
"""Stands first in what is covered; another encoding would be another number."""
START = bytes(32)
"""What the first row of a chain has in place of the MAC before it."""
_SALT_BYTES = 16


def derive_writer_key(audit_key: bytes, writer_id: str) -> bytes:
    """The key of one chain: rows of one writer mean nothing in the chain of another."""
    return hmac.digest(audit_key, b"authctl audit writer\x00" + writer_id.encode(), "sha256")


def audit_key_id(audit_key: bytes) -> str:
    """Names a key without telling it."""
    return hmac.digest(audit_key, b"authctl audit key id", "sha256")[:8].hex()


def new_salt() -> bytes:
    """Random bytes that keep personal values from being guessed out of their digest."""
    return os.urandom(_SALT_BYTES)


def digest_personal(
    salt: bytes,
    user_email: str | None,
    ip_address: str | None,
    user_agent: str | None,
    details: str | None,
    peer_address: str | None,
) -> bytes:
    """SHA-256 of the salt and the columns that name a person."""
    covered = orjson.dumps((user_email, ip_address, user_agent, details, peer_address))
    return hashlib.sha256(salt + covered).digest()


def encode_row(row: EventRow) -> bytes:
    """The bytes that a row's MAC covers, before the MAC of the row before; unequal rows have unequal bytes."""
    (
        event_id, event_type, _email, user_id, _address, _agent, success, _details, created_at, actor, target_user_id,
        reason, request_id, _peer, writer_id, seq, _salt, personal_digest, anchors, signature, _mac,
    ) = row  # fmt: skip
    return orjson.dumps(
        (
            VERSION, writer_id, seq, event_id, event_type, success,
            created_at if isinstance(created_at, str) else write_time(created_at),
            user_id, actor, target_user_id, reason, request_id,
            personal_digest.hex(), anchors, None if signature is None else signature.hex(),
        )
    )  # fmt: skip


def compute_mac(key: bytes, row: EventRow, previous: bytes) -> bytes:
    """The row's MAC, which makes it the successor of the row that has the MAC `previous`."""
    return hmac.digest(key, encode_row(row) + previous, "sha256")


def is_personal_part_intact(row: EventRow) -> bool:
    """Whether the columns that name a person are those that were covered, or were erased together with the salt."""
    email, address, agent, details, peer = row[2], row[4], row[5], row[7], row[13]
    salt, digest = row[16], row[17]
    if salt is None:
        return is_erased(row)
    return hmac.compare_digest(digest_personal(salt, email, address, agent, details, peer), digest)


def is_erased(row: EventRow) -> bool:
    """Whether nothing is left of the columns that name a person, nor of their salt."""
    erased: tuple[Any, ...] = (row[2], row[4], row[5], row[7], row[13], row[16])
    return all(value is None for value in erased)
