"""What every COSE signature algorithm is: how its keys are made, sign, and are described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authctl.virtual_authenticator.randomness import RandomSource


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One COSE algorithm.

    generate       a new private key from random bytes
    fits           whether a private key is one that this algorithm signs with
    sign           (key, message, deterministic) to signature, in the form of WebAuthn §6.5.5
    cose           the public key's COSE members beside `alg`
    is_repeatable  whether the same key and message can give the same signature in every run
    """

    identifier: int
    name: str
    generate: Callable[[RandomSource], Any]
    fits: Callable[[Any], bool]
    sign: Callable[[Any, bytes, bool], bytes]
    cose: Callable[[Any], Mapping[int, int | bytes]]
    is_repeatable: bool = True
