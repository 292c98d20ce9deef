"""make_credential and get_assertion below the client."""

from __future__ import annotations

from typing import ClassVar

import pytest

from authctl.virtual_authenticator import (
    AAGUID,
    PRESETS,
    GetAssertionRequest,
    MakeCredentialRequest,
    MemoryStore,
    SystemRandom,
    UserEntity,
    VirtualAuthenticator,
)
from authctl.virtual_authenticator.authenticator.presets import preset
from authctl.virtual_authenticator.errors import NotAllowed, NotSupported, OptionsInvalid

USER = UserEntity(b"handle", "jane", "Jane")


def request(**changes: object) -> MakeCredentialRequest:
    values: dict[str, object] = {
        "client_data_hash": bytes(32),
        "rp_id": "localhost",
        "user": USER,
        "algorithms": (-7,),
        **changes,
    }
    return MakeCredentialRequest(**values)  # type: ignore[arg-type]  # tests pass wrong values on purpose


@pytest.mark.parametrize(
    "change",
    [
        {"client_data_hash": b"short"},
        {"rp_id": ""},
        {"user": UserEntity(b"", "", "")},
        {"user": UserEntity(bytes(65), "", "")},
    ],
)
def test_a_registration_is_refused_when_a_parameter_is_not_well_formed(change: dict[str, object]) -> None:
    authenticator = VirtualAuthenticator()
    with pytest.raises(OptionsInvalid):
        authenticator.make_credential(request(**change))
    assert authenticator.store.all() == []


@pytest.mark.parametrize(("rp_id", "client_data_hash"), [("", bytes(32)), ("localhost", b"")])
def test_a_login_is_refused_when_a_parameter_is_not_well_formed(rp_id: str, client_data_hash: bytes) -> None:
    with pytest.raises(OptionsInvalid):
        VirtualAuthenticator().get_assertion(GetAssertionRequest(rp_id, client_data_hash))


def test_a_credential_is_of_no_use_for_another_rp_id() -> None:
    authenticator = VirtualAuthenticator()
    made = authenticator.make_credential(request())
    with pytest.raises(NotAllowed, match="none of the passkeys"):
        authenticator.get_assertion(GetAssertionRequest("example.com", bytes(32), (made.credential.credential_id,)))


def test_the_newest_passkey_is_taken_when_several_are_allowed() -> None:
    authenticator = VirtualAuthenticator()
    ids = [
        authenticator.make_credential(request(user=UserEntity(handle, "", ""))).credential.credential_id
        for handle in (b"1", b"2")
    ]
    assertion = authenticator.get_assertion(GetAssertionRequest("localhost", bytes(32), tuple(ids)))
    assert assertion.credential.credential_id == ids[1]


def test_the_model_is_named_in_every_registration() -> None:
    """D-16: an AAGUID of its own, by which a relying party can refuse it."""
    made = VirtualAuthenticator().make_credential(request())
    assert made.authenticator_data.attested is not None
    assert made.authenticator_data.attested.aaguid == AAGUID == b"authctl-test-key"


def test_no_signature_leaves_when_the_counter_cannot_be_kept() -> None:
    """R-CL-05: the counter is stored before the signature is released."""

    class Vanishing(MemoryStore):
        def count_signature(self, credential_id: bytes, policy: object = None) -> None:
            return None

    authenticator = VirtualAuthenticator(store=Vanishing())
    authenticator.make_credential(request())
    with pytest.raises(NotAllowed, match="deleted"):
        authenticator.get_assertion(GetAssertionRequest("localhost", bytes(32)))


def test_no_credential_id_looks_like_an_option() -> None:
    class Hyphen(SystemRandom):
        values: ClassVar = [b"\xf8" * 32, b"\xfb" * 32, b"\xfc" * 32]

        def take(self, length: int) -> bytes:
            return self.values.pop(0)

    made = VirtualAuthenticator(random=Hyphen()).make_credential(request())
    assert made.credential.credential_id == b"\xfc" * 32


def test_presets_are_found_by_name() -> None:
    assert {preset(name).name for name in PRESETS} == {
        "platform",
        "synced-passkey",
        "security-key",
        "u2f-token",
        "tpm-laptop",
        "android",
        "apple",
    }
    with pytest.raises(NotSupported, match="'toaster'"):
        VirtualAuthenticator("toaster")
