"""Passkeys that leave and come back: exports, passphrases, and the forms of browsers (R-CL-06, R-CL-07)."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from authctl.virtual_authenticator import EDDSA, ES256, RS256, Client, MemoryStore, SystemRandom, VirtualAuthenticator
from authctl.virtual_authenticator.authenticator.keys import CredentialKey
from authctl.virtual_authenticator.credential_store import portable, sealed
from authctl.virtual_authenticator.credential_store.chromium import BrowserForm, from_browser, obstacles, to_browser
from authctl.virtual_authenticator.credential_store.extension_state import ExtensionState
from authctl.virtual_authenticator.credential_store.interface import Imported
from authctl.virtual_authenticator.errors import NotSupported, PassphraseWrong, StoreConflict, StoreDamaged
from tests.virtual_authenticator.credential_store.test_contract import credential

NOW = datetime(2026, 5, 1, tzinfo=UTC)
CHEAP = 2**4


def written(document: object) -> bytes:
    return json.dumps(document).encode()


def sealed_export(passphrase: str = "correct horse") -> dict[str, Any]:
    return sealed.seal(written(portable.export_own([credential(1)])), passphrase, cost=CHEAP)


@pytest.mark.parametrize("form", list(BrowserForm))
@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_a_passkey_comes_back_from_a_browsers_form(form: BrowserForm, algorithm: int) -> None:
    sent = credential(1, key=CredentialKey.generate(algorithm, SystemRandom()), sign_count=7)
    (back,) = portable.read(written(portable.export_for_browser([sent], form)), NOW)
    assert back.key.algorithm.identifier == algorithm
    assert back.key.to_pkcs8() == sent.key.to_pkcs8()
    for name in ("credential_id", "rp_id", "user_handle", "sign_count", "is_discoverable"):
        assert getattr(back, name) == getattr(sent, name)


def test_names_and_flags_come_back_when_the_form_has_them() -> None:
    sent = credential(1, is_backup_eligible=True, is_backed_up=True, is_discoverable=False)
    back = from_browser(to_browser(sent), NOW)
    assert (back.user_name, back.user_display_name) == (sent.user_name, sent.user_display_name)
    assert (back.is_backup_eligible, back.is_backed_up, back.is_discoverable) == (True, True, False)
    assert back.created_at == NOW


def test_bytes_are_base64_for_the_protocol_and_base64url_for_webdriver() -> None:
    sent = credential(1, user_handle=b"\xff\xfe\xfd\xfc")
    assert to_browser(sent)["userHandle"] == "//79/A=="
    assert to_browser(sent, BrowserForm.WEBDRIVER)["userHandle"] == "__79_A"
    assert b64decode(to_browser(sent)["privateKey"]) == sent.key.to_pkcs8()


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode, lambda data: urlsafe_b64encode(data).rstrip(b"=")])
def test_every_way_to_write_bytes_is_read(encode: Any) -> None:
    sent = credential(1, user_handle=b"\xff\xfe\xfd\xfc")
    members = {**to_browser(sent), "userHandle": encode(sent.user_handle).decode()}
    assert from_browser(members, NOW).user_handle == sent.user_handle


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {"credentials": [one]}])
def test_what_a_browser_answered_is_read_as_it_is(wrap: Any) -> None:
    assert portable.read(written(wrap(to_browser(credential(1)))), NOW)[0].credential_id == b"id-1"


def test_a_credential_says_only_what_it_must() -> None:
    members = to_browser(credential(1))
    least = {name: members[name] for name in ("credentialId", "rpId", "privateKey")}
    back = from_browser(least, NOW)
    assert (back.user_handle, back.user_name, back.sign_count) == (b"", "", 0)
    assert (back.is_discoverable, back.is_backup_eligible, back.is_backed_up) == (False, False, False)


@pytest.mark.parametrize("form", [BrowserForm.CHROMIUM, BrowserForm.WEBDRIVER])
def test_a_large_blob_travels_along(form: BrowserForm) -> None:
    state = ExtensionState(has_large_blob=True, large_blob=b"\xff\xfe")
    assert from_browser(to_browser(credential(1, extensions=state), form), NOW).extensions == state
    assert "largeBlob" not in to_browser(credential(1), form)


def test_secrets_of_the_prf_extension_stay_behind_and_a_person_is_told() -> None:
    held = credential(1, extensions=ExtensionState(hmac_secrets=(b"1", b"2")))
    assert [sentence for sentence in obstacles(held, BrowserForm.CHROMIUM) if "prf" in sentence]


def test_what_is_backed_up_is_eligible_when_the_form_forgot_to_say_so() -> None:
    assert from_browser({**to_browser(credential(1)), "backupState": True}, NOW).is_backup_eligible


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("credentialId", None),
        ("credentialId", ""),
        ("credentialId", "a b"),
        ("rpId", 5),
        ("privateKey", "c2VjcmV0"),
        ("privateKey", "\u00e9"),
        ("privateKey", None),
        ("isResidentCredential", "yes"),
        ("signCount", True),
        ("signCount", -1),
        ("signCount", 2**32),
        ("signCount", "1"),
        ("userName", 1),
    ],
)
def test_a_browsers_credential_is_refused_when_a_member_is_wrong(member: str, value: object) -> None:
    """R-CL-06: the error shows no key."""
    with pytest.raises(StoreDamaged) as caught:
        portable.read(written({**to_browser(credential(1)), member: value}), NOW)
    assert "c2VjcmV0" not in repr((caught.value.detail, caught.value.hint, caught.value.debug))


def test_a_key_of_an_unknown_kind_is_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = X25519PrivateKey.generate().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(NotSupported, match="kind"):
        CredentialKey.of_pkcs8(key)


def test_obstacles_are_named_before_a_browser_meets_them() -> None:
    other = credential(1, key=CredentialKey.generate(-35, SystemRandom()), is_backup_eligible=True)
    assert ["ES384" in sentence for sentence in obstacles(other, BrowserForm.CHROMIUM)] == [True]
    assert len(list(obstacles(other, BrowserForm.PLAYWRIGHT))) == 2
    assert not list(obstacles(credential(1), BrowserForm.PLAYWRIGHT))


def test_an_own_export_keeps_everything() -> None:
    sent = [credential(1, sign_count=9), credential(2, transports=("nfc", "usb"), attachment="cross-platform")]
    back = portable.read(written(portable.export_own(sent)), NOW)
    assert [portable.export_own([each]) for each in back] == [portable.export_own([each]) for each in sent]


def test_a_sealed_export_opens_with_its_passphrase() -> None:
    """R-CL-07."""
    document = sealed_export()
    assert document["mark"] == "test-only"
    assert portable.read(written(document), NOW, "correct horse")[0].credential_id == b"id-1"


def test_a_sealed_export_shows_nothing_of_its_content() -> None:
    """R-CL-06, R-CL-07."""
    sent = credential(1)
    text = json.dumps(sealed_export())
    assert sent.user_name not in text
    assert to_browser(sent, BrowserForm.WEBDRIVER)["privateKey"][20:60] not in text


def test_two_exports_share_neither_salt_nor_nonce() -> None:
    one, two = sealed_export(), sealed_export()
    assert one["kdf"]["salt"] != two["kdf"]["salt"]
    assert one["cipher"]["nonce"] != two["cipher"]["nonce"]


def test_a_guess_is_dear_when_nothing_else_is_said() -> None:
    """R-CL-07: a memory-hard derivation."""
    kdf = sealed.seal(b"{}", "x")["kdf"]
    assert 128 * kdf["n"] * kdf["r"] >= 128 * 1024 * 1024


def test_a_sealed_export_stays_shut_when_there_is_no_passphrase() -> None:
    with pytest.raises(PassphraseWrong, match="encrypted") as caught:
        portable.read(written(sealed_export()), NOW)
    assert "--passphrase-file" in str(caught.value.hint)


def test_a_sealed_export_stays_shut_when_the_passphrase_is_another() -> None:
    with pytest.raises(PassphraseWrong, match="not that of the file"):
        portable.read(written(sealed_export()), NOW, "correct mule")


@pytest.mark.parametrize("member", ["note", "content"])
def test_a_sealed_export_stays_shut_when_somebody_changed_it(member: str) -> None:
    document = sealed_export()
    document[member] = ("B" if document[member][0] == "A" else "A") + document[member][1:]
    with pytest.raises(PassphraseWrong, match="was changed"):
        portable.read(written(document), NOW, "correct horse")


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("", {"version": 0}),
        ("", {"mark": "production"}),
        ("", {"kdf": None}),
        ("", {"content": "a=="}),
        ("kdf", {"n": 2**30}),
        ("kdf", {"n": 3}),
        ("kdf", {"n": "16"}),
        ("kdf", {"name": "md5"}),
        ("kdf", {"salt": "AAAA"}),
        ("cipher", {"nonce": 5}),
    ],
)
def test_a_sealed_export_is_damaged_when_its_header_is(part: str, changes: dict[str, Any]) -> None:
    document = sealed_export()
    (document[part] if part else document).update(changes)
    with pytest.raises(StoreDamaged, match="damaged"):
        portable.read(written(document), NOW, "correct horse")


@pytest.mark.parametrize("make", [sealed_export, lambda: portable.export_for_browser([], BrowserForm.CHROMIUM)])
def test_an_export_of_a_newer_version_asks_for_a_newer_program(make: Any) -> None:
    with pytest.raises(StoreDamaged, match="version") as caught:
        portable.read(written({**make(), "version": 99}), NOW, "x")
    assert caught.value.hint == "Update authctl"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"5", b"{}", b"[1]", b'{"credentials": {}}', b'{"format": "x"}', b"[" * 200_000, b"\xff",
     b'{"format": "authctl-browser-credentials", "version": null, "credentials": []}'],
)  # fmt: skip
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(StoreDamaged):
        portable.read(content, NOW)


def test_a_passkey_is_there_once_when_it_is_imported_twice() -> None:
    store = MemoryStore()
    results = [store.take_in([credential(1)]) for _ in range(2)]
    assert results == [[Imported.ADDED], [Imported.KNOWN]]
    assert len(store.all()) == 1


def test_the_higher_count_counts_when_a_passkey_was_used_elsewhere() -> None:
    store = MemoryStore()
    store.take_in([credential(1, sign_count=3, transports=("usb",))])
    assert store.take_in([credential(1, sign_count=8)]) == [Imported.COUNTED]
    assert store.take_in([credential(1, sign_count=5)]) == [Imported.KNOWN]
    assert [(each.sign_count, each.transports) for each in store.all()] == [(8, ("usb",))]


def test_another_passkey_with_the_same_id_is_refused() -> None:
    store = MemoryStore()
    store.add(credential(1))
    with pytest.raises(StoreConflict):
        store.take_in([credential(1, key=CredentialKey.generate(ES256, SystemRandom()))])


def test_an_imported_passkey_signs() -> None:
    store = MemoryStore()
    store.take_in([from_browser(to_browser(credential(1, sign_count=4)), NOW)])
    client = Client(VirtualAuthenticator(store=store), "http://localhost:8000")
    assert client.get({"challenge": "AAAA", "rpId": "localhost"})["id"] == "aWQtMQ"
    assert store.all()[0].sign_count == 5
