"""POST /register/begin and /register/complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.server.audit.events import EventType
from authctl.server.http.answers import Answer, json_answer
from authctl.server.http.documents import user_document
from authctl.server.http.models import RegistrationBegin, RegistrationComplete

if TYPE_CHECKING:
    from authctl.server.http.edge import Edge
    from authctl.server.http.request import Request


async def begin(request: Request, edge: Edge) -> Answer:
    """Options for `navigator.credentials.create()`."""
    body = await edge.gate.admit(request, EventType.REGISTRATION_BEGIN, RegistrationBegin)
    return json_answer(await edge.service.registration.begin(body.profile(), request.caller))


async def complete(request: Request, edge: Edge) -> Answer:
    """The user that the new credential has brought into being."""
    body = await edge.gate.admit(request, EventType.REGISTRATION_COMPLETE, RegistrationComplete)
    user = await edge.service.registration.complete(body.email, body.credential, request.caller)
    return json_answer(user_document(user), status=201, fields=((b"location", f"/users/{user.id}".encode("ascii")),))
