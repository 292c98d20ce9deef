"""A handful of RSA keys for all tests: making one takes 50 ms, and what is done with it a tenth of one.

Keys come round again, so a test that needs more of them to be different than there are here fails, and says so with the
fixture `real_keys`, as the tests of keys themselves do.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import Iterator

DIFFERENT: Final = 6
_generate = rsa.generate_private_key


class _Pool:
    """Stands in for `rsa.generate_private_key`."""

    def __init__(self) -> None:
        self._keys: dict[tuple[int, int], list[rsa.RSAPrivateKey]] = {}
        self._turns: dict[tuple[int, int], Iterator[int]] = {}

    def __call__(self, public_exponent: int, key_size: int, backend: Any = None) -> rsa.RSAPrivateKey:
        kind = (public_exponent, key_size)
        keys = self._keys.setdefault(kind, [])
        turn = next(self._turns.setdefault(kind, cycle(range(DIFFERENT))))
        if turn == len(keys):
            keys.append(_generate(public_exponent, key_size, backend))
        return keys[turn]


@pytest.fixture(scope="session", autouse=True)
def pooled_keys() -> Iterator[None]:
    """Makes few keys and hands them out in turn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rsa, "generate_private_key", _Pool())
        yield


@pytest.fixture
def real_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a new key each time."""
    monkeypatch.setattr(rsa, "generate_private_key", _generate)
