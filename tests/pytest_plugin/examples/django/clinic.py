# mypy: ignore-errors
from __future__ import annotations

import json
from functools import wraps
from secrets import token_urlsafe
from typing import Any

import webauthn
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from webauthn.helpers import base64url_to_bytes, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

RP_ID, ORIGIN = "clinic.example", "https://clinic.example"

settings.configure(
    SECRET_KEY=token_urlsafe(),
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=[RP_ID],
    INSTALLED_APPS=["django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
)

passkeys: dict[str, dict[str, Any]] = {}


class Refused(Exception):
    pass


def view(function: Any) -> Any:
    @wraps(function)
    def answer(request: HttpRequest) -> JsonResponse:
        try:
            return JsonResponse(function(request, json.loads(request.body)))
        except (WebAuthnException, Refused) as error:
            return JsonResponse({"error": str(error)}, status=400)

    return answer


def begun(request: HttpRequest, kind: str, name: str, options: Any) -> Any:
    request.session["ceremony"] = [kind, name, options.challenge.hex()]
    return options_to_json_dict(options)


def ended(request: HttpRequest, kind: str) -> tuple[str, bytes]:
    ceremony = request.session.pop("ceremony", None)
    # A challenge is good for the ceremony that it was made for.
    if ceremony is None or ceremony[0] != kind:
        raise Refused("no such ceremony has begun")
    # Of two answers that come at once, one finds the session that the other has saved already.
    request.session.save()
    return ceremony[1], bytes.fromhex(ceremony[2])


@view
def register_begin(request: HttpRequest, body: Any) -> Any:
    name = body["name"]
    options = webauthn.generate_registration_options(rp_id=RP_ID, rp_name="Clinic", user_name=name)
    return begun(request, "registration", name, options)


@view
def register_end(request: HttpRequest, body: Any) -> Any:
    name, challenge = ended(request, "registration")
    made = webauthn.verify_registration_response(
        credential=body, expected_challenge=challenge, expected_rp_id=RP_ID, expected_origin=ORIGIN
    )
    if any(body["id"] in others for others in passkeys.values()):
        raise Refused("that passkey is registered already")
    passkeys.setdefault(name, {})[body["id"]] = made
    return {"welcome": name}


@view
def login_begin(request: HttpRequest, body: Any) -> Any:
    allowed = [PublicKeyCredentialDescriptor(base64url_to_bytes(one)) for one in passkeys.get(body["name"], {})]
    options = webauthn.generate_authentication_options(rp_id=RP_ID, allow_credentials=allowed)
    return begun(request, "login", body["name"], options)


@view
def login_end(request: HttpRequest, body: Any) -> Any:
    name, challenge = ended(request, "login")
    passkey = passkeys.get(name, {}).get(str(body["id"]))
    if passkey is None:
        raise Refused("that passkey is not theirs")
    used = webauthn.verify_authentication_response(
        credential=body,
        expected_challenge=challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        credential_public_key=passkey.credential_public_key,
        credential_current_sign_count=passkey.sign_count,
    )
    passkey.sign_count = used.new_sign_count
    return {"welcome": name}


urlpatterns = [
    path("register/begin", register_begin),
    path("register/end", register_end),
    path("login/begin", login_begin),
    path("login/end", login_end),
]
application = get_wsgi_application()
