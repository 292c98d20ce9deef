"""Keys that registration refuses, put into the store all the same: a login with one breaks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.virtual_authenticator.base64url import encode
from authctl.virtual_authenticator.faults.catalogue import cases
from authctl.virtual_authenticator.faults.interface import FAULTS, Layer
from authctl.virtual_authenticator.faults.stage import Person
from authctl.virtual_authenticator.harness.relying_party import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.faults.needs import Needs
    from authctl.virtual_authenticator.harness.relying_party import Reaction
    from tests.attacks.own_service import OwnService

pytestmark = pytest.mark.thorough

OFFERED = ("ES256", "EdDSA", "RS256")
KEYS = [case for case in cases() if case.layer is Layer.COSE_KEY and case.needs.algorithm in OFFERED]

STILL_THE_SAME_KEY = {
    "reg.key.alg-big",
    "reg.key.alg-float",
    "reg.key.alg-rs1-not-offered",
    "reg.key.cbor-array",
    "reg.key.cbor-chunks",
    "reg.key.cbor-float-alias",
    "reg.key.cbor-indefinite",
    "reg.key.cbor-nonminimal",
    "reg.key.cbor-nonminimal/alg",
    "reg.key.cbor-nonminimal/length_of_x",
    "reg.key.cbor-unsorted",
    "reg.key.crv-bool",
    "reg.key.ed-with-y",
    "reg.key.extra-params",
    "reg.key.extra-params/key_ops_of_a_signer",
    "reg.key.extra-params/private_use",
    "reg.key.long-x",
    "reg.key.private-part",
    "reg.key.raw-point",
    "reg.key.rsa-e-padded",
    "reg.key.rsa-padded",
}
"""Other ways to write the key that the library reads: who signs has its private part, so that nobody is let in."""


def log_in_with(person: Person, service: OwnService, case: Case) -> Reaction:
    """The reaction to a login with a planted key."""
    person.register()
    owner = Person(person.lab, person.needs)
    draft = owner.make()
    FAULTS[case.key].alter(draft)
    service.plant(service.user_id(person.visit.account.email), draft.credential_id, draft.public_key())
    listed = [{"type": "public-key", "id": encode(draft.credential_id)}]
    assertion = owner.sign({**person.begin_login(), "allowCredentials": listed})
    assertion.private = draft.private
    assertion.response.pop("userHandle")
    return person.visit.finish_login(assertion.document())


@pytest.mark.parametrize("case", KEYS, ids=lambda case: case.name)
def test_a_login_does_not_crash_when_the_stored_key_is_one_that_registration_refuses(
    case: Case, service_for: Callable[[Needs], OwnService]
) -> None:
    """R-WA-20: the library raises what it likes over such keys, and none of it reaches the caller."""
    service = service_for(case.needs)
    reaction = log_in_with(Person(service.lab(), case.needs), service, case)
    assert (reaction.verdict is Verdict.ACCEPTED) == (case.name in STILL_THE_SAME_KEY)
    if reaction.verdict is not Verdict.ACCEPTED:
        assert reaction.verdict is Verdict.REFUSED
        assert reaction.reason in {"signature_invalid", "library_error", "library_refused"}
