"""What an endpoint returns, and how it becomes ASGI messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from starlette.types import Scope, Send

    Fields = tuple[tuple[bytes, bytes], ...]

JSON = b"application/json; charset=utf-8"
PROBLEM = b"application/problem+json; charset=utf-8"
TEXT = b"text/plain; charset=utf-8"

LARGEST_PIECE: Final = 64 * 1024
"""A body goes out in pieces of this size, so that a client that reads slowly holds no more of it in memory."""

_TIMES = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response: status, body, and header fields beside or in place of those that every answer gets."""

    status: int
    body: bytes = b""
    content_type: bytes | None = None
    fields: Fields = ()


def json_answer(value: Any, *, status: int = 200, fields: Fields = ()) -> Answer:
    """`value` as JSON; times come out in UTC with `Z`."""
    return Answer(status, orjson.dumps(value, option=_TIMES), JSON, fields)


async def send_answer(answer: Answer, scope: Scope, send: Send) -> None:
    """Sends `answer`; to HEAD its header alone."""
    fields = list(answer.fields)
    if answer.content_type is not None:
        fields.append((b"content-type", answer.content_type))
    if answer.status not in (204, 304):
        fields.append((b"content-length", b"%d" % len(answer.body)))
    body = b"" if scope["method"] == "HEAD" else answer.body
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    sent = 0
    while len(body) - sent > LARGEST_PIECE:
        await send({"type": "http.response.body", "body": body[sent : sent + LARGEST_PIECE], "more_body": True})
        sent += LARGEST_PIECE
    await send({"type": "http.response.body", "body": body[sent:]})
