"""The PRF examples of WebAuthn Level 3, made anew from the rule that they were made by; only digests are kept here."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from authctl.virtual_authenticator.authenticator.extensions.hmac_secret import Salts, evaluated
from authctl.virtual_authenticator.authenticator.pin_protocol import SharedSecret
from authctl.virtual_authenticator.client.extensions.prf import salt_of

PHRASE = b"WebAuthn PRF test vectors"
FIRST, SECOND = PHRASE + b"\x02", PHRASE + b"\x03"
OUTPUTS = (
    "cc7ba9d1f702063fa2841d118435df33a0a599e3d2aba2e218580edea4beb319",
    "eadd9e716687d56419a180c6a32018b9f8e15fa6e66900e8f216a2e30f876514",
)


def value(number: int) -> bytes:
    return sha256(PHRASE + bytes([number])).digest()


def key(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(value(number), "big"), ec.SECP256R1())


class Given:
    """A source of randomness that gives one value of the examples."""

    is_deterministic = True

    def __init__(self, number: int) -> None:
        self._number = number

    def take(self, length: int) -> bytes:
        return value(self._number)[:length]


@pytest.mark.parametrize(
    ("protocol", "inputs", "vectors", "sent", "answered"),
    [
        (
            2, (FIRST,), (7, 9),
            "c3065a8e1ea9ece5932b2585847590fdae1c2dc50d6859056982f3b262e6d29c",
            "ba24f7551f8a3fe413554426c1d9cd62b01ffaab2cee63546c07d553a8904f1c",
        ),
        (
            2, (FIRST, SECOND), (8, 10),
            "639a0963d460d55dbbdca1e0f42fea8559efd49612cc34d74b6a69b725ae3933",
            "0f1efcba7d32a78d6289857ae0e924c71ce9a49572a1874673ef3cf26a10e7d4",
        ),
        (
            1, (FIRST,), (0, 0),
            "b9ade269e6561fa6202add79ed635164dc9572958c6c3a6602f8ea3fb2821d9c",
            "82919a649b3e8a0008ea68ef67d55a7b8ebceaf850c5e2556fa12bde769debc0",
        ),
    ],
    ids=["protocol 2, one input", "protocol 2, two inputs", "protocol 1"],
)  # fmt: skip
def test_an_example_comes_out_bit_for_bit(
    protocol: int, inputs: tuple[bytes, ...], vectors: tuple[int, int], sent: str, answered: str
) -> None:
    """R-WA-21."""
    platform = SharedSecret(protocol, key(4), key(5).public_key())
    authenticator = SharedSecret(protocol, key(5), key(4).public_key())
    encrypted = platform.encrypt(b"".join(map(salt_of, inputs)), Given(vectors[0]))
    assert sha256(encrypted).hexdigest() == sent
    salts = Salts(authenticator, encrypted, platform.authenticate(encrypted)).opened()
    values = evaluated(value(6), salts)
    answer = authenticator.encrypt(values, Given(vectors[1]))
    assert sha256(answer).hexdigest() == answered
    assert platform.decrypt(answer) == values
    digests = [sha256(values[at : at + 32]).hexdigest() for at in range(0, len(values), 32)]
    assert digests == list(OUTPUTS[: len(inputs)])
