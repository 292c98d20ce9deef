"""Where keys and credential ids come from: the system's generator, or a seed that makes every run the same."""

from __future__ import annotations

import secrets
from threading import Lock
from typing import Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class RandomSource(Protocol):
    """Gives bytes; a deterministic one also asks for deterministic signatures."""

    @property
    def is_deterministic(self) -> bool:
        """Whether the same bytes come in every run."""
        ...

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        ...


class SystemRandom:
    """The generator of the operating system."""

    is_deterministic = False

    def take(self, length: int) -> bytes:
        """Fresh random bytes."""
        return secrets.token_bytes(length)


class SeededRandom:
    """The values of one seed, in order: HKDF-SHA-256 with the label as info and a counter as salt.

    This is the rule of the test vectors of WebAuthn Level 3: the seed `WebAuthn test vectors` with the label of an
    example gives that example's values. For tests and nothing else.
    """

    is_deterministic = True

    def __init__(self, seed: str | bytes, label: str = "authctl") -> None:
        self._seed = seed.encode() if isinstance(seed, str) else seed
        self._label = label.encode()
        self._count = 0
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<SeededRandom {self._label.decode()!r}>"

    def take(self, length: int) -> bytes:
        """The next value of the sequence, up to 8,160 bytes long."""
        with self._lock:
            salt = _salt(self._count)
            self._count += 1
        return HKDF(SHA256(), length, salt, self._label).derive(self._seed)


def _salt(count: int) -> bytes:
    # HMAC pads its key with zeros: 256 as two bytes would be the salt of 1 again.
    return bytes([count]) if count < 256 else b"\xff" + count.to_bytes(4, "big")
