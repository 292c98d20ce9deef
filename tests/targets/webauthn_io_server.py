"""A server on py_webauthn with the paths of webauthn.io: `python -m` starts it on a free port."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from secrets import token_bytes, token_hex
from typing import TYPE_CHECKING, Any

import webauthn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AttestationFormat,
    PublicKeyCredentialDescriptor,
)

from tests.targets.serving import serve

if TYPE_CHECKING:
    from starlette.requests import Request
    from webauthn.registration.verify_registration_response import VerifiedRegistration

_SESSION = "sessionid"


@dataclass
class _Person:
    name: str
    handle: bytes = field(default_factory=lambda: token_bytes(32))
    credentials: dict[str, VerifiedRegistration] = field(default_factory=dict)


class _Refused(Exception):
    pass


class WebauthnIo:
    """Everybody's credentials and everybody's challenge, in memory; with a root it asks for packed attestation."""

    def __init__(self, origin: str, rp_id: str = "localhost", root: bytes = b"") -> None:
        self.origin = origin
        self.rp_id = rp_id
        self.roots = {AttestationFormat.PACKED: [root]} if root else {}
        self.people: dict[str, _Person] = {}
        self.challenges: dict[str, tuple[str, bytes]] = {}

    def app(self) -> Starlette:
        """The four endpoints."""
        steps = {
            "/registration/options": self.registration_options,
            "/registration/verification": self.registration_verification,
            "/authentication/options": self.authentication_options,
            "/authentication/verification": self.authentication_verification,
        }
        return Starlette(routes=[Route(path, _endpoint(step), methods=["POST"]) for path, step in steps.items()])

    def registration_options(self, body: dict[str, Any], session: str) -> dict[str, Any]:
        """Options for a new credential of whoever is named."""
        person = self.people.setdefault(body["username"], _Person(body["username"]))
        options = webauthn.generate_registration_options(
            rp_id=self.rp_id,
            rp_name="py_webauthn",
            user_name=person.name,
            user_id=person.handle,
            exclude_credentials=_listed(person),
            attestation=AttestationConveyancePreference.DIRECT if self.roots else AttestationConveyancePreference.NONE,
        )
        self.challenges[session] = person.name, options.challenge
        return options_to_json_dict(options)

    def registration_verification(self, body: dict[str, Any], session: str) -> dict[str, Any]:
        """Keeps the credential when it is right."""
        verified = webauthn.verify_registration_response(
            credential=body["response"],
            expected_challenge=self._taken(session, body),
            expected_rp_id=self.rp_id,
            expected_origin=self.origin,
            pem_root_certs_bytes_by_fmt=self.roots,
        )
        credential_id = bytes_to_base64url(verified.credential_id)
        if self._owner(credential_id) is not None:
            raise _Refused("That credential is registered already")
        self.people[body["username"]].credentials[credential_id] = verified
        return {"verified": True}

    def authentication_options(self, body: dict[str, Any], session: str) -> dict[str, Any]:
        """Options for a login of whoever is named, or for anybody."""
        person = self.people.get(body.get("username", ""))
        if person is None and "username" in body:
            raise _Refused("That username has no credentials")
        allow = _listed(person) if person else []
        options = webauthn.generate_authentication_options(rp_id=self.rp_id, allow_credentials=allow)
        self.challenges[session] = body.get("username", ""), options.challenge
        return options_to_json_dict(options)

    def authentication_verification(self, body: dict[str, Any], session: str) -> dict[str, Any]:
        """Whether the assertion is right."""
        credential_id = body["response"]["id"]
        known = self.people.get(body["username"]) if "username" in body else self._owner(credential_id)
        if known is None or credential_id not in known.credentials:
            raise _Refused("Unknown credential")
        kept = known.credentials[credential_id]
        verified = webauthn.verify_authentication_response(
            credential=body["response"],
            expected_challenge=self._taken(session, body),
            expected_rp_id=self.rp_id,
            expected_origin=self.origin,
            credential_public_key=kept.credential_public_key,
            credential_current_sign_count=kept.sign_count,
        )
        kept.sign_count = verified.new_sign_count
        return {"verified": True}

    def _owner(self, credential_id: str) -> _Person | None:
        return next((each for each in self.people.values() if credential_id in each.credentials), None)

    def _taken(self, session: str, body: dict[str, Any]) -> bytes:
        # A challenge is good for one answer, of whoever has begun.
        name, challenge = self.challenges.pop(session, ("", b""))
        if not challenge or name != body.get("username", ""):
            raise _Refused("No ceremony has begun")
        return challenge


def _listed(person: _Person) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(base64url_to_bytes(each)) for each in person.credentials]


def _endpoint(step: Any) -> Any:
    async def endpoint(request: Request) -> JSONResponse:
        session = request.cookies.get(_SESSION) or token_hex(16)
        try:
            answer = step(json.loads(await request.body()), session)
        except (_Refused, WebAuthnException) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        response = JSONResponse(answer)
        response.set_cookie(_SESSION, session, httponly=True)
        return response

    return endpoint


def create_app(origin: str) -> Starlette:
    """The application for pages of that origin."""
    return WebauthnIo(origin).app()


if __name__ == "__main__":
    serve(create_app)
