"""Reads the options that a server sends (§5.4, §5.5), in their JSON form, without trusting them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from authctl.virtual_authenticator import base64url
from authctl.virtual_authenticator.authenticator.keys import ES256, RS256
from authctl.virtual_authenticator.authenticator.make_credential import UserEntity
from authctl.virtual_authenticator.errors import NotSupported, OptionsInvalid

OptionsInput: TypeAlias = Mapping[str, Any] | str | bytes
"""Options as an object or as JSON text, bare or under `publicKey`."""

_PUBLIC_KEY: Final = "public-key"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class CreationOptions:
    """What PublicKeyCredentialCreationOptionsJSON says; unknown members and values are left out, as §5.4 asks."""

    challenge: bytes
    rp_id: str | None
    rp_name: str
    user: UserEntity
    algorithms: tuple[int, ...]
    exclude: tuple[bytes, ...]
    attachment: str | None
    resident_key: str
    user_verification: str
    attestation: str
    attestation_formats: tuple[str, ...]
    hints: tuple[str, ...]
    extensions: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """What PublicKeyCredentialRequestOptionsJSON says.

    allow       None when no credentials are named
    transports  by credential id, where the server says how it is reached
    """

    challenge: bytes
    rp_id: str | None
    allow: tuple[bytes, ...] | None
    user_verification: str
    transports: Mapping[bytes, tuple[str, ...]]
    extensions: Mapping[str, Any]


def parse_creation_options(source: OptionsInput) -> CreationOptions:
    """The options of a registration; OptionsInvalid when a browser's parser would throw, or could do nothing."""
    options = _public_key(source)
    relying_party = _member(options, "rp", dict)
    selection = _optional(options, "authenticatorSelection", dict) or {}
    return CreationOptions(
        challenge=_bytes(_member(options, "challenge", str), "challenge"),
        rp_id=_optional(relying_party, "id", str),
        rp_name=_member(relying_party, "name", str),
        user=_user(_member(options, "user", dict)),
        algorithms=_algorithms(_member(options, "pubKeyCredParams", list)),
        exclude=_descriptors(options, "excludeCredentials"),
        attachment=_known(selection, "authenticatorAttachment", ("platform", "cross-platform"), None),
        resident_key=_resident_key(selection),
        user_verification=_user_verification(selection),
        attestation=_known(options, "attestation", ("none", "indirect", "direct", "enterprise"), "none") or "none",
        attestation_formats=_texts(options, "attestationFormats"),
        hints=_texts(options, "hints"),
        extensions=_optional(options, "extensions", dict) or {},
    )


def parse_request_options(source: OptionsInput) -> RequestOptions:
    """The options of a login; OptionsInvalid when a browser's parser would throw, or could do nothing."""
    options = _public_key(source)
    return RequestOptions(
        challenge=_bytes(_member(options, "challenge", str), "challenge"),
        rp_id=_optional(options, "rpId", str),
        # An empty list names nobody, which is the same as no list (§5.5).
        allow=_descriptors(options, "allowCredentials") or None,
        user_verification=_user_verification(options),
        transports=_transports(options, "allowCredentials"),
        extensions=_optional(options, "extensions", dict) or {},
    )


def _public_key(source: OptionsInput) -> Mapping[str, Any]:
    if isinstance(source, str | bytes):
        try:
            source = json.loads(source)
        except (ValueError, RecursionError) as error:
            raise OptionsInvalid("The options of the server are not JSON", debug=type(error).__name__) from error
    if isinstance(source, Mapping) and isinstance(source.get("publicKey"), Mapping):
        source = source["publicKey"]
    if not isinstance(source, Mapping):
        raise OptionsInvalid("The options of the server are not an object")
    return source


def _user(user: Mapping[str, Any]) -> UserEntity:
    handle = _bytes(_member(user, "id", str), "user.id")
    if len(handle) > 64:
        raise OptionsInvalid("user.id has more than 64 bytes")
    return UserEntity(handle, _member(user, "name", str), _member(user, "displayName", str))


def _algorithms(parameters: list[Any]) -> tuple[int, ...]:
    # §5.1.3: an empty list stands for ES256 and RS256; a list of unknown types only is an error.
    if not parameters:
        return (ES256, RS256)
    offered = [(_member(entry, "type", str), _member(entry, "alg", int)) for entry in _objects(parameters)]
    known = tuple(algorithm for kind, algorithm in offered if kind == _PUBLIC_KEY)
    if not known:
        raise NotSupported("pubKeyCredParams names no algorithm for public keys")
    return known


def _descriptors(options: Mapping[str, Any], name: str) -> tuple[bytes, ...]:
    listed = [
        (_member(descriptor, "type", str), _bytes(_member(descriptor, "id", str), f"{name}.id"))
        for descriptor in _objects(_optional(options, name, list) or [])
    ]
    return tuple(credential_id for kind, credential_id in listed if kind == _PUBLIC_KEY)


def _transports(options: Mapping[str, Any], name: str) -> dict[bytes, tuple[str, ...]]:
    return {
        _bytes(descriptor["id"], f"{name}.id"): _texts(descriptor, "transports")
        for descriptor in _optional(options, name, list) or ()
        if descriptor["type"] == _PUBLIC_KEY and descriptor.get("transports")
    }


def _objects(entries: list[Any]) -> list[Mapping[str, Any]]:
    if not all(isinstance(entry, Mapping) for entry in entries):
        raise OptionsInvalid("A list in the options of the server has entries that are no objects")
    return entries


def _texts(holder: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(found for found in _optional(holder, name, list) or () if isinstance(found, str))


def _resident_key(selection: Mapping[str, Any]) -> str:
    # §5.4.4: without residentKey the older boolean decides.
    fallback = "required" if selection.get("requireResidentKey") is True else "discouraged"
    return _known(selection, "residentKey", ("required", "preferred", "discouraged"), fallback) or fallback


def _user_verification(options: Mapping[str, Any]) -> str:
    return _known(options, "userVerification", ("required", "preferred", "discouraged"), "preferred") or "preferred"


def _known(options: Mapping[str, Any], name: str, values: tuple[str, ...], fallback: str | None) -> str | None:
    value = options.get(name)
    return value if isinstance(value, str) and value in values else fallback


def _member(options: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    value = options.get(name)
    if not isinstance(value, kind):
        raise OptionsInvalid(f"{name} is missing or is not what the standard says")
    return value


def _optional(options: Mapping[str, Any], name: str, kind: type[_T]) -> _T | None:
    return None if options.get(name) is None else _member(options, name, kind)


def _bytes(text: str, name: str) -> bytes:
    try:
        data = base64url.decode(text)
    except ValueError as error:
        raise OptionsInvalid(f"{name} is not base64url without padding") from error
    if not data:
        raise OptionsInvalid(f"{name} is empty")
    return data
