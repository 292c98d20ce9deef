"""Applications with the shapes of servers that are not started in tests: hypermedia, pages with forms."""

from __future__ import annotations

import html
import json
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from webauthn.helpers.exceptions import WebAuthnException

from tests.targets.webauthn_io_server import WebauthnIo

if TYPE_CHECKING:
    from starlette.requests import Request


def go_webauthn(origin: str) -> Starlette:
    """Options under publicKey, the credential as the body, plain text for errors, a cookie with a path."""
    server = WebauthnIo(origin)

    async def begin(request: Request) -> Response:
        body, session = {"username": request.query_params["username"]}, token_hex(8)
        step = server.registration_options if "register" in request.url.path else server.authentication_options
        response = JSONResponse({"publicKey": step(body, session)})
        response.set_cookie("webauthn-session", session, path="/")
        return response

    async def finish(request: Request) -> Response:
        body = {"username": request.query_params["username"], "response": json.loads(await request.body())}
        is_registration = "register" in request.url.path
        step = server.registration_verification if is_registration else server.authentication_verification
        try:
            step(body, request.cookies.get("webauthn-session", ""))
        except WebAuthnException as error:
            return PlainTextResponse(str(error), 400)
        return JSONResponse("ok")

    paths = ("register", "login")
    begins = [Route(f"/{path}/begin", begin, methods=["GET"]) for path in paths]
    return Starlette(routes=[*begins, *(Route(f"/{path}/finish", finish, methods=["POST"]) for path in paths)])


class Hanko:
    """States with actions, each with an address to post to, and a token that the next request repeats."""

    def __init__(self, origin: str) -> None:
        self.server = WebauthnIo(origin)
        self.flows: dict[str, dict[str, str]] = {}

    def app(self) -> Starlette:
        return Starlette(routes=[Route(f"/{name}", self.act, methods=["POST"]) for name in ("registration", "login")])

    async def act(self, request: Request) -> Response:
        body = json.loads(await request.body())
        action, _, flow = request.query_params.get("action", "").partition("@")
        if not action:
            flow = token_hex(8)
            self.flows[flow] = {}
        elif self.flows[flow]["csrf"] != body["csrf_token"]:
            return JSONResponse({"name": "error", "error": {"code": "csrf"}}, 403)
        self.flows[flow]["csrf"] = token_hex(8)
        try:
            name, payload, actions = self._next(action, flow, body.get("input_data", {}), request.url.path)
        except WebAuthnException as error:
            return JSONResponse({"name": "error", "error": {"code": "passkey_invalid", "message": str(error)}}, 400)
        href = f"{request.url.path}?action={{}}%40{flow}"
        links = {each: {"href": href.format(each)} for each in actions}
        return JSONResponse(
            {"name": name, "payload": payload, "actions": links, "csrf_token": self.flows[flow]["csrf"]}
        )

    def _next(self, action: str, flow: str, given: Any, path: str) -> tuple[str, Any, list[str]]:
        person = {"username": self.flows[flow].get("email", "")}
        match action:
            case "":
                return "preflight", {}, ["register_client_capabilities"]
            case "register_client_capabilities" if path == "/registration":
                return "registration_init", {}, ["register_login_identifier"]
            case "register_client_capabilities":
                return "login_init", {}, ["webauthn_generate_request_options"]
            case "register_login_identifier":
                self.flows[flow]["email"] = given["email"]
                return "onboarding_create_passkey", {}, ["webauthn_generate_creation_options"]
            case "webauthn_generate_creation_options":
                options = {"creation_options": {"publicKey": self.server.registration_options(person, flow)}}
                return "onboarding_verify", options, ["webauthn_verify_attestation_response"]
            case "webauthn_verify_attestation_response":
                self.server.registration_verification({**person, "response": given["public_key"]}, flow)
            case "webauthn_generate_request_options":
                options = {"request_options": {"publicKey": self.server.authentication_options({}, flow)}}
                return "login_passkey", options, ["webauthn_verify_assertion_response"]
            case _:
                self.server.authentication_verification({"response": given["assertion_response"]}, flow)
        return "success", {}, []


_REGISTER_PAGE = """<html><form id="register" class="x" action="{action}" method="post"></form><script>
const input = {{ challenge : '{challenge}', userid : '{user_id}', username : '{username}',
signatureAlgorithms : [-7], rpEntityName : 'keycloak', rpId : 'localhost' }};</script></html>"""
_LOGIN_PAGE = """<html><form id="webauth" action="{action}" method="post"></form><script>
const input = {{ isUserIdentified : false, challenge : '{challenge}', userVerification : 'preferred',
rpId : 'localhost' }};</script></html>"""
_ERROR_PAGE = '<html><div class="alert-error"></div><span class="kc-feedback-text">Failed to register</span></html>'


class Keycloak:
    """Pages with loose values in scripts, forms, and redirects; addresses in them are escaped as HTML."""

    def __init__(self, origin: str) -> None:
        self.server = WebauthnIo(origin)
        self.origin = origin
        self.names: dict[str, str] = {}

    def app(self) -> Starlette:
        realm = "/realms/test"
        return Starlette(
            routes=[
                Route(f"{realm}/protocol/openid-connect/registrations", self.form, methods=["GET"]),
                Route(f"{realm}/protocol/openid-connect/auth", self.login, methods=["GET"]),
                Route(f"{realm}/action/{{step}}", self.page, methods=["GET"]),
                Route(f"{realm}/action/{{step}}", self.submit, methods=["POST"]),
            ]
        )

    def _action(self, step: str, session: str) -> str:
        return html.escape(f"{self.origin}/realms/test/action/{step}?session={session}&tab=1")

    async def form(self, request: Request) -> Response:
        session = token_hex(8)
        page = HTMLResponse(f'<form action="{self._action("person", session)}" method="post"></form>')
        page.set_cookie("AUTH_SESSION_ID", session, path="/realms/test/", secure=True, httponly=True)
        return page

    async def login(self, request: Request) -> Response:
        session = token_hex(8)
        options = self.server.authentication_options({}, session)
        page = _LOGIN_PAGE.format(action=self._action("assert", session), challenge=options["challenge"])
        response = HTMLResponse(page)
        response.set_cookie("AUTH_SESSION_ID", session, path="/realms/test/", secure=True)
        return response

    async def page(self, request: Request) -> Response:
        session = request.cookies["AUTH_SESSION_ID"]
        options = self.server.registration_options({"username": self.names[session]}, session)
        return HTMLResponse(
            _REGISTER_PAGE.format(
                action=self._action("create", session),
                challenge=options["challenge"],
                user_id=options["user"]["id"],
                username=self.names[session],
            )
        )

    async def submit(self, request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode()))
        session = request.cookies["AUTH_SESSION_ID"]
        if request.path_params["step"] == "person":
            self.names[session] = fields["username"]
            return RedirectResponse(f"{self.origin}/realms/test/action/next?session={session}", 302)
        try:
            self._verify(request.path_params["step"], fields, session)
        except WebAuthnException:
            return HTMLResponse(_ERROR_PAGE)
        return RedirectResponse(f"{self.origin}/realms/test/account/?session_state=1&code=abc", 302)

    def _verify(self, step: str, fields: dict[str, str], session: str) -> None:
        is_login = step == "assert"
        identifier = fields["credentialId" if is_login else "publicKeyCredentialId"]
        credential = {"id": identifier, "rawId": identifier, "type": "public-key", "response": fields}
        if is_login:
            self.server.authentication_verification({"response": credential}, session)
        else:
            self.server.registration_verification({"username": self.names[session], "response": credential}, session)
