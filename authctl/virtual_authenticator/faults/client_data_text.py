"""Faults of the client data as bytes and as JSON text: what two decoders or two parsers would read differently."""

from __future__ import annotations

import json
import secrets
from functools import partial
from typing import TYPE_CHECKING

from authctl.virtual_authenticator.faults.drafts import Draft, text
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault

if TYPE_CHECKING:
    from collections.abc import Callable

fault = partial(any_fault, Layer.CLIENT_DATA)


def _bytes(case_id: str, change: Callable[[bytes], bytes], variant: str = "") -> None:
    def alter(draft: Draft) -> None:
        draft.client_bytes = change(draft.client_json())

    fault(case_id, variant)(alter)


def _with_member(value: bytes) -> Callable[[bytes], bytes]:
    """One more member, as bytes, at the end."""
    return lambda data: data[:-1] + b"," + value + b"}"


def _nested(levels: int) -> Callable[[bytes], bytes]:
    return _with_member(b'"extra":' + b"[" * levels + b"]" * levels)


def _recoded(encoding: str) -> Callable[[bytes], bytes]:
    return lambda data: data.decode().encode(encoding)


def _escaped(data: bytes) -> bytes:
    members = json.loads(data)
    written = []
    for name, value in members.items():
        finished = "".join(f"\\u{ord(c):04x}" for c in value) if isinstance(value, str) else None
        written.append(f'"{name}":' + (json.dumps(value) if finished is None else f'"{finished}"'))
    return ("{" + ",".join(written) + "}").encode()


def _reordered(data: bytes) -> bytes:
    return json.dumps(dict(reversed(json.loads(data).items())), indent=2).encode()


_bytes("cd.bom", lambda data: b"\xef\xbb\xbf" + data)
_bytes("cd.bom-twice", lambda data: b"\xef\xbb\xbf" * 2 + data)
_bytes("cd.utf16", _recoded("utf-16"), "with mark")
_bytes("cd.utf16", _recoded("utf-16-le"), "without mark")
_bytes("cd.utf32", _recoded("utf-32-le"))
_bytes("cd.utf7-bom", lambda data: b"+/v8-" + data)
_bytes("cd.surrogate-bytes", _with_member(b'"extra":"\xed\xa0\x80"'))
_bytes("cd.surrogate-pair-bytes", _with_member(b'"extra":"\xed\xa0\xbd\xed\xb8\x80"'))
_bytes("cd.surrogate-escape", _with_member(b'"extra":"\\ud800"'))
_bytes("cd.invalid-utf8", _with_member(b'"extra":"\xff"'))
_bytes("cd.overlong-utf8", lambda data: data.replace(b'"origin"', b'"\xc1\xafrigin"', 1))
_bytes("cd.latin1", _with_member(b'"extra":"\xe9"'))
_bytes("cd.truncated", lambda data: data[:-1])
_bytes("cd.trailing-garbage", lambda data: data + b"}")
_bytes("cd.trailing-nul", lambda data: data + b"\0")
_bytes("cd.two-objects", lambda data: data + data)
_bytes("cd.leading-garbage", lambda data: b")]}'\n" + data)
_bytes("cd.comment", lambda data: data[:-1] + b"/* nothing */}")
_bytes("cd.trailing-comma", lambda data: data[:-1] + b",}")
_bytes("cd.single-quotes", lambda data: data.replace(b'"', b"'"))
_bytes("cd.bare-control", _with_member(b'"extra":"\x01"'))
_bytes("cd.not-object", lambda data: b"[" + data + b"]", "array")
_bytes("cd.not-object", lambda data: json.dumps(data.decode()).encode(), "string")
_bytes("cd.not-object", lambda _: b"null", "null")
_bytes("cd.not-object", lambda _: b"1", "number")
_bytes("cd.not-json", lambda _: secrets.token_bytes(120))
_bytes("cd.nan", _with_member(b'"extra":NaN'))
_bytes("cd.nan", _with_member(b'"extra":-Infinity'), "infinity")
_bytes("cd.huge-number", _with_member(b'"extra":' + b"1" * 5000))
_bytes("cd.reordered", _reordered)
_bytes("cd.escaped", _escaped)
_bytes("cd.deep-json", _nested(100_000))
_bytes("cd.deep-json", _nested(20_000), "20 000 levels")
_bytes("cd.huge", _with_member(b'"extra":"' + b"x" * 5_000_000 + b'"'))
_bytes("cd.huge", _with_member(b'"extra":"' + b"x" * 30_000 + b'"'), "30 kB")
_bytes("cd.many-members", _with_member(b",".join(b'"m%d":0' % number for number in range(4000))))


def _twice(case_id: str, name: str, first: Callable[[Draft], object], *, spelled: str = "", variant: str = "") -> None:
    """The member twice, with another value first, which careful and careless parsers read differently."""

    def alter(draft: Draft) -> None:
        pair = f'"{spelled or name}":{json.dumps(first(draft))},'.encode()
        draft.client_bytes = b"{" + pair + draft.client_json()[1:]

    fault(case_id, variant)(alter)


_twice("cd.dup-origin", "origin", lambda _: "https://attacker.test")
_twice("cd.dup-origin", "origin", lambda _: "https://attacker.test", spelled="\\u006frigin", variant="escaped name")
_twice("cd.dup-type", "type", lambda _: "payment.get")
_twice("cd.dup-challenge", "challenge", lambda _: text(secrets.token_bytes(32)))
_twice("cd.dup-cross-origin", "crossOrigin", lambda _: True)


@fault("cd.dup-origin", "right one first")
def right_origin_first(draft: Draft) -> None:
    """The right origin first and an attacker's last."""
    draft.client_bytes = draft.client_json()[:-1] + b',"origin":"https://attacker.test"}'


@fault("cd.proto-members")
def members_in_a_prototype(draft: Draft) -> None:
    """Origin and type only as members of a member named __proto__."""
    hidden = {name: draft.client.pop(name) for name in ("type", "origin")}
    draft.client["__proto__"] = hidden


@fault("cd.member-case")
def member_in_another_case(draft: Draft) -> None:
    """The origin under a name in capitals, as readers that ignore case would find it."""
    draft.client["ORIGIN"] = draft.client.pop("origin")


@fault("cd.dup-origin", "other case")
def origin_twice_in_two_cases(draft: Draft) -> None:
    """An attacker's origin, and the right one under a name in capitals."""
    right = draft.client["origin"]
    draft.client |= {"origin": "https://attacker.test", "Origin": right}


@fault("cd.hash-mismatch")
def altered_after_signing(draft: Draft) -> None:
    """A member more than was signed."""
    draft.seal()
    draft.client["extraData"] = "nobody signed this"


@fault("cd.hash-mismatch", "white space")
def white_space_after_signing(draft: Draft) -> None:
    """A blank more than was signed."""
    draft.seal()
    draft.client_bytes = draft.client_json()[:1] + b" " + draft.client_json()[1:]
