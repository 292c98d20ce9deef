"""A server on python-fido2 with the REST interface of FIDO's conformance tools, on a free port."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from secrets import token_bytes, token_hex
from typing import TYPE_CHECKING, Any

from fido2.server import Fido2Server
from fido2.webauthn import PublicKeyCredentialRpEntity, PublicKeyCredentialUserEntity
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.targets.serving import serve

if TYPE_CHECKING:
    from fido2.webauthn import AttestedCredentialData
    from starlette.requests import Request

_SESSION = "session"


@dataclass
class _Person:
    handle: bytes = field(default_factory=lambda: token_bytes(32))
    credentials: list[AttestedCredentialData] = field(default_factory=list)


class _Refused(Exception):
    pass


class ConformanceServer:
    """Everybody's credentials and everybody's challenge, in memory."""

    def __init__(self, origin: str, rp_id: str = "localhost") -> None:
        self.server = Fido2Server(
            PublicKeyCredentialRpEntity(id=rp_id, name="Conformance"), verify_origin=lambda given: given == origin
        )
        self.people: dict[str, _Person] = {}
        self.sessions: dict[str, tuple[str, Any]] = {}

    def app(self) -> Starlette:
        """The four endpoints."""
        steps = {
            "/attestation/options": self.attestation_options,
            "/attestation/result": self.attestation_result,
            "/assertion/options": self.assertion_options,
            "/assertion/result": self.assertion_result,
        }
        return Starlette(routes=[Route(path, _endpoint(step), methods=["POST"]) for path, step in steps.items()])

    def attestation_options(self, body: dict[str, Any], session: str) -> dict[str, Any]:
        """Options for a new credential of whoever is named."""
        person = self.people.setdefault(body["username"], _Person())
        user = PublicKeyCredentialUserEntity(
            id=person.handle, name=body["username"], display_name=body.get("displayName", "")
        )
        options, state = self.server.register_begin(user, person.credentials)
        self.sessions[session] = (body["username"], state)
        return dict(options.public_key)

    def attestation_result(self, body: dict[str, Any], session: str) -> dict[str, Any]:
        """Keeps the credential when it is right."""
        name, state = self._taken(session)
        verified = self.server.register_complete(state, body)
        if verified.credential_data is None:
            raise _Refused("no credential")
        known = [each.credential_id for person in self.people.values() for each in person.credentials]
        if verified.credential_data.credential_id in known:
            raise _Refused("known credential")
        self.people[name].credentials.append(verified.credential_data)
        return {}

    def assertion_options(self, body: dict[str, Any], session: str) -> dict[str, Any]:
        """Options for a login of whoever is named."""
        person = self.people.get(body["username"])
        if person is None or not person.credentials:
            raise _Refused("unknown user")
        options, state = self.server.authenticate_begin(person.credentials, body.get("userVerification"))
        self.sessions[session] = (body["username"], state)
        return dict(options.public_key)

    def assertion_result(self, body: dict[str, Any], session: str) -> dict[str, Any]:
        """Whether the assertion is right."""
        name, state = self._taken(session)
        self.server.authenticate_complete(state, self.people[name].credentials, body)
        return {}

    def _taken(self, session: str) -> tuple[str, Any]:
        # A challenge is good for one answer.
        if session not in self.sessions:
            raise _Refused("no ceremony has begun")
        return self.sessions.pop(session)


def _endpoint(step: Any) -> Any:
    async def endpoint(request: Request) -> JSONResponse:
        session = request.cookies.get(_SESSION) or token_hex(16)
        try:
            answer = step(json.loads(await request.body()), session)
        # The library has no class of its own for credentials that are not right.
        except (_Refused, ValueError, KeyError, TypeError) as error:
            reason = f"{type(error).__name__}: {error}"
            return JSONResponse({"status": "failed", "errorMessage": reason}, status_code=400)
        response = JSONResponse({"status": "ok", "errorMessage": "", **answer})
        response.set_cookie(_SESSION, session, httponly=True)
        return response

    return endpoint


def create_app(origin: str) -> Starlette:
    """The application for pages of that origin."""
    return ConformanceServer(origin).app()


if __name__ == "__main__":
    serve(create_app)
