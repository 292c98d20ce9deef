"""Every fault over the whole catalogue, with all chance taken out: each alters its message, and each otherwise."""

from __future__ import annotations

import secrets
from collections import Counter
from copy import deepcopy
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.x509 import CertificateBuilder

from authctl.virtual_authenticator.attestation.authority import Authority
from authctl.virtual_authenticator.authenticator.keys import CredentialKey
from authctl.virtual_authenticator.base64url import encode
from authctl.virtual_authenticator.errors import NotSupported
from authctl.virtual_authenticator.faults import certificates
from authctl.virtual_authenticator.faults.catalogue import cases
from authctl.virtual_authenticator.faults.certified import CERTIFIED
from authctl.virtual_authenticator.faults.drafts import AssertionDraft, RegistrationDraft
from authctl.virtual_authenticator.faults.interface import FAULTS, Layer, Unlucky
from authctl.virtual_authenticator.faults.needs import REGISTRATION
from authctl.virtual_authenticator.faults.stage import Lab, Person
from authctl.virtual_authenticator.json_text import write
from authctl.virtual_authenticator.randomness import SeededRandom, SystemRandom
from tests.virtual_authenticator.faults.fake_party import FakeParty

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.faults.drafts import Draft
    from authctl.virtual_authenticator.faults.needs import Needs

ORIGINS: Final = {
    "https://login.example.org": "example.org",
    "http://localhost:8000": "localhost",
    "https://localhost": "localhost",
    "https://localhost:8443": "localhost",
    "https://example.com:8443": "example.com",
    "https://fixity.us": "fixity.us",
    "https://brunn.dk": "brunn.dk",
    "https://login.example.co.uk": "example.co.uk",
}
WHOLE: Final = next(iter(ORIGINS))
RELATED: Final = "https://example.net"
ALGORITHMS: Final = (-7, -8, -257, -37, -48)
FAULTY: Final = [case for case in cases() if case.key in FAULTS]
OF_ORIGIN: Final = [case for case in FAULTY if case.layer is Layer.CLIENT_DATA or ".rpid-" in case.id]
"""Cases whose message depends on where the page is."""
BY_NAME: Final = {case.name: case for case in cases()}
ALIKE: Final = (
    {"reg.packed.self-ok", "alg.es256:registration"},
    # One of the two is what a signature is like by chance.
    {"ok.login", "auth.sig.low-s"},
    {"ok.login", "auth.sig.high-s"},
)
IMPOSSIBLE: Final = {
    "http://localhost:8000": {"cd.origin-default-port", "cd.origin-parent"},
    "https://localhost": {"cd.origin-parent"},
    "https://localhost:8443": {"cd.origin-default-port", "cd.origin-parent"},
    "https://example.com:8443": {"cd.origin-default-port"},
    "https://brunn.dk": {"cd.origin-homograph"},
}
"""Faults that an origin cannot have, beside algorithms that are not offered here."""
MANY: Final = 4
"""So often one message gets the same signature; those who sign until a signature suits them get others then."""
CHALLENGE: Final = encode(b"\xfb\xef" * 16)
"""One with characters that only the alphabet of URLs has."""


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> Still:
    """Takes chance out."""
    return Still(monkeypatch)


