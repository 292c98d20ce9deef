"""Authenticator data and attestation objects: exact lengths, exact members, nothing left over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authctl.errors import CeremonyFailed
from authctl.server.ceremonies import attestation_object, authenticator_data
from authctl.server.ceremonies.reasons import Reason
from tests.server.ceremonies import messages
from tests.server.ceremonies.messages import ABSENT, AT, BE, BS, ED, UP, UV, Passkey, Raw, attested_data, cbor

PASSKEY = Passkey()
PLAIN = messages.authenticator_data()
NEW = messages.authenticator_data(attested=PASSKEY.attested)
EXTENDED = messages.authenticator_data(attested=PASSKEY.attested, extensions=cbor({"credProtect": 2}))


def test_the_parts_are_read() -> None:
    read = authenticator_data.read(
        messages.authenticator_data(UP | BE, sign_count=2**32 - 1, attested=PASSKEY.attested)
    )
    assert (read.is_user_present, read.is_user_verified, read.is_backup_eligible, read.is_backed_up) == (
        True,
        False,
        True,
        False,
    )
    assert read.sign_count == 2**32 - 1
    assert read.attested is not None
    assert read.attested.credential_id == PASSKEY.credential_id
    assert read.attested.public_key == PASSKEY.public_key
    assert read.attested.aaguid == "00112233-4455-6677-8899-aabbccddeeff"


@pytest.mark.parametrize("flags", [UP, UV, BE | BS, UP | UV | BE | BS])
def test_each_flag_is_one_bit(flags: int) -> None:
    read = authenticator_data.read(messages.authenticator_data(flags))
    flagged = {UP: read.is_user_present, UV: read.is_user_verified, BE: read.is_backup_eligible, BS: read.is_backed_up}
    assert {bit for bit, is_set in flagged.items() if is_set} == {bit for bit in flagged if flags & bit}


ACCEPTED = {
    "plain": PLAIN,
    "with a credential": NEW,
    "with extensions": messages.authenticator_data(extensions=cbor({"uvm": [[1, 2, 3]]})),
    "with both": EXTENDED,
    "with reserved bits": messages.authenticator_data(UP | UV | 0x22),
    "with a float in the extensions": messages.authenticator_data(extensions=cbor({"x": Raw(b"\xfa\x3f\xc0\0\0")})),
    "with no extension in the map": messages.authenticator_data(extensions=cbor({})),
}


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
def test_well_formed_data_is_read(data: bytes) -> None:
    assert authenticator_data.read(data).rp_id_hash == data[:32]


REFUSED = {
    "nothing": b"",
    "36 bytes": PLAIN[:36],
    "a byte after the end": PLAIN + b"\0",
    "a byte after the credential": NEW + b"\0",
    "a byte after the extensions": EXTENDED + b"\0",
    "AT without data": messages.authenticator_data(UP | AT),
    "data without AT": PLAIN + PASSKEY.attested,
    "ED without data": messages.authenticator_data(UP | ED),
    "data without ED": PLAIN + cbor({"x": 1}),
    "a cut AAGUID": NEW[: 37 + 10],
    "a cut length": NEW[: 37 + 17],
    "a cut id": NEW[: 37 + 18 + 5],
    "a key that is missing": NEW[: 37 + 18 + 32],
    "a cut key": NEW[:-1],
    "an id that claims more than there is": messages.authenticator_data(attested=bytes(16) + b"\xff\xff" + b"i" * 40),
    "extensions that are a list": messages.authenticator_data(extensions=cbor([])),
    "extensions with a number for a name": messages.authenticator_data(extensions=cbor({1: 1})),
    "extensions of indefinite length": messages.authenticator_data(extensions=b"\xbf\x61\x78\x01\xff"),
    "an extension twice": messages.authenticator_data(extensions=b"\xa2\x61\x78\x01\x61\x78\x01"),
    "a float that hides four bytes from a reader that measures by writing": messages.authenticator_data(
        extensions=cbor({"x": Raw(b"\xfa\x3f\xc0\0\0")}) + b"\0\0\0\0"
    ),
    "a key written longer than needed": messages.authenticator_data(
        attested=attested_data(b"i" * 16, PASSKEY.public_key.replace(b"\xa5\x01\x02", b"\xa5\x18\x01\x02", 1))
    ),
    "a label twice": messages.authenticator_data(
        attested=attested_data(b"i" * 16, b"\xa6\x01\x02" + PASSKEY.public_key[1:])
    ),
    "a label 1 that is true": messages.authenticator_data(
        attested=attested_data(b"i" * 16, b"\xa6\xf5\x02" + PASSKEY.public_key[1:])
    ),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_data_is_refused_when_lengths_flags_and_content_disagree(data: bytes) -> None:
    with pytest.raises(CeremonyFailed) as refusal:
        authenticator_data.read(data)
    assert refusal.value.reason == Reason.AUTHENTICATOR_DATA_MALFORMED


@settings(deadline=None)
@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read = authenticator_data.read(data)
    except CeremonyFailed:
        return
    assert (len(read.rp_id_hash), len(data) > 37) == (32, bool(read.flags & (AT | ED)))


def test_an_attestation_object_is_read() -> None:
    read = attestation_object.read(messages.attestation_object(NEW, fmt="packed", statement={"alg": -7, "sig": b"s"}))
    assert (read.format, read.statement, read.authenticator_data) == ("packed-self", {"alg": -7, "sig": b"s"}, NEW)
    assert attestation_object.read(messages.attestation_object(NEW)).format == "none"
    assert attestation_object.read(cbor({"authData": NEW, "fmt": "none", "attStmt": {}})).authenticator_data == NEW


def outer(**members: Any) -> bytes:
    value = {"fmt": "none", "attStmt": {}, "authData": NEW, **members}
    return cbor({name: member for name, member in value.items() if member is not ABSENT})


MALFORMED = {
    "random bytes": b"\xd4\xbe\x01",
    "nothing": b"",
    "a list": cbor(["none", {}, NEW]),
    "no fmt": outer(fmt=ABSENT),
    "no attStmt": outer(attStmt=ABSENT),
    "no authData": outer(authData=ABSENT),
    "a member more": outer(ver="2.0"),
    "CTAP2's numbers for names": cbor({1: "none", 2: NEW, 3: {}}),
    "fmt as bytes": outer(fmt=b"none"),
    "fmt as a number": outer(fmt=0),
    "attStmt as text": outer(attStmt="none"),
    "attStmt as a list": outer(attStmt=[]),
    "authData as text": outer(authData="data"),
    "authData twice": b"\xa4" + outer()[1:] + cbor("authData") + cbor(NEW),
    "bytes after the end": outer() + b"\0",
    "indefinite length": b"\xbf" + outer()[1:] + b"\xff",
    "deep nesting": outer(attStmt=Raw(b"\xa1\x61\x78" + b"\x81" * 100_000 + b"\x80")),
    "a huge length": outer(authData=Raw(b"\x5b\x10\0\0\0\0\0\0\0")),
    "a cycle of shared values": outer(attStmt=Raw(b"\xa1\x61\x78\xd8\x1c\x81\xd8\x1d\x00")),
    "an exotic tag": outer(attStmt=Raw(b"\xa1\x61\x78\xd8\x23\x61\x2e")),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_an_attestation_object_is_refused_when_it_is_not_a_map_of_its_three_members(data: bytes) -> None:
    """R-WA-17, A-5b."""
    with pytest.raises(CeremonyFailed) as refusal:
        attestation_object.read(data)
    assert refusal.value.reason == Reason.ATTESTATION_OBJECT_MALFORMED


def judge(fmt: Any, statement: dict[Any, Any], *formats: str) -> None:
    read = attestation_object.read(messages.attestation_object(NEW, fmt=fmt, statement=statement))
    wanted = frozenset(formats or ("none", "packed-self", "packed-x5c"))
    attestation_object.check_statement(read, expected_formats=wanted, key_algorithm=-7)


STATEMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "none with a packed statement": ("none", {"alg": -7, "sig": b"s"}),
    "none with an unknown member": ("none", {"x": 1}),
    "none with sig null": ("none", {"sig": None}),
    "an empty packed statement": ("packed", {}),
    "no alg": ("packed", {"sig": b"s"}),
    "no sig": ("packed", {"alg": -7}),
    "sig empty": ("packed", {"alg": -7, "sig": b""}),
    "sig as text": ("packed", {"alg": -7, "sig": "s"}),
    "alg as text": ("packed", {"alg": "-7", "sig": b"s"}),
    "alg as a boolean": ("packed", {"alg": True, "sig": b"s"}),
    "alg of another key": ("packed", {"alg": -8, "sig": b"s"}),
    "ecdaaKeyId": ("packed", {"alg": -7, "sig": b"s", "ecdaaKeyId": b"e"}),
    "x5c empty": ("packed", {"alg": -7, "sig": b"s", "x5c": []}),
    "x5c of seven": ("packed", {"alg": -7, "sig": b"s", "x5c": [b"c"] * 7}),
    "x5c as bytes": ("packed", {"alg": -7, "sig": b"s", "x5c": b"c"}),
    "x5c with text": ("packed", {"alg": -7, "sig": b"s", "x5c": ["c"]}),
}


@pytest.mark.parametrize(("fmt", "statement"), STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_is_refused_when_it_has_other_members_than_its_format(fmt: str, statement: dict[str, Any]) -> None:
    """R-WA-17."""
    with pytest.raises(CeremonyFailed) as refusal:
        judge(fmt, statement)
    assert refusal.value.reason == Reason.ATTESTATION_INVALID


@pytest.mark.parametrize("fmt", ["None", "Packed", "tpm", "fido-u2f", "compound", "packed-self", "packed-x5c", ""])
def test_a_format_is_refused_when_it_is_not_one_of_the_wanted(fmt: str) -> None:
    """V-16: also when it calls itself by a name that only we use."""
    with pytest.raises(CeremonyFailed) as refusal:
        judge(fmt, {"alg": -7, "sig": b"s"})
    assert refusal.value.reason == Reason.ATTESTATION_FORMAT_REFUSED


def test_a_wanted_format_that_nobody_can_judge_is_refused() -> None:
    with pytest.raises(CeremonyFailed) as refusal:
        judge("tpm", {}, "tpm", "none")
    assert refusal.value.reason == Reason.ATTESTATION_FORMAT_REFUSED


def test_statements_with_their_own_members_pass() -> None:
    judge("none", {})
    judge("packed", {"alg": -7, "sig": b"s"})
    judge("packed", {"alg": -257, "sig": b"s", "x5c": [b"c"]})
    with pytest.raises(CeremonyFailed):
        judge("packed", {"alg": -7, "sig": b"s"}, "none")
