"""The lines of the audit file: one event as one JSON object, made from its row and from nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from authctl.server.storage.times import write_time

if TYPE_CHECKING:
    from authctl.server.storage.events import EventRow


# As `render` writes it, found in half the time of parsing it. Inside a value each quotation mark has a backslash before
# it, so that no value looks like this; what somebody has written by hand, or cut in half, is left to the parser.
_BEGINNING, _LANDMARK, _ENDS = b'{"id":"', b'"generation":', (b'"}\n', b'"}')
_PLACE = re.compile(rb'"generation":([0-9]{1,18}),"writer_id":"([0-9a-f-]+)","seq":([0-9]{1,18}),"salt":')


def render(row: EventRow, generation: int) -> bytes:
    """The line of a row, newline included; equal rows have equal lines.

    Field names are the columns' names; bytes are in hex; the time has a `T` and a `Z`.
    """
    (
        event_id, event_type, email, user_id, address, agent, success, details, created_at, actor, target_user_id,
        reason, request_id, peer, writer_id, seq, salt, personal_digest, anchors, signature, mac,
    ) = row  # fmt: skip
    time = created_at if isinstance(created_at, str) else write_time(created_at)
    content = {
        "id": event_id,
        "created_at": f"{time[:10]}T{time[11:]}Z",
        "event_type": event_type,
        "success": success == 1,
        "reason": reason,
        "user_email": email,
        "user_id": user_id,
        "actor": actor,
        "target_user_id": target_user_id,
        "ip_address": address,
        "peer_address": peer,
        "user_agent": agent,
        "request_id": request_id,
        "details": details,
        "generation": generation,
        "writer_id": writer_id,
        "seq": seq,
        "salt": None if salt is None else salt.hex(),
        "personal_digest": personal_digest.hex(),
        "mac": mac.hex(),
    }
    if anchors is not None:
        content["anchors"] = anchors
    if signature is not None:
        content["signature"] = signature.hex()
    return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)


def row_of(line: bytes) -> EventRow | None:
    """The row that a line was made from, or None when it was made from none: `render` gives the same line again."""
    try:
        content = orjson.loads(line)
        time = content["created_at"]
        salt, signature = content["salt"], content.get("signature")
        row: EventRow = (
            content["id"], content["event_type"], content["user_email"], content["user_id"], content["ip_address"],
            content["user_agent"], int(content["success"]), content["details"], f"{time[:10]} {time[11:-1]}",
            content["actor"], content["target_user_id"], content["reason"], content["request_id"],
            content["peer_address"], content["writer_id"], content["seq"],
            None if salt is None else bytes.fromhex(salt), bytes.fromhex(content["personal_digest"]),
            content.get("anchors"), None if signature is None else bytes.fromhex(signature),
            bytes.fromhex(content["mac"]),
        )  # fmt: skip
        is_same = render(row, content["generation"]).rstrip() == line.rstrip(b" \n")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return row if is_same else None


def place_of(line: bytes) -> tuple[str, int, int] | None:
    """Writer, sequence and generation of a line, or None when it is not one of ours."""
    if line.startswith(_BEGINNING) and line.endswith(_ENDS):
        found = _PLACE.match(line, line.find(_LANDMARK))
        if found is not None:
            return found[2].decode(), int(found[3]), int(found[1])
    return _parsed_place(line)


def _parsed_place(line: bytes) -> tuple[str, int, int] | None:
    try:
        content = orjson.loads(line)
        writer_id, seq, generation = content["writer_id"], content["seq"], content["generation"]
    except (ValueError, KeyError, TypeError):
        return None
    if not (isinstance(writer_id, str) and isinstance(seq, int) and isinstance(generation, int)):
        return None
    return writer_id, seq, generation


def id_of(line: bytes) -> str | None:
    """The event's id, which begins with its time, or None when the line is not one of ours."""
    try:
        event_id = orjson.loads(line)["id"]
    except (ValueError, KeyError, TypeError):
        return None
    return event_id if isinstance(event_id, str) else None
