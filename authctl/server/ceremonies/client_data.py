"""Client data as the browser collected it: read strictly, then compared with what this ceremony expects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies.reasons import Reason

MAX_BYTES: Final = 4096
MAX_DEPTH: Final = 4


@dataclass(frozen=True, slots=True)
class ClientData:
    """The members that a relying party compares; others are allowed and ignored (WebAuthn section 5.8.1)."""

    type: str
    challenge: str
    origin: str
    cross_origin: bool | None
    top_origin: str | None


def read(data: bytes) -> ClientData:
    """The client data in `data`; raises CeremonyFailed with `client_data_malformed`.

    Stricter than the standard in what two parsers could read differently: duplicate members, NaN, bytes that are not
    UTF-8, sizes and depths that no client produces (R-WA-19).
    """
    try:
        return _members(_json(data))
    except (ValueError, RecursionError) as error:
        raise CeremonyFailed(Reason.CLIENT_DATA_MALFORMED, debug=f"{type(error).__name__}: {error}") from error


def _json(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise ValueError("more than 4 KB")
    # §7.1 step 5, §7.2 step 8: "UTF-8 decode" takes one byte order mark off. Where it would replace, this refuses.
    value = _DECODER.decode(data.decode("utf-8-sig"))
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one exception for everything unreadable
    if _is_deeper_than(value, MAX_DEPTH):
        raise ValueError("nested too deeply")
    return value


def _members(value: dict[str, Any]) -> ClientData:
    cross_origin, top_origin = value.get("crossOrigin"), value.get("topOrigin")
    if not isinstance(cross_origin, bool) and "crossOrigin" in value:
        raise ValueError("crossOrigin is not a boolean")
    if not isinstance(top_origin, str) and "topOrigin" in value:
        raise ValueError("topOrigin is not text")
    return ClientData(
        type=_text(value, "type"),
        challenge=_text(value, "challenge"),
        origin=_text(value, "origin"),
        cross_origin=cross_origin,
        top_origin=top_origin,
    )


def _text(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name} is missing or not text")  # noqa: TRY004 - as above
    return text


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _is_deeper_than(value: object, limit: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if limit == 0:
        return True
    children = value.values() if isinstance(value, dict) else value
    return any(_is_deeper_than(child, limit - 1) for child in children)
