"""Drafts: without a fault they are the message that the client made, and every fault makes another one."""

from __future__ import annotations

import json
from copy import deepcopy
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from authctl.virtual_authenticator.authenticator.algorithms.ecdsa import ES384
from authctl.virtual_authenticator.authenticator.keys import CredentialKey
from authctl.virtual_authenticator.base64url import decode
from authctl.virtual_authenticator.faults.authenticator_data import nothing
from authctl.virtual_authenticator.faults.catalogue import cases
from authctl.virtual_authenticator.faults.certified import CERTIFIED
from authctl.virtual_authenticator.faults.drafts import ABSENT, AssertionDraft, RegistrationDraft, encode
from authctl.virtual_authenticator.faults.interface import FAULTS
from authctl.virtual_authenticator.faults.needs import REGISTRATION, Needs
from authctl.virtual_authenticator.faults.public_copies import copies_of
from authctl.virtual_authenticator.faults.stage import Lab, Person
from authctl.virtual_authenticator.json_text import write
from authctl.virtual_authenticator.randomness import SystemRandom
from tests.virtual_authenticator.faults.fake_party import FakeParty

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.cases import Case

OFFERED = {"pubKeyCredParams": [{"type": "public-key", "alg": number} for number in (-7, -8, -257, -37, -48)]}
WHOLE = {"cd.cross-origin-true-expected", "auth.sig.high-s", "auth.sig.low-s", "auth.ad.uv-set-discouraged"}
"""Cases whose message may be the valid one."""
ALTERED = [
    case
    for case in cases()
    if case.key in FAULTS and FAULTS[case.key].alter is not nothing and case.id not in WHOLE | {"reg.none.policy"}
]


def person(needs: Needs | None = None) -> Person:
    needs = needs or Needs()
    asked = next(iter(sorted(needs.uv)), "preferred")
    options = {**OFFERED, "userVerification": asked, "authenticatorSelection": {"userVerification": asked}}
    return Person(Lab(FakeParty(options=options), related="https://example.net"), needs)


def test_a_registration_is_the_clients_when_nothing_is_altered() -> None:
    somebody = person()
    options = somebody.visit.begin_registration()
    valid = somebody.client.create(options, attestation="none")
    draft = RegistrationDraft.of(deepcopy(valid), options, somebody.key_of(valid))
    assert draft.document() == valid
    assert (draft.origin, draft.host) == ("https://login.example.org", "login.example.org")


def test_a_packed_registration_is_the_clients_but_for_its_signature_when_nothing_is_altered() -> None:
    somebody = person(Needs(attestation="packed"))
    draft = somebody.make()
    assert draft.outer_members()["fmt"] == "packed"
    made = draft.outer_members()["attStmt"]
    assert made["alg"] == -7
    draft.private.public().verify(made["sig"], draft.message(), _es256())


def test_an_assertion_is_the_clients_but_for_its_signature_when_nothing_is_altered() -> None:
    somebody = person()
    somebody.register()
    options = somebody.begin_login()
    valid = somebody.client.get(options)
    draft = AssertionDraft.of(deepcopy(valid), options, somebody.key_of(valid))
    document = draft.document()
    signature = decode(document["response"].pop("signature"))
    valid["response"].pop("signature")
    assert document == valid
    draft.private.public().verify(signature, draft.message(), _es256())


@pytest.mark.parametrize("name", CERTIFIED)
def test_every_statement_with_certificates_is_made_anew_for_its_draft(name: str) -> None:
    draft = person(Needs(attestation=name)).make()
    first, second = (draft.outer_members()["attStmt"] for _ in range(2))
    assert {*first} == {*second}
    assert first["x5c"][0] != second["x5c"][0]


@pytest.mark.parametrize("case", ALTERED, ids=lambda case: case.name)
def test_a_fault_makes_another_message(case: Case) -> None:
    somebody = person(case.needs)
    draft: Any
    if case.ceremony == REGISTRATION:
        draft = somebody.make()
    else:
        somebody.register()
        somebody.log_in()
        draft = somebody.sign()
    if draft.client.get("challenge"):
        # Such that whatever may be in a challenge is, and no case is out of luck.
        draft.client["challenge"] = "-_" + str(draft.client["challenge"])[2:]
    key = draft.private
    before = _content(draft, key)
    FAULTS[case.key].alter(draft)
    assert _content(draft, key) != before
    write(draft.document())


