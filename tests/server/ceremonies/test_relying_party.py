"""The two judgements: each step refuses what it is there for, and the library's own failures never get out."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st
from webauthn.helpers.exceptions import WebAuthnException

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies import cose_key, envelope, relying_party
from authctl.server.ceremonies.cbor import read as read_cbor
from authctl.server.ceremonies.reasons import Reason
from tests.server.ceremonies import messages
from tests.server.ceremonies.judging import CHALLENGE, EXPECTED, FRAMED, KEYS, PASSKEY, log_in, refusal_of, register
from tests.server.ceremonies.messages import (
    ABSENT,
    BE,
    BS,
    EDDSA,
    ES256,
    ORIGIN,
    RS256,
    UP,
    UV,
    Passkey,
    attested_data,
    authenticator_data,
    cbor,
    client_data,
    sign,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("algorithm", KEYS)
def test_valid_messages_prove_what_they_say(algorithm: int) -> None:
    passkey = KEYS[algorithm]
    for credential, name in (
        (passkey.create(CHALLENGE), "none"),
        (passkey.create_packed(CHALLENGE), "packed-self"),
    ):
        verified = register(credential)
        assert verified == relying_party.VerifiedRegistration(
            credential_id=passkey.credential_id,
            public_key=passkey.public_key,
            algorithm=algorithm,
            sign_count=0,
            aaguid="00112233-4455-6677-8899-aabbccddeeff",
            transports=("internal", "hybrid"),
            attestation_format=name,
            is_user_verified=True,
            is_backup_eligible=False,
            is_backed_up=False,
        )
    data = authenticator_data(UP | UV, sign_count=7)
    proved = log_in(passkey.get(CHALLENGE, data=data), passkey)
    assert proved == relying_party.VerifiedAssertion(sign_count=7, is_user_verified=True, is_backed_up=False)


# Steps that both ceremonies have, each with one change of valid client data.
CLIENT_CHANGES: dict[str, tuple[dict[str, Any], Reason]] = {
    "type of the other ceremony": ({"type": "swap"}, Reason.CEREMONY_TYPE_MISMATCH),
    "another type": ({"type": "payment.get"}, Reason.CEREMONY_TYPE_MISMATCH),
    "type in capitals": ({"type": "upper"}, Reason.CEREMONY_TYPE_MISMATCH),
    "type with a NUL": ({"type": "webauthn.get\0"}, Reason.CEREMONY_TYPE_MISMATCH),
    "another challenge": ({"challenge": text(b"d" * 32)}, Reason.CHALLENGE_MISMATCH),
    "no challenge text": ({"challenge": ""}, Reason.CHALLENGE_MISMATCH),
    "a prefix of the challenge": ({"challenge": text(CHALLENGE[:16])}, Reason.CHALLENGE_MISMATCH),
    "more than the challenge": ({"challenge": text(CHALLENGE + b"x")}, Reason.CHALLENGE_MISMATCH),
    "the challenge padded": ({"challenge": text(CHALLENGE) + "="}, Reason.CHALLENGE_MISMATCH),
    "the challenge with spare bits": ({"challenge": text(CHALLENGE)[:-1] + "N"}, Reason.CHALLENGE_MISMATCH),
    "an origin elsewhere": ({"origin": "https://evil.example"}, Reason.ORIGIN_MISMATCH),
    "no origin text": ({"origin": ""}, Reason.ORIGIN_MISMATCH),
    "an opaque origin": ({"origin": "null"}, Reason.ORIGIN_MISMATCH),
    "another scheme": ({"origin": "https://localhost:8000"}, Reason.ORIGIN_MISMATCH),
    "another port": ({"origin": "http://localhost:8001"}, Reason.ORIGIN_MISMATCH),
    "no port": ({"origin": "http://localhost"}, Reason.ORIGIN_MISMATCH),
    "an origin in capitals": ({"origin": "http://LOCALHOST:8000"}, Reason.ORIGIN_MISMATCH),
    "a dot at the end of the host": ({"origin": "http://localhost.:8000"}, Reason.ORIGIN_MISMATCH),
    "a slash at the end": ({"origin": ORIGIN + "/"}, Reason.ORIGIN_MISMATCH),
    "a subdomain": ({"origin": "http://a.localhost:8000"}, Reason.ORIGIN_MISMATCH),
    "a host that ends like ours": ({"origin": "http://notlocalhost:8000"}, Reason.ORIGIN_MISMATCH),
    "a host that begins like ours": ({"origin": "http://localhost:8000.evil.example"}, Reason.ORIGIN_MISMATCH),
    "our host as a user name": ({"origin": "http://localhost:8000@evil.example"}, Reason.ORIGIN_MISMATCH),
    "a look-alike host": ({"origin": "http://lοcalhost:8000"}, Reason.ORIGIN_MISMATCH),  # noqa: RUF001
    "crossOrigin": ({"crossOrigin": True}, Reason.CROSS_ORIGIN),
    "topOrigin without crossOrigin": ({"topOrigin": ORIGIN}, Reason.TOP_ORIGIN_NOT_ALLOWED),
    "topOrigin with no crossOrigin member": (
        {"topOrigin": ORIGIN, "crossOrigin": ABSENT},
        Reason.TOP_ORIGIN_NOT_ALLOWED,
    ),
}


def altered(kind: str, changes: dict[str, Any]) -> bytes:
    other = {"create": "get", "get": "create"}[kind]
    words = {"swap": f"webauthn.{other}", "upper": f"WebAuthn.{kind}"}
    members = {name: words.get(value, value) if name == "type" else value for name, value in changes.items()}
    return client_data(kind, CHALLENGE, **members)


@pytest.mark.parametrize(("changes", "reason"), CLIENT_CHANGES.values(), ids=CLIENT_CHANGES)
def test_client_data_is_refused_when_it_tells_of_another_ceremony(changes: dict[str, Any], reason: Reason) -> None:
    """R-WA-06, -07, -08, -18: §7.1 steps 7 to 11 and §7.2 steps 10 to 14; signatures are valid."""
    create, get = altered("create", changes), altered("get", changes)
    assert refusal_of(lambda: register(PASSKEY.create(CHALLENGE, client=create))) == reason
    assert refusal_of(lambda: register(PASSKEY.create_packed(CHALLENGE, client=create))) == reason
    assert refusal_of(lambda: log_in(PASSKEY.get(CHALLENGE, client=get))) == reason


@pytest.mark.parametrize(
    ("changes", "is_accepted"),
    [
        ({"crossOrigin": True, "topOrigin": "https://top.example"}, True),
        ({"crossOrigin": True}, True),
        ({"crossOrigin": False}, True),
        ({"crossOrigin": True, "topOrigin": "https://top.example/"}, False),
        ({"crossOrigin": True, "topOrigin": ORIGIN}, False),
        ({"crossOrigin": False, "topOrigin": "https://top.example"}, False),
        ({"crossOrigin": ABSENT, "topOrigin": "https://top.example"}, False),
    ],
)
def test_framing_is_accepted_from_listed_pages_only(changes: dict[str, Any], is_accepted: bool) -> None:
    """R-WA-08."""
    create, get = client_data("create", CHALLENGE, **changes), client_data("get", CHALLENGE, **changes)
    if is_accepted:
        assert register(PASSKEY.create(CHALLENGE, client=create), FRAMED).algorithm == ES256
        assert log_in(PASSKEY.get(CHALLENGE, client=get), expected=FRAMED).is_user_verified
        return
    reason = Reason.TOP_ORIGIN_NOT_ALLOWED
    assert refusal_of(lambda: register(PASSKEY.create(CHALLENGE, client=create), FRAMED)) == reason
    assert refusal_of(lambda: log_in(PASSKEY.get(CHALLENGE, client=get), expected=FRAMED)) == reason


DATA_CHANGES: dict[str, tuple[dict[str, Any], Reason]] = {
    "another RP id": ({"rp_id": "example.com"}, Reason.RP_ID_MISMATCH),
    "the origin for an RP id": ({"rp_id": ORIGIN}, Reason.RP_ID_MISMATCH),
    "UP clear": ({"flags": UV}, Reason.USER_PRESENCE_MISSING),
    "UP and UV clear": ({"flags": 0}, Reason.USER_PRESENCE_MISSING),
    "UV clear": ({"flags": UP}, Reason.USER_VERIFICATION_MISSING),
    "BS without BE": ({"flags": UP | UV | BS}, Reason.BACKUP_STATE_INVALID),
}


@pytest.mark.parametrize(("changes", "reason"), DATA_CHANGES.values(), ids=DATA_CHANGES)
def test_authenticator_data_is_refused_when_it_says_too_little(changes: dict[str, Any], reason: Reason) -> None:
    """R-WA-09, -10, -12: §7.1 steps 14 to 17 and §7.2 steps 15 to 18; signatures are valid."""
    new = authenticator_data(**changes, attested=PASSKEY.attested)
    assert refusal_of(lambda: register(PASSKEY.create(CHALLENGE, data=new))) == reason
    assert refusal_of(lambda: log_in(PASSKEY.get(CHALLENGE, data=authenticator_data(**changes)))) == reason


def test_user_verification_may_be_left_to_the_authenticator() -> None:
    relaxed = replace(EXPECTED, require_user_verification=False)
    new = authenticator_data(UP, attested=PASSKEY.attested)
    assert not register(PASSKEY.create(CHALLENGE, data=new), relaxed).is_user_verified
    assert not log_in(PASSKEY.get(CHALLENGE, data=authenticator_data(UP)), expected=relaxed).is_user_verified


def test_extensions_that_nobody_asked_for_are_ignored() -> None:
    extensions = cbor({"credProtect": 2, "x": messages.Raw(b"\xfa\x3f\xc0\0\0")})
    new = authenticator_data(attested=PASSKEY.attested, extensions=extensions)
    assert register(PASSKEY.create(CHALLENGE, data=new)).credential_id == PASSKEY.credential_id
    assert log_in(PASSKEY.get(CHALLENGE, data=authenticator_data(extensions=extensions))).is_user_verified


@pytest.mark.parametrize("length", [0, 1, 15, 1024, 60_000])
def test_a_credential_is_refused_when_its_id_is_too_short_or_too_long(length: int) -> None:
    """R-WA-15: §7.1 step 25."""
    passkey = Passkey()
    passkey.credential_id = b"i" * length
    assert refusal_of(lambda: register(passkey.create(CHALLENGE))) == Reason.CREDENTIAL_ID_LENGTH


@pytest.mark.parametrize("length", [16, 1023])
def test_a_credential_id_may_have_16_to_1023_bytes(length: int) -> None:
    """R-WA-15."""
    passkey = Passkey()
    passkey.credential_id = b"i" * length
    assert register(passkey.create(CHALLENGE)).credential_id == passkey.credential_id


def test_a_registration_is_refused_when_the_id_outside_is_not_the_one_inside() -> None:
    data = authenticator_data(attested=attested_data(b"another id, as long", PASSKEY.public_key))
    assert refusal_of(lambda: register(PASSKEY.create(CHALLENGE, data=data))) == Reason.CREDENTIAL_ID_MISMATCH


def test_a_registration_is_refused_when_it_has_no_credential() -> None:
    answer = PASSKEY.create(CHALLENGE, data=authenticator_data())
    assert refusal_of(lambda: register(answer)) == Reason.AUTHENTICATOR_DATA_MALFORMED


@pytest.mark.parametrize(
    "key", [cbor({1: 2, 3: -35, -1: 1, -2: bytes(32), -3: bytes(32)}), cbor({1: 2, 3: -7}), b"\x04"]
)
def test_a_registration_is_refused_when_its_key_is_not_usable(key: bytes) -> None:
    """R-WA-16: under `none` the library would not even load it."""
    data = authenticator_data(attested=attested_data(PASSKEY.credential_id, key))
    reason = refusal_of(lambda: register(PASSKEY.create(CHALLENGE, data=data)))
    assert reason in (Reason.ALGORITHM_NOT_OFFERED, Reason.PUBLIC_KEY_INVALID)


def test_self_attestation_is_refused_when_its_signature_is_not_the_keys() -> None:
    """§7.1 step 22."""
    client = client_data("create", CHALLENGE)
    signed = authenticator_data(attested=PASSKEY.attested) + sha256(client).digest()
    for signature in (sign(KEYS[RS256].key, signed), sign(Passkey().key, signed), sign(PASSKEY.key, signed + b"x")):
        answer = PASSKEY.create_packed(CHALLENGE, client=client, statement={"sig": signature})
        assert refusal_of(lambda answer=answer: register(answer)) == Reason.ATTESTATION_INVALID  # type: ignore[misc]


def test_a_registration_is_refused_when_the_client_data_changed_after_signing() -> None:
    answer = PASSKEY.create_packed(CHALLENGE)
    answer["response"]["clientDataJSON"] = text(client_data("create", CHALLENGE, more=1))
    assert refusal_of(lambda: register(answer)) == Reason.ATTESTATION_INVALID


SIGNATURES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "one bit flipped": lambda valid: valid[:-1] + bytes([valid[-1] ^ 1]),
    "the first half": lambda valid: valid[: len(valid) // 2],
    "a byte after the end": lambda valid: valid + b"\0",
    "r and s without DER": lambda valid: b"".join(n.to_bytes(32, "big") for n in decode_dss_signature(valid)),
    "r = s = 0": lambda _: encode_dss_signature(0, 0),
    "r = s = group order": lambda _: encode_dss_signature(ORDER, ORDER),
    "r + order": lambda valid: encode_dss_signature(
        decode_dss_signature(valid)[0] + ORDER, decode_dss_signature(valid)[1]
    ),
    "an empty sequence": lambda _: b"\x30\x00",
    "negative numbers": lambda _: b"\x30\x06\x02\x01\xff\x02\x01\xff",
    "a length longer than needed": lambda valid: b"\x30\x81" + valid[1:],
}
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.mark.parametrize("change", SIGNATURES.values(), ids=SIGNATURES)
def test_an_assertion_is_refused_when_its_signature_is_changed(change: Callable[[bytes], bytes]) -> None:
    """V-06, V-07, V-20: §7.2 step 21."""
    valid = sign(PASSKEY.key, authenticator_data() + sha256(client_data("get", CHALLENGE)).digest())
    assert log_in(PASSKEY.get(CHALLENGE, signature=valid)).is_user_verified
    answer = PASSKEY.get(CHALLENGE, signature=change(valid))
    assert refusal_of(lambda: log_in(answer)) == Reason.SIGNATURE_INVALID


def test_an_assertion_is_refused_when_it_signs_something_else() -> None:
    data, client = authenticator_data(), client_data("get", CHALLENGE)
    digest = sha256(client).digest()
    for signed in (data, digest, digest + data, data + client, data + sha256(digest).digest()):
        answer = PASSKEY.get(CHALLENGE, signature=sign(PASSKEY.key, signed))
        assert refusal_of(lambda answer=answer: log_in(answer)) == Reason.SIGNATURE_INVALID  # type: ignore[misc]


def test_an_ed25519_signature_is_refused_when_s_is_not_reduced() -> None:
    passkey = KEYS[EDDSA]
    group = 2**252 + 27742317777372353535851937790883648493
    valid = sign(passkey.key, authenticator_data() + sha256(client_data("get", CHALLENGE)).digest())
    larger = (int.from_bytes(valid[32:], "little") + group).to_bytes(32, "little")
    answer = passkey.get(CHALLENGE, signature=valid[:32] + larger)
    assert refusal_of(lambda: log_in(answer, passkey)) == Reason.SIGNATURE_INVALID


def test_an_assertion_is_refused_when_another_key_is_on_record() -> None:
    answer = PASSKEY.get(CHALLENGE)
    for other in (Passkey(), KEYS[EDDSA], KEYS[RS256]):
        assert refusal_of(lambda other=other: log_in(answer, public_key=other.public_key)) == Reason.SIGNATURE_INVALID  # type: ignore[misc]


def test_an_assertion_is_refused_when_it_has_attested_credential_data() -> None:
    answer = PASSKEY.get(CHALLENGE, data=authenticator_data(attested=PASSKEY.attested))
    assert refusal_of(lambda: log_in(answer)) == Reason.ATTESTED_DATA_IN_ASSERTION


@pytest.mark.parametrize(("flags", "stored"), [(UP | UV | BE, False), (UP | UV, True)])
def test_an_assertion_is_refused_when_backup_eligibility_changed(flags: int, stored: bool) -> None:
    """R-WA-12: §7.2 step 19."""
    answer = PASSKEY.get(CHALLENGE, data=authenticator_data(flags))
    assert refusal_of(lambda: log_in(answer, expected_backup_eligible=stored)) == Reason.BACKUP_ELIGIBILITY_CHANGED


@pytest.mark.parametrize("backed_up", [False, True])
def test_backup_state_may_change(backed_up: bool) -> None:
    answer = PASSKEY.get(CHALLENGE, data=authenticator_data(UP | UV | BE | (BS if backed_up else 0)))
    assert log_in(answer, expected_backup_eligible=True).is_backed_up == backed_up


def test_the_user_handle_has_to_be_the_owners() -> None:
    """R-WA-04: §7.2 step 6."""
    answer = PASSKEY.get(CHALLENGE)
    assert refusal_of(lambda: log_in(answer, expected_user_handle=b"x")) == Reason.USER_HANDLE_MISMATCH
    del answer["response"]["userHandle"]
    assert log_in(answer, expected_user_handle=b"x").is_user_verified
    assert refusal_of(lambda: log_in(answer, require_user_handle=True)) == Reason.USER_HANDLE_MISSING


@pytest.mark.parametrize("name", ["verify_registration_response", "verify_authentication_response"])
@pytest.mark.parametrize(
    "error", [KeyError("kty"), TypeError("x"), RecursionError(), ValueError("x"), AttributeError()]
)
def test_whatever_the_library_raises_becomes_a_refusal(
    monkeypatch: pytest.MonkeyPatch, name: str, error: Exception
) -> None:
    """R-WA-20: the class of the exception is kept for the operational log."""

    def fail(**arguments: Any) -> None:
        raise error

    monkeypatch.setattr(relying_party, name, fail)
    action = register if name.startswith("verify_registration") else log_in
    answer = PASSKEY.create(CHALLENGE) if action is register else PASSKEY.get(CHALLENGE)
    with pytest.raises(CeremonyFailed) as refusal:
        action(answer)
    assert refusal.value.reason == Reason.LIBRARY_ERROR
    assert refusal.value.debug is not None
    assert refusal.value.debug.startswith(type(error).__name__)


def test_a_refusal_of_the_librarys_own_keeps_its_words_for_the_log() -> None:
    """`tokenBinding` is reserved in Level 3 and of no interest here; the library wants it in order."""
    client = client_data("get", CHALLENGE, tokenBinding={"status": "not-supported"})
    with pytest.raises(CeremonyFailed) as refusal:
        log_in(PASSKEY.get(CHALLENGE, client=client))
    assert refusal.value.reason == Reason.LIBRARY_REFUSED
    assert refusal.value.debug is not None
    assert refusal.value.debug.startswith("InvalidAuthenticationResponse: Unexpected token_binding")


@pytest.mark.parametrize("outcome", [None, WebAuthnException()])
def test_work_in_vain_is_one_verification_whatever_comes_of_it(
    monkeypatch: pytest.MonkeyPatch, outcome: Exception | None
) -> None:
    calls: list[dict[str, Any]] = []

    def count(**arguments: Any) -> None:
        calls.append(arguments)
        if outcome is not None:
            raise outcome

    monkeypatch.setattr(relying_party, "verify_authentication_response", count)
    relying_party.verify_in_vain()
    relying_party.verify_in_vain(b"signature", b"key")
    assert [call["credential_public_key"] for call in calls] == [relying_party.dummy_public_keys()[-7], b"key"]
    assert calls[1]["credential"].response.signature == b"signature"


@pytest.mark.parametrize("algorithm", cose_key.OFFERED)
def test_a_key_of_nobody_is_one_that_could_be_registered(algorithm: int) -> None:
    key = read_cbor(relying_party.dummy_public_keys()[algorithm])
    assert cose_key.check(key, expected_algorithms=(algorithm,)) == algorithm


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=80), st.binary(max_size=80))
def test_any_bytes_are_refused_without_another_exception(obj: bytes, data: bytes, signature: bytes) -> None:
    """D-22: what the strict layer accepts, the library refuses in its own way."""
    assert refusal_of(lambda: register(PASSKEY.create(CHALLENGE, obj=obj))) in set(Reason)
    assert refusal_of(lambda: log_in(PASSKEY.get(CHALLENGE, data=data, signature=signature))) in set(Reason)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_valid_message_with_one_byte_changed_never_raises_another_exception(place: int, mask: int) -> None:
    answer = PASSKEY.create_packed(CHALLENGE)
    data = bytearray(envelope.read_registration(answer).attestation_object)
    data[place % len(data)] ^= mask
    answer["response"]["attestationObject"] = text(bytes(data))
    assert refusal_of(lambda: register(answer)) != Reason.LIBRARY_ERROR
