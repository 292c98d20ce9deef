"""POST /login/begin and /login/complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.server.audit.events import EventType
from authctl.server.http.answers import Answer, json_answer
from authctl.server.http.documents import token_document
from authctl.server.http.models import LoginBegin, LoginComplete

if TYPE_CHECKING:
    from authctl.server.http.edge import Edge
    from authctl.server.http.request import Request


async def begin(request: Request, edge: Edge) -> Answer:
    """Options for `navigator.credentials.get()`."""
    body = await edge.gate.admit(request, EventType.LOGIN_BEGIN, LoginBegin)
    return json_answer(await edge.service.login.begin(body.email, request.caller))


async def complete(request: Request, edge: Edge) -> Answer:
    """An access token for whom the assertion proves."""
    body = await edge.gate.admit(request, EventType.LOGIN_COMPLETE, LoginComplete)
    return json_answer(token_document(await edge.service.login.complete(body.email, body.assertion, request.caller)))
