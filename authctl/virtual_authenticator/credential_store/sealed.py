"""Content under a passphrase: scrypt makes the key, AES-256-GCM covers content and header (R-CL-07)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from authctl.virtual_authenticator import base64url
from authctl.virtual_authenticator.errors import PassphraseWrong, StoreDamaged
from authctl.virtual_authenticator.randomness import SystemRandom

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT: Final = "authctl-passkeys-encrypted"
VERSION: Final = 1
COST: Final = 2**17
"""scrypt's N: 128 MB and a fraction of a second for each guess."""
_BLOCK_SIZE: Final = 8
_PARALLELISM: Final = 1
_DEAREST: Final = 2**20
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_MARK: Final = "test-only"


def seal(content: bytes, passphrase: str, *, cost: int = COST) -> dict[str, Any]:
    """The document that holds the content so that only who knows the passphrase can read or change it."""
    random = SystemRandom()
    salt, nonce = random.take(_SALT_BYTES), random.take(_NONCE_BYTES)
    header = {
        "format": FORMAT,
        "version": VERSION,
        "mark": _MARK,
        "note": "Passkeys for tests, encrypted. `authctl passkeys import` reads them.",
        "kdf": {"name": "scrypt", "n": cost, "r": _BLOCK_SIZE, "p": _PARALLELISM, "salt": base64url.encode(salt)},
        "cipher": {"name": "AES-256-GCM", "nonce": base64url.encode(nonce)},
    }
    key = _key(passphrase, salt, cost)
    return {**header, "content": base64url.encode(AESGCM(key).encrypt(nonce, content, _associated(header)))}


def unseal(document: Mapping[str, Any], passphrase: str) -> bytes:
    """The content; PassphraseWrong when passphrase and file do not belong together, StoreDamaged for anything else."""
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise StoreDamaged(
            f"The encrypted passkeys are of version {version}, newer than this program", hint="Update authctl"
        )
    try:
        salt, nonce, cost, content = _parts(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise StoreDamaged("The file of encrypted passkeys is damaged") from None
    header = {name: value for name, value in document.items() if name != "content"}
    try:
        return AESGCM(_key(passphrase, salt, cost)).decrypt(nonce, content, _associated(header))
    except InvalidTag:
        raise PassphraseWrong from None


def _parts(document: Mapping[str, Any]) -> tuple[bytes, bytes, int, bytes]:
    kdf, cipher = document["kdf"], document["cipher"]
    cost = kdf["n"]
    names = (document["version"], document["mark"], kdf["name"], kdf["r"], kdf["p"], cipher["name"])
    if names != (VERSION, _MARK, "scrypt", _BLOCK_SIZE, _PARALLELISM, "AES-256-GCM"):
        raise ValueError("another way of encrypting")
    # The file says what a guess costs, and must not be able to ask for all memory.
    if not isinstance(cost, int) or not 2 <= cost <= _DEAREST or cost & (cost - 1):
        raise ValueError("cost")
    salt, nonce = base64url.decode(kdf["salt"]), base64url.decode(cipher["nonce"])
    if (len(salt), len(nonce)) != (_SALT_BYTES, _NONCE_BYTES):
        raise ValueError("salt or nonce")
    return salt, nonce, cost, base64url.decode(document["content"])


def _key(passphrase: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt, 32, cost, _BLOCK_SIZE, _PARALLELISM).derive(passphrase.encode())


def _associated(header: Mapping[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
