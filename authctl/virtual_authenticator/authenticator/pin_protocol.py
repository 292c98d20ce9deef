"""PIN/UV auth protocols one and two (CTAP 2.1 §6.5.6, §6.5.7): the secret that client and authenticator share."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from authctl.virtual_authenticator.randomness import RandomSource

_IV_BYTES: Final = 16
_NO_IV: Final = bytes(_IV_BYTES)
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def agreement_key(random: RandomSource) -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key for one agreement."""
    return ec.derive_private_key(int.from_bytes(random.take(40), "big") % (_ORDER - 1) + 1, ec.SECP256R1())


class SharedSecret:
    """What both sides derived, under protocol 1 or 2, and what they do with it."""

    def __init__(self, protocol: int, own: ec.EllipticCurvePrivateKey, other: ec.EllipticCurvePublicKey) -> None:
        self.protocol = protocol
        agreed = own.exchange(ec.ECDH(), other)
        if protocol == 1:
            self._hmac_key = self._aes_key = sha256(agreed).digest()
        else:
            self._hmac_key = _derived(agreed, b"CTAP2 HMAC key")
            self._aes_key = _derived(agreed, b"CTAP2 AES key")

    def __repr__(self) -> str:
        return f"<SharedSecret of protocol {self.protocol}>"

    def encrypt(self, plain: bytes, random: RandomSource) -> bytes:
        """Whole blocks under the secret; protocol 2 sends a fresh initialisation vector before them."""
        vector = _NO_IV if self.protocol == 1 else random.take(_IV_BYTES)
        encryptor = Cipher(AES256(self._aes_key), CBC(vector)).encryptor()
        return (b"" if self.protocol == 1 else vector) + encryptor.update(plain) + encryptor.finalize()

    def decrypt(self, data: bytes) -> bytes:
        """The blocks that `encrypt` took; ValueError when they are not whole."""
        vector, blocks = (_NO_IV, data) if self.protocol == 1 else (data[:_IV_BYTES], data[_IV_BYTES:])
        decryptor = Cipher(AES256(self._aes_key), CBC(vector)).decryptor()
        return decryptor.update(blocks) + decryptor.finalize()

    def authenticate(self, message: bytes) -> bytes:
        """The code that proves knowledge of the secret."""
        code = hmac.digest(self._hmac_key, message, "sha256")
        return code[:16] if self.protocol == 1 else code


def _derived(agreed: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, bytes(32), purpose).derive(agreed)
