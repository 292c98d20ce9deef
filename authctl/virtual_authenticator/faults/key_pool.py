"""RSA keys that the cases of a run have in common: making one takes as long as playing several cases."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.authenticator.algorithms import rsa
from authctl.virtual_authenticator.authenticator.keys import CredentialKey, algorithm_of

if TYPE_CHECKING:
    from authctl.virtual_authenticator.randomness import RandomSource

_COSTLY: Final = frozenset(algorithm.identifier for algorithm in rsa.ALGORITHMS)


class KeyPool:
    """The keys by their place: the first that a case asks for, the second, and so on."""

    def __init__(self) -> None:
        self._kept: list[Any] = []
        self._lock = Lock()

    def at(self, place: int, identifier: int, random: RandomSource) -> CredentialKey:
        """The key of a place, for whichever RSA algorithm."""
        algorithm = algorithm_of(identifier)
        with self._lock:
            while len(self._kept) <= place:
                self._kept.append(algorithm.generate(random))
            return CredentialKey(algorithm, self._kept[place])


class KeysOfCase:
    """Makes the keys of one case. No two of them are the same key, or a server could take two people for one."""

    def __init__(self, pool: KeyPool) -> None:
        self._pool = pool
        self._taken = 0

    def generate(self, identifier: int, random: RandomSource) -> CredentialKey:
        """A key that no other of this case is: a new one, or for RSA one that other cases have too."""
        if identifier not in _COSTLY:
            return CredentialKey.generate(identifier, random)
        self._taken += 1
        return self._pool.at(self._taken - 1, identifier, random)
