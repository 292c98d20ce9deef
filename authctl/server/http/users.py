"""GET /users/me and /users/{id}."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.server.http.answers import Answer, json_answer
from authctl.server.http.authentication import bearer_token
from authctl.server.http.documents import user_document

if TYPE_CHECKING:
    from authctl.server.http.edge import Edge
    from authctl.server.http.request import Request


async def me(request: Request, edge: Edge) -> Answer:
    """Who the token belongs to."""
    token = bearer_token(request.lines(b"authorization"))
    return json_answer(user_document(await edge.service.users.me(token, request.caller)))


async def show(request: Request, edge: Edge) -> Answer:
    """The user with the id in the path."""
    token = bearer_token(request.lines(b"authorization"))
    return json_answer(user_document(await edge.service.users.show(token, request.path_params["id"], request.caller)))
