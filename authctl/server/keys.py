"""Every key of the service, and the name of the instance: given by the operator, or made once in the key directory."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import SecretStr

from authctl.errors import SettingsError
from authctl.server.key_directory import KeyDirectory, NotPrivate
from authctl.server.tokens.signing_keys import JwtKey, UnsuitableKey
from authctl.settings.rules import weakness_of

if TYPE_CHECKING:
    from authctl.settings import Settings

INSTANCE_FILE = "instance_id"
JWT_FILE = "jwt.key"
AUDIT_FILE = "audit.key"
DECOY_FILE = "decoy.key"
CHECKPOINT_FILE = "checkpoint.pem"
_LOST = "restore the key directory from a backup; without its keys the database of this instance cannot be trusted"
_ABSENT = "run `authctl serve` once to create them, or give each key as a file: AUDIT_KEY_FILE and so on"


@dataclass(frozen=True, slots=True)
class Keys:
    """What the service signs, chains and hides with. No key appears in a repr.

    instance_id  names the instance; it stands in the database too, so that keys and database cannot be mixed up
    audit        HMAC key of the trail's chains
    decoy        key of the decoy credentials
    checkpoint   signs the checkpoints of the trail
    """

    instance_id: str
    jwt: JwtKey
    audit: bytes = field(repr=False)
    decoy: bytes = field(repr=False)
    checkpoint: Ed25519PrivateKey = field(repr=False)

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 in hex of each key, by which a change is noticed; a secret is hashed together with its purpose."""
        public = self.checkpoint.public_key().public_bytes_raw()
        return {
            "jwt": _digest("jwt", _public_or_secret(self.jwt)),
            "audit": _digest("audit", self.audit),
            "decoy": _digest("decoy", self.decoy),
            "checkpoint": _digest("checkpoint", public),
        }


def load_keys(settings: Settings, *, create: bool = True) -> Keys:
    """The keys that the settings give, and for the rest those of the key directory, which is made when it is not there.

    create  False never writes; neither does production, where every key is given
    Raises SettingsError with every key that is missing, weak, or where others could read it.
    """
    loader = _Loader(settings)
    if loader.needs_directory and not loader.directory.is_complete:
        loader.create(allowed=create and not settings.is_production)
    return loader.load()


class _Loader:
    """Collects what is wrong, so that all of it is told at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._problems: list[str] = []
        self._hint = _LOST
        self.directory = KeyDirectory(settings.key_dir, INSTANCE_FILE)

    @property
    def needs_directory(self) -> bool:
        given = [self._settings.audit_key, self._settings.decoy_key, self._settings.checkpoint_key]
        if self._settings.jwt_algorithm == "HS256":
            given.append(self._settings.jwt_secret)
        return None in given

    def create(self, *, allowed: bool) -> None:
        path = self._settings.key_dir
        if not allowed:
            raise SettingsError((f"KEY_DIR {path} holds no keys and none are given",), hint=_ABSENT)
        try:
            self.directory.create(_MAKERS)
        except NotPrivate as error:
            raise SettingsError((f"KEY_DIR: {error}",)) from error
        except OSError as error:
            raise SettingsError((f"KEY_DIR {path} cannot be created: {error.strerror}",)) from error

    def load(self) -> Keys:
        self._check_directory()
        audit = self._symmetric("AUDIT_KEY", self._settings.audit_key, AUDIT_FILE)
        decoy = self._symmetric("DECOY_KEY", self._settings.decoy_key, DECOY_FILE)
        checkpoint = self._checkpoint()
        jwt = self._jwt()
        instance_id = self._instance_id(audit)
        if self._problems or jwt is None or checkpoint is None:
            raise SettingsError(tuple(self._problems), hint=self._hint)
        return Keys(instance_id, jwt, audit, decoy, checkpoint)

    def _check_directory(self) -> None:
        if not self.needs_directory and not self.directory.is_complete:
            return
        try:
            self.directory.check()
        except NotPrivate as error:
            raise SettingsError((f"KEY_DIR: {error}",)) from error

    def _text(self, given: SecretStr | None, file: str) -> str | None:
        if given is not None:
            return given.get_secret_value()
        try:
            return self.directory.read(file)
        except NotPrivate as error:
            self._problems.append(f"KEY_DIR: {error}")
            return None

    def _symmetric(self, name: str, given: SecretStr | None, file: str) -> bytes:
        text = self._text(given, file)
        if text is None:
            return b""
        if weakness := weakness_of(SecretStr(text)):
            where = name if given is not None else f"KEY_DIR: {self._settings.key_dir / file}"
            self._problems.append(f"{where} {weakness}")
        return text.encode()

    def _checkpoint(self) -> Ed25519PrivateKey | None:
        pem = self._text(self._settings.checkpoint_key, CHECKPOINT_FILE)
        if pem is None:
            return None
        try:
            key = load_pem_private_key(pem.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError is its word for an encrypted one
            key = None
        if isinstance(key, Ed25519PrivateKey):
            return key
        self._problems.append("CHECKPOINT_KEY has to be an unencrypted PEM file with an Ed25519 private key")
        return None

    def _jwt(self) -> JwtKey | None:
        algorithm = self._settings.jwt_algorithm
        name = "JWT_SECRET" if algorithm == "HS256" else "JWT_PRIVATE_KEY"
        told = len(self._problems)
        try:
            if algorithm == "HS256":
                secret = self._symmetric(name, self._settings.jwt_secret, JWT_FILE)
                return JwtKey.from_secret(secret) if secret else None
            given = self._settings.jwt_private_key
            return JwtKey.from_pem(algorithm, given.get_secret_value().encode() if given else b"")
        except UnsuitableKey as error:
            if len(self._problems) == told:
                self._problems.append(f"{name} {error}")
            return None

    def _instance_id(self, audit: bytes) -> str:
        """From the file where there is one; otherwise from the key that every instance of the service shares."""
        if not self.directory.is_complete:
            return str(uuid.UUID(bytes=hmac.digest(audit, b"authctl: name of the instance", "sha256")[:16], version=4))
        text = self._text(None, INSTANCE_FILE)
        if text is None:
            return ""
        try:
            return str(uuid.UUID(text))
        except ValueError:
            self._problems.append(f"KEY_DIR: {self._settings.key_dir / INSTANCE_FILE} does not hold an instance id")
            return ""


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _new_checkpoint_key() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().strip()


_MAKERS = {
    JWT_FILE: _new_secret,
    AUDIT_FILE: _new_secret,
    DECOY_FILE: _new_secret,
    CHECKPOINT_FILE: _new_checkpoint_key,
    INSTANCE_FILE: lambda: str(uuid.uuid4()),
}


def _public_or_secret(key: JwtKey) -> bytes:
    if isinstance(key.verifying, bytes):
        return key.verifying
    return key.verifying.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _digest(purpose: str, key: bytes) -> str:
    return hashlib.sha256(b"authctl fingerprint: " + purpose.encode() + b"\0" + key).hexdigest()
