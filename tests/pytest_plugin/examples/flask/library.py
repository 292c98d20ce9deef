from __future__ import annotations

from secrets import token_bytes
from typing import Any

import webauthn
from flask import Flask, jsonify, request, session
from webauthn.helpers import base64url_to_bytes, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

RP_ID, ORIGIN = "localhost", "http://localhost:5000"


class Refused(Exception):
    pass


class Ceremonies:
    def __init__(self) -> None:
        self._challenges: dict[tuple[str, str], bytes] = {}

    def begun(self, kind: str, name: str, options: Any) -> Any:
        # The session is in a cookie, and an old one can be sent again: the challenge stays here.
        session["name"] = name
        self._challenges[kind, name] = options.challenge
        return jsonify(status="ok", errorMessage="", **options_to_json_dict(options))

    def ended(self, kind: str) -> tuple[str, bytes]:
        name = session.get("name", "")
        if (kind, name) not in self._challenges:
            raise Refused("no such ceremony has begun")
        return name, self._challenges.pop((kind, name))


def refuse(error: Exception) -> Any:
    return jsonify(status="failed", errorMessage=str(error)), 400


def create_app() -> Flask:
    app = Flask(__name__)
    app.secret_key = token_bytes(32)
    app.register_error_handler(WebAuthnException, refuse)
    app.register_error_handler(Refused, refuse)
    passkeys: dict[str, dict[str, Any]] = {}
    ceremonies = Ceremonies()

    @app.post("/attestation/options")
    def attestation_options() -> Any:
        name = request.json["username"]
        options = webauthn.generate_registration_options(rp_id=RP_ID, rp_name="Library", user_name=name)
        return ceremonies.begun("registration", name, options)

    @app.post("/attestation/result")
    def attestation_result() -> Any:
        name, challenge = ceremonies.ended("registration")
        made = webauthn.verify_registration_response(
            credential=request.json, expected_challenge=challenge, expected_rp_id=RP_ID, expected_origin=ORIGIN
        )
        passkeys.setdefault(name, {})[request.json["id"]] = made
        return jsonify(status="ok", errorMessage="")

    @app.post("/assertion/options")
    def assertion_options() -> Any:
        name = request.json["username"]
        allowed = [PublicKeyCredentialDescriptor(base64url_to_bytes(one)) for one in passkeys.get(name, {})]
        options = webauthn.generate_authentication_options(rp_id=RP_ID, allow_credentials=allowed)
        return ceremonies.begun("login", name, options)

    @app.post("/assertion/result")
    def assertion_result() -> Any:
        name, challenge = ceremonies.ended("login")
        passkey = passkeys.get(name, {}).get(str(request.json["id"]))
        if passkey is None:
            raise Refused("that passkey is not theirs")
        used = webauthn.verify_authentication_response(
            credential=request.json,
            expected_challenge=challenge,
            expected_rp_id=RP_ID,
            expected_origin=ORIGIN,
            credential_public_key=passkey.credential_public_key,
            credential_current_sign_count=passkey.sign_count,
        )
        passkey.sign_count = used.new_sign_count
        return jsonify(status="ok", errorMessage="")

    return app
