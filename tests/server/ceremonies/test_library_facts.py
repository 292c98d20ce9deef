"""What the library does by itself: should one of these change, our own layer is to be looked at again."""

from __future__ import annotations

from typing import Any

import pytest
import webauthn
from webauthn.helpers.exceptions import WebAuthnException

from authctl.server.ceremonies.reasons import Reason
from tests.server.ceremonies import messages
from tests.server.ceremonies.judging import CHALLENGE, PASSKEY, log_in, refusal_of, register
from tests.server.ceremonies.messages import (
    ORIGIN,
    RP_ID,
    UP,
    attested_data,
    authenticator_data,
    cbor,
    client_data,
    text,
)


def library_register(credential: dict[str, Any], **changes: Any) -> Any:
    arguments: dict[str, Any] = {
        "expected_challenge": CHALLENGE,
        "expected_rp_id": RP_ID,
        "expected_origin": ORIGIN,
    }
    return webauthn.verify_registration_response(credential=credential, **arguments | changes)


LIBRARY_ACCEPTS: dict[str, dict[str, Any]] = {
    "A-1 crossOrigin": PASSKEY.create(CHALLENGE, client=client_data("create", CHALLENGE, crossOrigin=True)),
    "A-1 topOrigin": PASSKEY.create(
        CHALLENGE, client=client_data("create", CHALLENGE, topOrigin="https://evil.example")
    ),
    "A-3 an id of 60,000 bytes": PASSKEY.create(
        CHALLENGE, data=authenticator_data(attested=attested_data(b"i" * 60_000, PASSKEY.public_key))
    ),
    "A-3 a point off the curve": PASSKEY.create(
        CHALLENGE,
        data=authenticator_data(
            attested=attested_data(b"i" * 16, cbor({1: 2, 3: -7, -1: 1, -2: bytes(32), -3: b"\1" * 32}))
        ),
    ),
    "A-4 a padded challenge": PASSKEY.create(
        CHALLENGE, client=client_data("create", CHALLENGE, challenge=text(CHALLENGE) + "=")
    ),
    "A-5b bytes after the attestation object": PASSKEY.create(
        CHALLENGE, obj=messages.attestation_object(authenticator_data(attested=PASSKEY.attested)) + b"x"
    ),
    "A-5b UV clear": PASSKEY.create(CHALLENGE, data=authenticator_data(UP, attested=PASSKEY.attested)),
}


@pytest.mark.parametrize("credential", LIBRARY_ACCEPTS.values(), ids=LIBRARY_ACCEPTS)
def test_the_library_alone_accepts_what_this_layer_refuses(credential: dict[str, Any]) -> None:
    assert library_register(credential).fmt == "none"
    assert refusal_of(lambda: register(credential)) in set(Reason)


def test_the_library_alone_judges_the_count_before_the_signature() -> None:
    """A-2."""
    answer = PASSKEY.get(CHALLENGE, data=authenticator_data(sign_count=3), signature=b"\x30\x00")
    with pytest.raises(WebAuthnException, match="sign count"):
        webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=CHALLENGE,
            expected_rp_id=RP_ID,
            expected_origin=ORIGIN,
            credential_public_key=PASSKEY.public_key,
            credential_current_sign_count=5,
        )
    assert refusal_of(lambda: log_in(answer)) == Reason.SIGNATURE_INVALID


def test_the_library_alone_raises_what_it_likes() -> None:
    """A-5."""
    data = authenticator_data(attested=attested_data(b"i" * 16, cbor({3: -7})))
    credential = PASSKEY.create(CHALLENGE, data=data)
    with pytest.raises(KeyError):
        library_register(credential)
    assert refusal_of(lambda: register(credential)) in set(Reason)
