"""How the counters of limits name an e-mail address: by a keyed hash, so that the table holds none."""

from __future__ import annotations

import hashlib
import hmac


def bucket_key(decoy_key: bytes) -> bytes:
    """The key of the hashes, from the one that decoys are made with."""
    return hmac.digest(decoy_key, b"authctl rate limits", "sha256")


def bucket_of(key: bytes, email: str) -> str:
    """Stands for an address; plus-tags lead to one bucket."""
    local, _, domain = email.rpartition("@")
    plain = f"{local.partition('+')[0]}@{domain}"
    return hmac.new(key, plain.encode("utf-8"), hashlib.sha256).hexdigest()[:32]
