"""A server that trusts the root of attacks shows what it makes of certificates, instead of trusting none (SPEC §11)."""

from __future__ import annotations

import pytest

from authctl.testing import play, relying_party, root_certificate
from authctl.virtual_authenticator.faults.catalogue import cases
from authctl.virtual_authenticator.harness.attack.verdicts import Mark
from tests.targets.webauthn_io_server import WebauthnIo

ORIGIN = "http://localhost:5000"
SEED = "my tests"


@pytest.mark.parametrize(
    ("name", "root", "mark"),
    [
        ("reg.packed.x5c-chain-ok", SEED, Mark.GOOD),
        ("reg.packed.x5c-expired-leaf", SEED, Mark.GOOD),
        ("reg.packed.x5c-untrusted", SEED, Mark.GOOD),
        ("reg.packed.x5c-chain-ok", "another", Mark.NOT_APPLICABLE),
        ("reg.packed.x5c-expired-leaf", "another", Mark.NOT_APPLICABLE),
        ("reg.packed.x5c-expired-leaf", "", Mark.NOT_APPLICABLE),
    ],
)
def test_certificates_are_attacked_where_the_root_is_that_of_the_seed(name: str, root: str, mark: Mark) -> None:
    app = WebauthnIo(ORIGIN, root=root_certificate(SEED)).app()
    case = next(case for case in cases() if case.name == name)
    with relying_party(app, "webauthn-io", origin=ORIGIN, trusted_root=root) as server:
        assert play(case, server).mark is mark
