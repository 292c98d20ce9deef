"""The JSON around a credential: exact where it matters, indifferent where browsers add."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies import envelope
from authctl.server.ceremonies.reasons import Reason
from tests.server.ceremonies.messages import ABSENT, Passkey, client_data, text

CHALLENGE = b"c" * 32
PASSKEY = Passkey()
CREATED = PASSKEY.create(CHALLENGE)
GOT = PASSKEY.get(CHALLENGE)


def changed(valid: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one member replaced, or left out for ABSENT."""
    result = copy.deepcopy(valid)
    *parents, name = path.split(".")
    target = result[parents[0]] if parents else result
    if value is ABSENT:
        del target[name]
    else:
        target[name] = value
    return result


def test_a_registration_is_read() -> None:
    read = envelope.read_registration(CREATED)
    assert read.credential_id == PASSKEY.credential_id
    assert text(read.attestation_object) == CREATED["response"]["attestationObject"]
    assert (text(read.client_data), read.client.challenge) == (CREATED["response"]["clientDataJSON"], text(CHALLENGE))
    assert read.transports == ("internal", "hybrid")


def test_an_assertion_is_read() -> None:
    read = envelope.read_assertion(GOT)
    assert (read.credential_id, read.user_handle) == (PASSKEY.credential_id, b"h" * 64)
    assert text(read.authenticator_data) == GOT["response"]["authenticatorData"]
    assert text(read.signature) == GOT["response"]["signature"]
    assert (text(read.client_data), read.client.type) == (GOT["response"]["clientDataJSON"], "webauthn.get")


DEFECTS: dict[str, tuple[str, Any]] = {
    "no id": ("id", ABSENT),
    "id with other characters": ("id", GOT["id"] + "!"),
    "another id than rawId": ("id", text(b"another id than that")),
    "id as a number": ("id", 5),
    "no rawId": ("rawId", ABSENT),
    "rawId as a number": ("rawId", 5),
    "rawId padded": ("rawId", GOT["id"] + "="),
    "rawId with junk": ("rawId", "!" + GOT["id"]),
    "no type": ("type", ABSENT),
    "type as a list": ("type", ["public-key"]),
    "another type": ("type", "password"),
    "no response": ("response", ABSENT),
    "response as text": ("response", "{}"),
    "response as a list": ("response", []),
    "no client data": ("response.clientDataJSON", ABSENT),
    "client data as an object": ("response.clientDataJSON", {}),
    "client data in the other alphabet": ("response.clientDataJSON", "+/+/"),
}
REGISTRATION_DEFECTS: dict[str, tuple[str, Any]] = {
    "no attestation object": ("response.attestationObject", ABSENT),
    "attestation object as a number": ("response.attestationObject", 1),
    "attestation object padded": ("response.attestationObject", "AA=="),
    "transports as text": ("response.transports", "internal"),
    "transports with a number": ("response.transports", ["usb", 1]),
}
ASSERTION_DEFECTS: dict[str, tuple[str, Any]] = {
    "no authenticator data": ("response.authenticatorData", ABSENT),
    "authenticator data as a list": ("response.authenticatorData", []),
    "authenticator data with foreign characters": ("response.authenticatorData", "****"),
    "no signature": ("response.signature", ABSENT),
    "signature as null": ("response.signature", None),
    "signature with foreign characters": ("response.signature", "A.A."),
    "user handle as a number": ("response.userHandle", 1),
    "user handle as an object": ("response.userHandle", {}),
    "user handle of one character": ("response.userHandle", "A"),
}


@pytest.mark.parametrize(
    ("path", "value"), (DEFECTS | REGISTRATION_DEFECTS).values(), ids=DEFECTS | REGISTRATION_DEFECTS
)
def test_a_registration_is_refused_when_a_member_is_missing_or_of_the_wrong_kind(path: str, value: Any) -> None:
    with pytest.raises(CeremonyFailed) as refusal:
        envelope.read_registration(changed(CREATED, path, value))
    assert refusal.value.reason == Reason.MALFORMED_RESPONSE


@pytest.mark.parametrize(("path", "value"), (DEFECTS | ASSERTION_DEFECTS).values(), ids=DEFECTS | ASSERTION_DEFECTS)
def test_an_assertion_is_refused_when_a_member_is_missing_or_of_the_wrong_kind(path: str, value: Any) -> None:
    with pytest.raises(CeremonyFailed) as refusal:
        envelope.read_assertion(changed(GOT, path, value))
    assert refusal.value.reason == Reason.MALFORMED_RESPONSE


@pytest.mark.parametrize("nonsense", [None, [], "text", 5, {}, True])
def test_nonsense_is_refused_in_both_ceremonies(nonsense: object) -> None:
    for read in (envelope.read_registration, envelope.read_assertion):
        with pytest.raises(CeremonyFailed) as refusal:
            read(nonsense)
        assert refusal.value.reason == Reason.MALFORMED_RESPONSE


def test_the_answer_of_the_other_ceremony_is_refused() -> None:
    with pytest.raises(CeremonyFailed):
        envelope.read_registration(GOT)
    with pytest.raises(CeremonyFailed):
        envelope.read_assertion(CREATED)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("authenticatorAttachment", "telepathic"),
        ("authenticatorAttachment", ABSENT),
        ("authenticatorAttachment", 7),
        ("clientExtensionResults", {"prf": {"enabled": True}, "appid": True}),
        ("clientExtensionResults", ABSENT),
        ("unknown", {"a": [1]}),
        ("response.unknown", [None]),
    ],
)
def test_unknown_members_and_attachments_are_ignored(path: str, value: Any) -> None:
    assert envelope.read_assertion(changed(GOT, path, value)) == envelope.read_assertion(GOT)
    assert envelope.read_registration(changed(CREATED, path, value)) == envelope.read_registration(CREATED)


@pytest.mark.parametrize(
    ("transports", "kept"),
    [
        (None, ()),
        ([], ()),
        (["usb", "smoke-signal"], ("usb", "smoke-signal")),
        (["USB", "a b", "<script>", "", "x" * 33, "nfc"], ("nfc",)),
        (["usb"] * 20, ("usb",) * 8),
    ],
)
def test_transports_are_kept_as_far_as_they_are_names(transports: Any, kept: tuple[str, ...]) -> None:
    assert envelope.read_registration(changed(CREATED, "response.transports", transports)).transports == kept


def test_a_missing_user_handle_is_none_and_an_empty_one_is_empty() -> None:
    assert envelope.read_assertion(changed(GOT, "response.userHandle", None)).user_handle is None
    assert envelope.read_assertion(changed(GOT, "response.userHandle", ABSENT)).user_handle is None
    assert envelope.read_assertion(changed(GOT, "response.userHandle", "")).user_handle == b""


def test_a_defective_answer_still_names_its_challenge() -> None:
    """R-CH-03."""
    assert (
        envelope.presented_challenge({"response": {"clientDataJSON": GOT["response"]["clientDataJSON"]}}) == CHALLENGE
    )
    twice = client_data("get", CHALLENGE)[:-1] + b',"origin":"x"}'
    assert envelope.presented_challenge({"response": {"clientDataJSON": text(twice)}}) == CHALLENGE


@pytest.mark.parametrize(
    "client",
    [
        "",
        "!",
        text(b"[]"),
        text(b"{}"),
        text(b'{"challenge":1}'),
        text(b'{"challenge":"A"}'),
        text(b"[" * 40_000),
        None,
    ],
)
def test_a_challenge_that_cannot_be_made_out_is_none(client: object) -> None:
    assert envelope.presented_challenge({"response": {"clientDataJSON": client}}) is None
