"""The JSON of the file of passkeys: versioned, marked as test-only, and read without trust."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from authctl.errors import AuthenticatorError
from authctl.virtual_authenticator import base64url
from authctl.virtual_authenticator.authenticator.counters import CounterPolicy
from authctl.virtual_authenticator.authenticator.keys import CredentialKey
from authctl.virtual_authenticator.credential_store.extension_state import (
    NO_EXTENSIONS,
    ExtensionState,
    Protection,
)
from authctl.virtual_authenticator.credential_store.interface import Credential
from authctl.virtual_authenticator.credential_store.state import State
from authctl.virtual_authenticator.errors import StoreDamaged

VERSION: Final = 2
"""1 had no `extensions`; a file of it is read as it is, and of this version after its next change."""
_READABLE: Final = (1, VERSION)
_FORMAT: Final = "authctl-passkeys"
_MARK: Final = "test-only"
_NOTE: Final = "Private keys in plain text. For tests: nothing of value may depend on these passkeys."

_T = TypeVar("_T")


def dump(state: State) -> bytes:
    """The file's content."""
    document = {
        "format": _FORMAT,
        "version": VERSION,
        "mark": _MARK,
        "note": _NOTE,
        "shared_count": state.shared_count,
        "credentials": [_dump_credential(credential) for credential in state.credentials.values()],
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def parse(content: bytes) -> State:
    """The state of a file's content; StoreDamaged for a newer version or anything that is not such a file."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise StoreDamaged("The file of passkeys is not JSON") from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise StoreDamaged("The file is not one of passkeys")
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise StoreDamaged(
            f"The file of passkeys is of version {version}, newer than this program", hint="Update authctl"
        )
    try:
        return _parse(document)
    except (KeyError, TypeError, ValueError, OverflowError, AuthenticatorError) as error:
        # The error's text could quote a key.
        raise StoreDamaged("The file of passkeys is damaged", debug=type(error).__name__) from None


def _parse(document: dict[str, Any]) -> State:
    if document["version"] not in _READABLE or document["mark"] != _MARK:
        raise ValueError("version or mark")
    credentials = [_parse_credential(entry) for entry in _typed(document["credentials"], list)]
    return State({credential.credential_id: credential for credential in credentials}, _count(document["shared_count"]))


def _dump_credential(credential: Credential) -> dict[str, Any]:
    return {
        "credential_id": base64url.encode(credential.credential_id),
        "rp_id": credential.rp_id,
        "user_handle": base64url.encode(credential.user_handle),
        "user_name": credential.user_name,
        "user_display_name": credential.user_display_name,
        "algorithm": credential.key.algorithm.identifier,
        "private_key": base64url.encode(credential.key.to_pkcs8()),
        "counter": {"policy": credential.counter.name, "value": credential.counter.value},
        "created_at": credential.created_at.astimezone(UTC).isoformat(),
        "sign_count": credential.sign_count,
        "discoverable": credential.is_discoverable,
        "backup_eligible": credential.is_backup_eligible,
        "backed_up": credential.is_backed_up,
        "attachment": credential.attachment,
        "transports": list(credential.transports),
        "extensions": _dump_extensions(credential.extensions),
    }


def _dump_extensions(state: ExtensionState) -> dict[str, Any]:
    return {
        "protection": state.protection.value,
        "hmac_secrets": None if state.hmac_secrets is None else [base64url.encode(each) for each in state.hmac_secrets],
        "has_large_blob": state.has_large_blob,
        "large_blob": None if state.large_blob is None else base64url.encode(state.large_blob),
    }


def _parse_credential(entry: Any) -> Credential:
    entry = _typed(entry, dict)
    counter = _typed(entry["counter"], dict)
    return Credential(
        credential_id=_bytes(entry["credential_id"]),
        rp_id=_typed(entry["rp_id"], str),
        user_handle=_bytes(entry["user_handle"]),
        user_name=_typed(entry["user_name"], str),
        user_display_name=_typed(entry["user_display_name"], str),
        key=CredentialKey.from_pkcs8(_typed(entry["algorithm"], int), _bytes(entry["private_key"])),
        counter=CounterPolicy(_typed(counter["policy"], str), _count(counter["value"])),
        created_at=_time(entry["created_at"]),
        sign_count=_count(entry["sign_count"]),
        is_discoverable=_typed(entry["discoverable"], bool),
        is_backup_eligible=_typed(entry["backup_eligible"], bool),
        is_backed_up=_typed(entry["backed_up"], bool),
        attachment=_typed(entry["attachment"], str),
        transports=tuple(_typed(transport, str) for transport in _typed(entry["transports"], list)),
        extensions=_parse_extensions(entry["extensions"]) if "extensions" in entry else NO_EXTENSIONS,
    )


def _parse_extensions(entry: Any) -> ExtensionState:
    entry = _typed(entry, dict)
    secrets, blob = entry["hmac_secrets"], entry["large_blob"]
    return ExtensionState(
        protection=Protection(_typed(entry["protection"], int)),
        hmac_secrets=None if secrets is None else _two_secrets(secrets),
        has_large_blob=_typed(entry["has_large_blob"], bool),
        large_blob=None if blob is None else _bytes(blob),
    )


def _two_secrets(value: Any) -> tuple[bytes, bytes]:
    first, second = map(_bytes, _typed(value, list))
    return first, second


def _typed(value: Any, kind: type[_T]) -> _T:
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}")
    return value


def _bytes(value: Any) -> bytes:
    return base64url.decode(_typed(value, str))


def _count(value: Any) -> int:
    if isinstance(value, bool) or not 0 <= _typed(value, int) <= 0xFFFFFFFF:
        raise ValueError("expected a count of 32 bits")
    return int(value)


def _time(value: Any) -> datetime:
    moment = datetime.fromisoformat(_typed(value, str))
    if moment.tzinfo is None:
        raise ValueError("expected a time with its zone")
    return moment.astimezone(UTC)
