from __future__ import annotations

from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

import webauthn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from webauthn.helpers import options_to_json_dict, parse_authentication_credential_json, parse_client_data_json
from webauthn.helpers import parse_registration_credential_json as parse_registration
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

RP_ID, ORIGIN = "localhost", "http://localhost:8000"
JsonBody = dict[str, Any]

app = FastAPI()


@dataclass
class Person:
    handle: bytes = field(default_factory=lambda: token_bytes(32))
    challenges: dict[str, bytes] = field(default_factory=dict)
    passkeys: dict[bytes, Any] = field(default_factory=dict)

    def take_challenge(self, ceremony: str) -> bytes:
        # A challenge is good for one answer, right or wrong, and for the ceremony that it was made for.
        if ceremony not in self.challenges:
            raise HTTPException(400, "no such ceremony has begun")
        return self.challenges.pop(ceremony)


people: dict[str, Person] = {}


def known(body: JsonBody) -> Person:
    if body.get("username") not in people:
        raise HTTPException(400, "nobody has that name")
    return people[body["username"]]


def require_own_page(client_data: bytes) -> None:
    # The library leaves it to us whether another site's page may frame ours.
    if parse_client_data_json(client_data).cross_origin:
        raise HTTPException(400, "not from a frame")


@app.exception_handler(WebAuthnException)
def refuse(request: Request, error: WebAuthnException) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=400)


@app.post("/registration/options")
def registration_options(body: JsonBody) -> Any:
    person = people.setdefault(body["username"], Person())
    options = webauthn.generate_registration_options(
        rp_id=RP_ID, rp_name="Shop", user_name=body["username"], user_id=person.handle
    )
    person.challenges["registration"] = options.challenge
    return options_to_json_dict(options)


@app.post("/registration/verification")
def registration_verification(body: JsonBody) -> Any:
    person = known(body)
    challenge = person.take_challenge("registration")
    credential = parse_registration(body["response"])
    made = webauthn.verify_registration_response(
        credential=credential,
        expected_challenge=challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
    )
    require_own_page(credential.response.client_data_json)
    if any(made.credential_id in other.passkeys for other in people.values()):
        raise HTTPException(400, "that passkey is registered already")
    person.passkeys[made.credential_id] = made
    return {"verified": True}


@app.post("/authentication/options")
def authentication_options(body: JsonBody) -> Any:
    person = known(body)
    allowed = [PublicKeyCredentialDescriptor(credential_id) for credential_id in person.passkeys]
    options = webauthn.generate_authentication_options(rp_id=RP_ID, allow_credentials=allowed)
    person.challenges["login"] = options.challenge
    return options_to_json_dict(options)


@app.post("/authentication/verification")
def authentication_verification(body: JsonBody) -> Any:
    person = known(body)
    challenge = person.take_challenge("login")
    assertion = parse_authentication_credential_json(body["response"])
    passkey = person.passkeys.get(assertion.raw_id)
    if passkey is None or assertion.response.user_handle not in (None, person.handle):
        raise HTTPException(400, "that passkey is not theirs")
    used = webauthn.verify_authentication_response(
        credential=assertion,
        expected_challenge=challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        credential_public_key=passkey.credential_public_key,
        credential_current_sign_count=passkey.sign_count,
    )
    require_own_page(assertion.response.client_data_json)
    if used.credential_device_type != passkey.credential_device_type:
        raise HTTPException(400, "a passkey does not begin or cease to be synced")
    passkey.sign_count = used.new_sign_count
    return {"verified": True}
