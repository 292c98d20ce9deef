"""Serialises the client data byte for byte as WebAuthn Level 3 §5.8.1.1 prescribes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from authctl.virtual_authenticator import base64url

if TYPE_CHECKING:
    from collections.abc import Mapping

CREATE = "webauthn.create"
GET = "webauthn.get"

# Everything outside U+0020, U+0021, U+0023 to U+005B and U+005D upwards.
_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ClientData:
    """CollectedClientData of §5.8.1; `extra` are members after the prescribed ones."""

    type: str
    challenge: bytes
    origin: str
    cross_origin: bool = False
    top_origin: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def serialise(self) -> bytes:
        """The bytes of clientDataJSON."""
        # §5.8.1.1, steps 1 to 9: four members in a fixed order.
        parts = [
            '{"type":', _ccd_string(self.type),
            ',"challenge":"', base64url.encode(self.challenge),
            '","origin":', _ccd_string(self.origin),
            ',"crossOrigin":', "true" if self.cross_origin else "false",
        ]  # fmt: skip
        # Step 10: the top origin, where there is one.
        if self.top_origin is not None:
            parts += [',"topOrigin":', _ccd_string(self.top_origin)]
        # Steps 11 to 13: what remains, as ordinary JSON, its opening brace replaced by a comma.
        rest = json.dumps(dict(self.extra), ensure_ascii=False, separators=(",", ":")) if self.extra else "{}"
        parts.append("," + rest[1:] if self.extra else "}")
        return "".join(parts).encode()


def hash_of(client_data_json: bytes) -> bytes:
    """The hash of the serialised client data, which is all that an authenticator sees of it."""
    return sha256(client_data_json).digest()


def _ccd_string(text: str) -> str:
    # CCDToString of §5.8.1.1: a quoted string in which only quote, backslash and controls are escaped.
    if _ESCAPED.search(text):
        text = _ESCAPED.sub(_escape, text)
    # ToString of Web IDL yields scalar values only: a lone surrogate becomes the replacement character.
    return f'"{_SURROGATE.sub("�", text)}"'


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return "\\" + character if character in '"\\' else f"\\u{ord(character):04x}"