class Still:
    """Chance that comes out alike in every case."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.random = SeededRandom("tests", "alterations")
        self.signed: Counter[bytes] = Counter()
        sign, issue = CredentialKey.sign, CertificateBuilder.sign

        def again(key: CredentialKey, message: bytes, *, is_deterministic: bool = False) -> bytes:
            self.signed[message] += 1
            return sign(key, message, is_deterministic=is_deterministic or self.signed[message] <= MANY)

        def issued(builder: Any, key: Any, digest: Any, **_: Any) -> Any:
            return issue(builder, key, digest, ecdsa_deterministic=isinstance(key, EllipticCurvePrivateKey) or None)

        patch.setattr(CredentialKey, "sign", again)
        patch.setattr(CertificateBuilder, "sign", issued)
        patch.setattr(SystemRandom, "is_deterministic", True)
        patch.setattr(SystemRandom, "take", lambda _, size: self.random.take(size))
        patch.setattr(secrets, "token_bytes", lambda size=32: bytes(place * 37 % 251 for place in range(1, size + 1)))
        patch.setattr(certificates, "randbits", lambda bits: (1 << bits) - 1)

    def begin(self) -> None:
        """Another case, with the same chances."""
        self.random = SeededRandom("tests", "alterations")
        self.signed.clear()


class Scene:
    """The valid messages of one origin, made once for all cases that need the same."""

    def __init__(self, origin: str, chance: Still) -> None:
        asked = {"challenge": CHALLENGE, "rp": {"id": ORIGINS[origin], "name": "Fake"}, "rpId": ORIGINS[origin]}
        offered = [{"type": "public-key", "alg": number} for number in ALGORITHMS]
        self._party = FakeParty(options={**asked, "pubKeyCredParams": offered}, origin=origin)
        self._authority = Authority(SeededRandom("tests", "root"))
        self._chance = chance
        self._valid: dict[tuple[str, Needs], tuple[Any, Any, Any]] = {}

    def draft(self, case: Case) -> Draft:
        """A draft of the valid message that a case starts from."""
        group = (case.ceremony, case.needs)
        if group not in self._valid:
            self._valid[group] = self._made(case)
        self._chance.begin()
        valid, options, key = self._valid[group]
        if case.ceremony != REGISTRATION:
            assertion = AssertionDraft.of(deepcopy(valid), options, key)
            assertion.related = RELATED
            return assertion
        registration = RegistrationDraft.of(deepcopy(valid), options, key)
        registration.related = RELATED
        if case.needs.attestation in CERTIFIED:
            registration.statement = CERTIFIED[case.needs.attestation](self._authority, registration)
        return registration

    def _made(self, case: Case) -> tuple[Any, Any, Any]:
        person = Person(Lab(self._party, authority=self._authority), case.needs)
        options = person.visit.begin_registration()
        is_self = case.needs.attestation == "packed"
        valid = person.client.create(options, attestation="packed" if is_self else "none")
        if case.ceremony != REGISTRATION:
            options = person.visit.begin_login()
            for _ in range(1 + case.needs.logins):
                valid = person.client.get(options)
        return valid, options, person.key_of(valid)


def sent(draft: Draft) -> str:
    """A message in few letters."""
    return sha256(write(draft.document()).encode()).hexdigest()


def altered(case: Case, scene: Scene) -> str:
    """What goes out in a case."""
    draft = scene.draft(case)
    FAULTS[case.key].alter(draft)
    return sent(draft)


@pytest.mark.parametrize("origin", ORIGINS)
def test_each_fault_alters_its_message_in_its_own_way_wherever_the_page_is(origin: str, still: Still) -> None:
    scene = Scene(origin, still)
    found: dict[str, set[str]] = {}
    impossible, left_alone = set(), set()
    for case in FAULTY if origin == WHOLE else OF_ORIGIN:
        try:
            message = altered(case, scene)
        except NotSupported:
            impossible.add(case.id)
            continue
        found.setdefault(f"{case.ceremony} {case.needs} {message}", set()).add(case.name)
        if case.expected["l3"] != "accept" and message == sent(scene.draft(case)):
            left_alone.add(case.name)
    alike = [names for names in found.values() if len(names) > 1]
    assert [names for names in alike if not any(names <= known for known in ALIKE)] == []
    assert left_alone == set()
    assert {case_id for case_id in impossible if not case_id.startswith("alg.")} == IMPOSSIBLE.get(origin, set())


def test_a_challenge_without_characters_of_the_alphabet_of_urls_takes_another_beginning(still: Still) -> None:
    scene = Scene(WHOLE, still)
    case = BY_NAME["cd.challenge-std-alphabet:authentication"]
    draft = scene.draft(case)
    draft.client["challenge"] = encode(bytes(32))
    with pytest.raises(Unlucky):
        FAULTS[case.key].alter(draft)
