"""The passkeys of an account: GET, POST begin and complete, PATCH and DELETE below /users/me and /users/{id}."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.server.accounts.credential_access import ADD, BEGIN, RENAME
from authctl.server.accounts.credential_views import credential_document
from authctl.server.http.answers import Answer, json_answer
from authctl.server.http.authentication import bearer_token
from authctl.server.http.models import CredentialBegin, CredentialComplete, CredentialRename

if TYPE_CHECKING:
    from authctl.server.accounts.credential_events import Attempt
    from authctl.server.http.ceremony_gate import Body
    from authctl.server.http.edge import Edge
    from authctl.server.http.request import Request


async def list_own(request: Request, edge: Edge) -> Answer:
    """The passkeys of whom the token belongs to."""
    return await _list(request, edge, None)


async def list_of(request: Request, edge: Edge) -> Answer:
    """The passkeys of the user with the id in the path."""
    return await _list(request, edge, request.path_params["id"])


async def begin(request: Request, edge: Edge) -> Answer:
    """Options for `navigator.credentials.create()`."""
    await _admit(request, edge, BEGIN, CredentialBegin)
    return json_answer(await edge.service.adding.begin(_token(request), request.caller))


async def complete(request: Request, edge: Edge) -> Answer:
    """The passkey that was added."""
    body = await _admit(request, edge, ADD, CredentialComplete)
    added = await edge.service.adding.complete(_token(request), body.credential, body.name, request.caller)
    return json_answer(credential_document(added), status=201)


async def rename_own(request: Request, edge: Edge) -> Answer:
    """A passkey of whom the token belongs to, under its new name."""
    return await _rename(request, edge, None)


async def rename(request: Request, edge: Edge) -> Answer:
    """A passkey of the user with the id in the path, under its new name."""
    return await _rename(request, edge, request.path_params["id"])


async def remove_own(request: Request, edge: Edge) -> Answer:
    """Nothing: a passkey of whom the token belongs to is removed."""
    return await _remove(request, edge, None)


async def remove(request: Request, edge: Edge) -> Answer:
    """Nothing: a passkey of the user with the id in the path is removed."""
    return await _remove(request, edge, request.path_params["id"])


async def _list(request: Request, edge: Edge, user_id: str | None) -> Answer:
    found = await edge.service.credentials.list(_token(request), user_id, request.caller)
    return json_answer({"credentials": [credential_document(one) for one in found]})


async def _rename(request: Request, edge: Edge, user_id: str | None) -> Answer:
    body = await _admit(request, edge, RENAME, CredentialRename, user_id)
    renamed = await edge.service.credentials.rename(
        _token(request), user_id, request.path_params["credential_id"], body.name, request.caller
    )
    return json_answer(credential_document(renamed))


async def _remove(request: Request, edge: Edge, user_id: str | None) -> Answer:
    await edge.service.credentials.remove(
        _token(request), user_id, request.path_params["credential_id"], request.caller
    )
    return Answer(204)


async def _admit(request: Request, edge: Edge, attempt: Attempt, shape: type[Body], user_id: str | None = None) -> Body:
    """The body; whoever has no token is told so before anything is said of what they sent."""
    subject = await edge.service.credentials.require_token(_token(request), user_id, attempt, request.caller)
    return await edge.gate.admit(request, attempt.event_type, shape, subject)


def _token(request: Request) -> str | None:
    return bearer_token(request.lines(b"authorization"))
