"""Credential ids for e-mails that have none, so that a begun login does not tell who has an account (D-3)."""

from __future__ import annotations

from hmac import digest
from typing import Final

from authctl.server.ceremonies.cose_key import EDDSA, ES256, RS256

_LENGTHS: Final = (16, 16, 20, 20, 32, 32, 32, 64)
"""What platform authenticators, password managers and security keys give out, about as often as they are seen."""

_COUNTS: Final = (1, 1, 1, 1, 1, 1, 2, 3)

_ALGORITHMS: Final = (ES256, ES256, ES256, ES256, ES256, EDDSA, EDDSA, RS256)


class Decoys:
    """Makes them from a key that has no other use: equal for equal e-mails, before and after a restart, everywhere.

    What remains visible: the day an unknown e-mail registers, its decoys give way to real ids. Only a login that is
    begun without an e-mail shows nothing at all.
    """

    def __init__(self, key: bytes, rp_id: str) -> None:
        self._key = digest(key, b"authctl decoys\0" + rp_id.encode(), "sha256")

    def for_email(self, email: str) -> list[bytes]:
        """One to three ids for a normalised e-mail."""
        shape = self._bytes(email, 0)
        count = _COUNTS[shape[0] % len(_COUNTS)]
        lengths = [_LENGTHS[shape[number] % len(_LENGTHS)] for number in range(1, count + 1)]
        return [self._bytes(email, number)[:length] for number, length in enumerate(lengths, 1)]

    def algorithm_of(self, credential_id: bytes) -> int:
        """The algorithm that an unknown credential seems to have, by the time that is spent on its signature."""
        return _ALGORITHMS[digest(self._key, b"algorithm\0" + credential_id, "sha256")[0] % len(_ALGORITHMS)]

    def _bytes(self, email: str, number: int) -> bytes:
        return digest(self._key, f"{number}\0{email}".encode(), "sha512")
