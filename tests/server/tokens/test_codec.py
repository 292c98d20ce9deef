"""A token has one text, one algorithm and one key; everything else is refused before its claims are looked at."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authctl.errors import TokenRejected
from authctl.server.tokens.signing_keys import key_set
from tests.server.tokens.workshop import Workshop, b64, header_of, key_for, signed, workshop_for


def reason(workshop: Workshop, token: str) -> str:
    """Why a token is refused, which it has to be. The caller is told the same thing always."""
    with pytest.raises(TokenRejected) as caught:
        workshop.codec.decode(token)
    assert caught.value.detail == "Could not validate credentials"
    return caught.value.reason


def test_claims_come_back_as_they_were_signed(any_workshop: Workshop) -> None:
    token = any_workshop.codec.encode({"sub": "x", "name": "Jané 🦊", "n": [1, {"a": None}]})
    assert any_workshop.codec.decode(token) == {"sub": "x", "name": "Jané 🦊", "n": [1, {"a": None}]}


def test_token_is_one_that_other_libraries_verify(any_workshop: Workshop) -> None:
    token = any_workshop.token()
    header = jwt.get_unverified_header(token)
    assert header == {"alg": any_workshop.key.algorithm, "kid": any_workshop.key.kid, "typ": "at+jwt"}
    options: jwt.types.Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
    claims = jwt.decode(token, any_workshop.key.verifying, [any_workshop.key.algorithm], options=options)
    assert claims == any_workshop.codec.decode(token)


def test_token_of_another_library_is_taken_when_it_says_the_same(any_workshop: Workshop) -> None:
    key = any_workshop.key
    token = jwt.encode({"a": "ü"}, key.signing, key.algorithm, {"typ": "at+jwt", "kid": key.kid}, sort_headers=False)
    assert any_workshop.codec.decode(token) == {"a": "ü"}


@pytest.mark.parametrize(
    "alg",
    [
        "none", "None", "NONE", "nOnE", "", None, ["HS256"], ["HS256", "none"], {"alg": "HS256"}, 256, True,
        "HS384", "HS512", "RS256", "ES256", "EdDSA", "PS256", "ES256K", "hs256", "HS256 ", "unknown",
    ],
)  # fmt: skip
def test_token_is_refused_when_the_header_names_another_algorithm(workshop: Workshop, alg: Any) -> None:
    """R-TK-01: also when the signature would be right."""
    token = signed(workshop, header_of(workshop, alg=alg), workshop.claims())
    assert reason(workshop, token) == "token_algorithm"
    head, payload, _ = token.split(".")
    assert reason(workshop, f"{head}.{payload}.") == "token_malformed"


def test_token_is_refused_when_it_is_signed_with_another_hash(workshop: Workshop) -> None:
    """R-TK-01."""
    names = {"typ": "at+jwt", "kid": workshop.key.kid}
    for algorithm in ("HS384", "HS512"):
        assert isinstance(workshop.key.signing, bytes)
        token = jwt.encode(workshop.claims(), workshop.key.signing * 2, algorithm, names)
        assert reason(workshop, token) == "token_algorithm"


def public_forms(workshop: Workshop) -> dict[str, bytes]:
    """Every text of a public key that an attacker may hold and try as an HMAC secret."""
    public = workshop.key.verifying
    assert not isinstance(public, bytes)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    published = key_set(workshop.key)
    forms = {
        "pem": pem,
        "pem without line feed": pem.strip(),
        "pem with carriage returns": pem.replace(b"\n", b"\r\n"),
        "pem body": b"".join(pem.splitlines()[1:-1]),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(published["keys"][0]).encode(),
        "jwk compact": json.dumps(published["keys"][0], separators=(",", ":")).encode(),
        "jwks": json.dumps(published).encode(),
        "kid": workshop.key.kid.encode(),
        "empty": b"",
    }
    for name in ("PUBLIC KEY", "RSA PUBLIC KEY", "EC PUBLIC KEY", "CERTIFICATE", "PUBLIC  KEY"):  # V-25
        forms[f"pem as {name}"] = pem.replace(b"PUBLIC KEY", name.encode())
    if workshop.key.algorithm == "RS256":
        forms["pkcs1"] = public.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    if workshop.key.algorithm != "RS256":
        forms["ssh"] = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return forms


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_token_is_refused_when_a_public_key_was_used_as_secret(algorithm: Any, clock: Any) -> None:
    """R-TK-01, V-24, V-25: HS256 under PEM, DER and key-set text, with each algorithm name in the header."""
    workshop = workshop_for(key_for(algorithm), clock)
    payload = b64(json.dumps(workshop.claims()))
    tried = 0
    for secret in public_forms(workshop).values():
        for name in ("HS256", algorithm):
            head = f"{b64(json.dumps(header_of(workshop, alg=name)))}.{payload}"
            token = f"{head}.{b64(hmac.new(secret, head.encode(), hashlib.sha256).digest())}"
            assert reason(workshop, token) == ("token_algorithm" if name == "HS256" else "token_signature")
            tried += 1
    assert tried >= 30


@pytest.mark.parametrize("typ", ["JWT", "jwt", "rt+jwt", "AT+JWT", "application/at+jwt", "", None, 1, ["at+jwt"]])
def test_token_is_refused_when_its_type_differs(workshop: Workshop, typ: Any) -> None:
    """R-TK-03: no other kind of token is taken for an access token."""
    assert reason(workshop, signed(workshop, header_of(workshop, typ=typ), workshop.claims())) == "token_type"


@pytest.mark.parametrize(
    "kid", ["other", "", None, "../../etc/passwd", "' OR 1=1 --", "*", "%", 1, ["x"], {"kid": "x"}, "k" * 1000, "a\0b"]
)
def test_token_is_refused_when_its_key_is_unknown(workshop: Workshop, kid: Any) -> None:
    """R-TK-05."""
    assert reason(workshop, signed(workshop, header_of(workshop, kid=kid), workshop.claims())) == "token_key"


def test_token_is_refused_when_the_name_of_its_key_is_huge(workshop: Workshop) -> None:
    """R-TK-05."""
    token = signed(workshop, header_of(workshop, kid="k" * 10_240), workshop.claims())
    assert reason(workshop, token) == "token_too_long"


@pytest.mark.parametrize(
    "extra",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": True},
        {"jku": "https://attacker.example/jwks.json"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"x5u": "https://attacker.example/cert.pem"},
        {"x5c": ["AAAA"]},
        {"x5t": "AAAA"},
        {"cty": "JWT"},
        {"zip": "DEF"},
        {"anything": 1},
    ],
)
def test_token_is_refused_when_its_header_says_more(workshop: Workshop, extra: dict[str, Any]) -> None:
    """R-TK-05, V-26: nothing in a header is followed, and nothing unknown is overlooked."""
    assert reason(workshop, signed(workshop, header_of(workshop, **extra), workshop.claims())) == "token_header"


@pytest.mark.parametrize(
    "header",
    [
        "[]",
        "null",
        '"HS256"',
        "1",
        "",
        "{",
        "not json",
        '{"alg":"HS256","alg":"HS256"}',
        '{"a":{"b":1,"b":2}}',
        '{"alg":NaN}',
        "[" * 1500,
        '{"alg":' * 300 + "1" + "}" * 300,
    ],
)
def test_token_is_refused_when_its_header_is_no_plain_object(workshop: Workshop, header: str) -> None:
    token = signed(workshop, header, '{"a":1}')
    assert reason(workshop, token) in {"token_malformed", "token_algorithm"}


@pytest.mark.parametrize(
    "payload",
    [
        "[]",
        "null",
        "x",
        '{"sub":"a","sub":"b"}',
        '{"sub":"a","sub":"a"}',
        '{"a":{"b":1,"b":2}}',
        '{"exp":NaN}',
        '{"exp":Infinity}',
        '{"exp":-Infinity}',
        '{"a":"\\ud800"}',
        "{'a':1}",
        '{"a":1} {}',
        '{"a":1,}',
        "[" * 1500,
        '{"a":' * 300 + "1" + "}" * 300,
        '{"a":"\t"}',
    ],
)
def test_token_is_refused_when_its_payload_is_no_plain_object(workshop: Workshop, payload: str) -> None:
    """R-TK-04: duplicates and special numbers, although the signature is right."""
    assert reason(workshop, signed(workshop, header_of(workshop), payload)) == "token_malformed"


def test_token_is_refused_when_its_payload_is_not_utf8(workshop: Workshop) -> None:
    for payload in (b'{"a":"\xff"}', '{"a":1}'.encode("utf-16")):
        head = f"{b64(json.dumps(header_of(workshop)))}.{b64(payload)}"
        assert isinstance(workshop.key.signing, bytes)
        token = f"{head}.{b64(hmac.digest(workshop.key.signing, head.encode(), 'sha256'))}"
        assert reason(workshop, token) == "token_malformed"


@pytest.mark.parametrize("suffix", ["=", "==", "===", "A", ".", ".A", " ", "\n", "\0", "é", "\ud800", "%3D", ","])
def test_token_is_refused_when_something_follows(any_workshop: Workshop, suffix: str) -> None:
    """R-TK-08: a token has exactly one text, though PyJWT takes a padded one."""
    token = any_workshop.token()
    assert reason(any_workshop, token + suffix) in {"token_malformed", "token_signature"}
    assert reason(any_workshop, suffix + token) in {"token_malformed", "token_signature"}


def test_token_is_refused_when_a_segment_is_padded_or_has_spare_bits(workshop: Workshop) -> None:
    """R-TK-08: in every segment, and with the signature made over that very text."""
    head, payload, signature = workshop.token().split(".")
    assert reason(workshop, f"{head}=.{payload}.{signature}") == "token_malformed"
    assert reason(workshop, f"{head}.{payload}=.{signature}") == "token_malformed"
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = alphabet[alphabet.index(signature[-1]) ^ 1]
    assert base64.urlsafe_b64decode(f"{signature[:-1]}{spare}=") == base64.urlsafe_b64decode(f"{signature}=")
    assert reason(workshop, f"{head}.{payload}.{signature[:-1]}{spare}") == "token_malformed"
    assert isinstance(workshop.key.signing, bytes)
    for text in (f"{b64('{}')}x.{payload}", f"{head}.AB"):
        token = f"{text}.{b64(hmac.digest(workshop.key.signing, text.encode(), 'sha256'))}"
        assert reason(workshop, token) == "token_malformed"


@pytest.mark.parametrize(
    "token", ["", ".", "..", "...", "a.b", "a..c", ".b.c", "a.b.c.d", "a.b.c", "x" * 4096, "B a.b.c"]
)
def test_token_is_refused_when_it_has_no_three_segments(workshop: Workshop, token: str) -> None:
    """R-TK-08."""
    assert reason(workshop, token) == "token_malformed"


def test_token_is_refused_before_it_is_read_when_it_is_too_long(workshop: Workshop) -> None:
    """R-TK-08, D-7: 4 KB."""
    fits = workshop.codec.encode({"a": "x" * 2800})
    assert len(fits) < 4096
    assert workshop.codec.decode(fits)["a"] == "x" * 2800
    assert reason(workshop, workshop.codec.encode({"a": "x" * 3000})) == "token_too_long"
    assert reason(workshop, "a" * 16_384) == "token_too_long"


def test_token_is_refused_when_another_key_signed_it(any_workshop: Workshop) -> None:
    token = any_workshop.token()
    head, payload, signature = token.split(".")
    forged = b64(secrets.token_bytes(len(base64.urlsafe_b64decode(signature + "=="))))
    assert reason(any_workshop, f"{head}.{payload}.{forged}") == "token_signature"
    for length in (1, 16, 31, 33, 63, 65, 128, 300):
        assert reason(any_workshop, f"{head}.{payload}.{b64(secrets.token_bytes(length))}") == "token_signature"
    other = b64(json.dumps(any_workshop.claims() | {"role": "admin"}))
    assert reason(any_workshop, f"{head}.{other}.{signature}") == "token_signature"


@given(position=st.integers(min_value=0, max_value=599), bit=st.integers(min_value=0, max_value=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_token_is_refused_when_one_bit_changed(workshop: Workshop, position: int, bit: int) -> None:
    token = workshop.token()
    place = position % len(token)
    changed = token[:place] + chr(ord(token[place]) ^ (1 << bit)) + token[place + 1 :]
    assert reason(workshop, changed).startswith("token_")


@given(st.text(max_size=200))
def test_any_text_is_refused_without_another_error(text: str) -> None:
    from authctl.clock import FixedClock

    assert reason(workshop_for(key_for("HS256"), FixedClock()), text) == "token_malformed"