def test_a_layer_given_as_bytes_replaces_what_its_parts_would_make() -> None:
    draft = person().make()
    draft.client_bytes, draft.cose_bytes = b"{}", b"\xf6"
    assert draft.client_hash() == sha256(b"{}").digest()
    assert draft.attested().endswith(draft.credential_id + b"\xf6")
    draft.authenticator_bytes = b"\x01"
    assert draft.outer_members()["authData"] == b"\x01"
    draft.object_bytes = b"\xa0"
    assert decode(draft.document()["response"]["attestationObject"]) == b"\xa0"


def test_members_and_changes_may_leave_out() -> None:
    draft = person(Needs(attestation="packed")).make()
    draft.statement.changes["sig"] = ABSENT
    draft.members["fmt"] = ABSENT
    assert draft.outer_members() == {"attStmt": {"alg": -7}, "authData": draft.authenticator_data()}


def test_a_sealed_signature_stays_whatever_is_changed_after_it() -> None:
    somebody = person()
    somebody.register()
    draft = somebody.sign()
    draft.seal()
    sealed = draft.signature
    draft.sign_count += 1
    assert decode(draft.document()["response"]["signature"]) == sealed


def test_the_copies_beside_an_attestation_object_follow_it() -> None:
    draft = person().make()
    draft.flags |= 0x08
    response = draft.document()["response"]
    assert decode(response["authenticatorData"]) == draft.authenticator_data()
    draft.private = CredentialKey.generate(ES384, SystemRandom())
    draft.cose_bytes = draft.private.public_cose()
    copied = draft.document()["response"]
    assert copied["publicKeyAlgorithm"] == ES384
    assert decode(copied["publicKey"]) == draft.private.public_spki()


@pytest.mark.parametrize("missing", ["publicKey", "publicKeyAlgorithm"])
def test_no_copy_is_added_to_a_registration_that_has_none(missing: str) -> None:
    draft = person().make()
    del draft.response[missing]
    draft.cose[3] = -8
    assert missing not in draft.document()["response"]


def test_a_key_that_no_browser_reads_has_no_copy() -> None:
    draft = person().make()
    draft.cose[3] = "ES256"
    response = draft.document()["response"]
    assert "publicKey" not in response
    assert response["publicKeyAlgorithm"] == -7


@pytest.mark.parametrize("number", [-7, -35, -36, -8, -257])
def test_a_browser_reads_the_keys_that_authenticators_write(number: int) -> None:
    key = CredentialKey.generate(number, SystemRandom())
    assert copies_of(key.public_cose()) == (number, key.public_spki())


@pytest.mark.parametrize(
    ("key", "copies"),
    [
        (b"", (None, None)),
        (encode([1, 2]), (None, None)),
        (encode({1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)}), (-7, None)),
        (encode({1: 2, 3: -7, -1: 1, -2: bytes(32)}), (-7, None)),
        (encode({1: 1, 3: -8, -1: 6, -2: b"short"}), (-8, None)),
        (encode({1: 3, 3: -257, -1: b"", -2: b""}), (-257, None)),
        (encode({1: 99, 3: -7}), (-7, None)),
        (encode({1: 2, 3: True}), (None, None)),
        (b"\xa1\x18\x03\x26", (None, None)),
        (encode({3: bytes(5000)}), (None, None)),
        (b"\x81" * 2000 + b"\x80", (None, None)),
    ],
)
def test_a_browser_tells_nothing_of_a_key_that_it_cannot_read(key: bytes, copies: tuple[Any, Any]) -> None:
    assert copies_of(key) == copies


def test_a_registration_without_a_credential_is_none() -> None:
    somebody = person()
    somebody.register()
    valid = somebody.client.get(somebody.begin_login())
    data = decode(valid["response"]["authenticatorData"])
    draft = person().make()
    draft.authenticator_bytes = data
    with pytest.raises(ValueError, match="no attested credential data"):
        RegistrationDraft.of(draft.document(), {}, draft.private)


def _content(draft: Any, key: CredentialKey) -> str:
    """The message without what is random in it: signatures that hold, and certificates."""
    document = draft.document()
    if isinstance(document, dict) and isinstance(document.get("response"), dict):
        document = deepcopy(document)
        if _holds(document["response"].get("signature"), key, draft.message()):
            document["response"]["signature"] = "holds"
    if isinstance(draft, RegistrationDraft):
        return json.dumps([write(document), _described(draft)])
    return write(document)


def _holds(signature: object, key: CredentialKey, message: bytes) -> bool:
    try:
        key.public().verify(decode(signature), message, _es256())  # type: ignore[arg-type]  # whatever is there
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _described(draft: RegistrationDraft) -> str:
    statement = draft.statement
    parts = {name: value for name, value in vars(statement).items() if name != "authority"}
    return repr(parts)


def _es256() -> ECDSA:
    return ECDSA(SHA256())
