"""A small passwordless service with authctl's interface, verified by `webauthn`, that can be told to misbehave."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

import webauthn
from webauthn.helpers import options_to_json
from webauthn.helpers.exceptions import WebAuthnException

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.harness.lifespan import Message


class FakeServer:
    """An ASGI application.

    `answers` overrides what a path answers: (status, headers, body), a list of them, or a function of the document.
    """

    def __init__(self, origin: str = "http://localhost:8000", rp_id: str = "localhost") -> None:
        self.origin = origin
        self.rp_id = rp_id
        self.users: dict[str, dict[str, Any]] = {}
        self.credentials: dict[str, Any] = {}
        self.challenge = b""
        self.seen: list[tuple[str, str]] = []
        self.events: list[str] = []
        self.answers: dict[str, Any] = {}

    async def __call__(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.seen.append((scope["method"], scope["path"]))
        self.headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status, headers, content = self.answer(scope["path"], json.loads(body) if body else None)
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": content})

    async def _lifespan(self, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        for kind in ("startup", "shutdown"):
            await receive()
            self.events.append(kind)
            await send({"type": f"lifespan.{kind}.complete"})

    def answer(self, path: str, body: Any) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for one request."""
        override = self.answers.get(path)
        if isinstance(override, list):
            override = override.pop(0) if override else None
        if isinstance(override, tuple):
            status, headers, content = override
            return status, headers, content
        status, document = self._routes(path, body)
        if override is not None:
            document = override(document)
        kind = "application/json" if status < 400 else "application/problem+json"
        return status, {"content-type": kind}, json.dumps(document).encode()

    def _routes(self, path: str, body: Any) -> tuple[int, Any]:
        match path.split("/")[1:]:
            case ["register", "begin"]:
                return self._register_begin(body)
            case ["register", "complete"]:
                return self._register_complete(body)
            case ["login", "begin"]:
                return self._login_begin(body)
            case ["login", "complete"]:
                return self._login_complete(body)
            case ["users", user_id]:
                return 200, next(user for user in self.users.values() if user["id"] == user_id)
            case _:
                return 404, {"title": "Not found", "detail": "Not found"}

    def _register_begin(self, body: Any) -> tuple[int, Any]:
        handle = token_bytes(32)
        options = webauthn.generate_registration_options(
            rp_id=self.rp_id, rp_name="Fake", user_name=body["email"], user_id=handle
        )
        self.challenge = options.challenge
        return 200, {"publicKey": json.loads(options_to_json(options))}

    def _register_complete(self, body: Any) -> tuple[int, Any]:
        if body["email"] in self.users:
            return 400, {"detail": "Registration failed"}
        try:
            self.credentials[body["email"]] = webauthn.verify_registration_response(
                credential=body["credential"],
                expected_challenge=self.challenge,
                expected_rp_id=self.rp_id,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except WebAuthnException:
            return 400, {"type": "about:blank", "detail": "Registration failed"}
        user = {"id": f"user-{len(self.users)}", "email": body["email"], "role": "user"}
        self.users[body["email"]] = user
        return 201, user

    def _login_begin(self, body: Any) -> tuple[int, Any]:
        known = self.credentials.get(body.get("email"))
        identifier = known.credential_id if known else b"decoy"
        descriptors = [{"type": "public-key", "id": _text(identifier)}] if "email" in body else []
        self.challenge = b"challenge of a login, 32 bytes.."
        options = {"challenge": _text(self.challenge), "rpId": self.rp_id, "allowCredentials": descriptors}
        return 200, {"publicKey": {**options, "userVerification": "required", "timeout": 60000}}

    def _login_complete(self, body: Any) -> tuple[int, Any]:
        for email, known in self.credentials.items():
            if _text(known.credential_id) == body["assertion"]["id"]:
                return self._verify_login(email, known, body["assertion"])
        return 401, {"detail": "Invalid credentials"}

    def _verify_login(self, email: str, known: Any, assertion: Any) -> tuple[int, Any]:
        try:
            verified = webauthn.verify_authentication_response(
                credential=assertion,
                expected_challenge=self.challenge,
                expected_rp_id=self.rp_id,
                expected_origin=self.origin,
                credential_public_key=known.credential_public_key,
                credential_current_sign_count=known.sign_count,
                require_user_verification=True,
            )
        except WebAuthnException:
            return 401, {"detail": "Invalid credentials"}
        known.sign_count = verified.new_sign_count
        user = self.users[email]
        claims = {"sub": user["id"], "iat": 1, "exp": 3601, "role": user["role"]}
        return 200, {"access_token": token(claims), "token_type": "bearer", "expires_in": 3600, "user": user}


def token(claims: Any, header: Any = None, signature: str = "c2ln") -> str:
    """A token whose signature nobody checks."""
    parts = [_text(json.dumps(part).encode()) for part in (header or {"alg": "HS256", "typ": "at+jwt"}, claims)]
    return ".".join([*parts, signature])


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
