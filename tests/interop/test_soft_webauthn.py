"""The device of soft-webauthn, which shares no code with ours, and our client make the same journeys."""

from __future__ import annotations

import importlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import AuthctlError
from authctl.server.app import create_app
from authctl.server.assembly import open_service
from authctl.settings import load_settings
from authctl.virtual_authenticator import (
    EDDSA,
    ES256,
    PLATFORM,
    SECURITY_KEY,
    Client,
    Gesture,
    VirtualAuthenticator,
)
from authctl.virtual_authenticator.errors import CredentialExcluded, NoCredential, NotSupported
from authctl.virtual_authenticator.harness.recipe.builtin import builtin
from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
from authctl.virtual_authenticator.harness.relying_party import Verdict
from authctl.virtual_authenticator.soft_device import SoftDevice
from tests.targets.programs import has_node, running_node
from tests.targets.webauthn_io_server import WebauthnIo
from tests.virtual_authenticator.relying_party import ORIGIN, creation_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from authctl.virtual_authenticator.harness.recipe.visit import RecipeVisit

pytestmark = pytest.mark.interop


@contextmanager
def own_service(place: Path, user_verification: str = "preferred") -> Iterator[DescribedServer]:
    """authctl's service in this process."""
    settings = {"USER_VERIFICATION": user_verification, "RATE_LIMITS": "off", "AUTHENTICATOR_ATTACHMENT": "any"}
    service = open_service(load_settings(environ=settings, cwd=place), kind="server")
    try:
        with DescribedServer(builtin("authctl"), ORIGIN, app=create_app(service)) as server:
            yield server
    finally:
        service.close()


@pytest.fixture(
    params=["authctl", "webauthn-io", pytest.param("simplewebauthn", marks=pytest.mark.targets)], scope="module"
)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DescribedServer]:
    """Servers that do without user verification: ours, and two on other libraries."""
    if request.param == "authctl":
        with own_service(tmp_path_factory.mktemp("service")) as found:
            yield found
    elif request.param == "webauthn-io":
        with DescribedServer(builtin("webauthn-io"), ORIGIN, app=WebauthnIo(ORIGIN).app()) as found:
            yield found
    else:
        if not has_node():
            pytest.skip("Node and npm are not installed")
        with running_node("simplewebauthn") as url, DescribedServer(builtin("simplewebauthn"), url) as found:
            yield found


@dataclass
class Traveller:
    """Somebody with a browser, and a device behind it: the foreign one or ours."""

    server: DescribedServer
    device: Any
    visit: RecipeVisit = field(init=False)

    def __post_init__(self) -> None:
        self.visit = self.server.visit()

    @property
    def is_foreign(self) -> bool:
        return isinstance(self.device, SoftDevice)

    def register(self) -> Verdict:
        return self.visit.finish_registration(self.device.create(dict(self.visit.begin_registration()))).verdict

    def signed(self, *, named: bool = True) -> dict[str, Any]:
        made: dict[str, Any] = self.device.get(dict(self.visit.begin_login(named=named)))
        return made

    def log_in(self, *, named: bool = True) -> Verdict:
        return self.visit.finish_login(self.signed(named=named)).verdict

    def set_counter(self, value: int) -> None:
        """What the device counted, as if it had been copied before."""
        if self.is_foreign:
            self.device.device.sign_count = value
            return
        store = self.device.authenticator.store
        held = store.all()[0]
        store.remove(held.credential_id)
        store.add(replace(held, sign_count=value))


@pytest.fixture(params=["soft-webauthn", "authctl"])
def traveller(request: pytest.FixtureRequest, server: DescribedServer) -> Iterator[Traveller]:
    is_foreign = request.param == "soft-webauthn"
    unverified = Gesture(is_user_verified=False)
    ours = Client(VirtualAuthenticator(PLATFORM), server.origin, gesture=unverified)
    device = SoftDevice(server.origin) if is_foreign else ours
    found = Traveller(server, device)
    yield found
    found.visit.close()


def registers_and_logs_in_twice(traveller: Traveller) -> None:
    assert traveller.register() is Verdict.ACCEPTED
    assert [traveller.log_in(), traveller.log_in()] == [Verdict.ACCEPTED, Verdict.ACCEPTED]


def is_refused_when_the_counter_goes_back(traveller: Traveller) -> None:
    traveller.register()
    traveller.set_counter(7)
    assert traveller.log_in() is Verdict.ACCEPTED
    traveller.set_counter(3)
    assert traveller.log_in() is Verdict.REFUSED


def is_refused_when_an_answer_is_sent_twice(traveller: Traveller) -> None:
    traveller.register()
    assertion = traveller.signed()
    assert traveller.visit.finish_login(assertion).verdict is Verdict.ACCEPTED
    assert traveller.visit.finish_login(assertion).verdict is Verdict.REFUSED


def is_refused_when_somebody_else_sends_the_answer(traveller: Traveller) -> None:
    traveller.register()
    stranger = traveller.server.visit()
    assertion = traveller.signed()
    with suppress(AuthctlError):  # some servers begin no login for somebody without a passkey
        stranger.begin_login()
    assert stranger.finish_login(assertion).verdict is Verdict.REFUSED


def registers_nothing_when_the_passkey_is_on_the_exclude_list(traveller: Traveller) -> None:
    traveller.register()
    options = dict(traveller.visit.begin_registration())
    # Not every server lists what an account has to somebody who is not logged in; the client does what the list says.
    options["excludeCredentials"] = [{"type": "public-key", "id": traveller.signed()["id"]}]
    with pytest.raises(CredentialExcluded):
        traveller.device.create(options)
    assert traveller.log_in() is Verdict.ACCEPTED


def answers_nothing_when_its_passkey_is_not_allowed(traveller: Traveller) -> None:
    traveller.register()
    options = dict(traveller.visit.begin_login())
    options["allowCredentials"] = [{"type": "public-key", "id": "c29tZWJvZHkgZWxzZSdz"}]
    with pytest.raises(NoCredential):
        traveller.device.get(options)


JOURNEYS = (
    registers_and_logs_in_twice,
    is_refused_when_the_counter_goes_back,
    is_refused_when_an_answer_is_sent_twice,
    is_refused_when_somebody_else_sends_the_answer,
    registers_nothing_when_the_passkey_is_on_the_exclude_list,
    answers_nothing_when_its_passkey_is_not_allowed,
)


@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.__name__)
def test_the_foreign_device_and_our_client_make_the_same_journey(
    journey: Callable[[Traveller], None], traveller: Traveller
) -> None:
    journey(traveller)


def verifies_nobody(place: Path) -> None:
    with own_service(place, "required") as server:
        ours = Client(VirtualAuthenticator(SECURITY_KEY), server.origin)
        assert Traveller(server, SoftDevice(server.origin)).register() is Verdict.REFUSED
        assert Traveller(server, ours).register() is Verdict.ACCEPTED


def tells_discoverable_passkeys_from_others_in_no_way(place: Path) -> None:
    with own_service(place) as server:
        ours = Client(VirtualAuthenticator(replace(SECURITY_KEY, prefers_discoverable=False)), server.origin)
        for device in (SoftDevice(server.origin), ours):
            traveller = Traveller(server, device)
            options = dict(traveller.visit.begin_registration())
            options["authenticatorSelection"] = {"residentKey": "discouraged"}
            traveller.visit.finish_registration(device.create(options))
            if device is ours:
                with pytest.raises(NoCredential):
                    traveller.log_in(named=False)
            else:
                assert traveller.log_in(named=False) is Verdict.ACCEPTED


def holds_one_passkey(place: Path) -> None:
    with own_service(place) as server:
        for device in (SoftDevice(server.origin), Client(VirtualAuthenticator(SECURITY_KEY), server.origin)):
            travellers = [Traveller(server, device) for _ in "12"]
            assert [each.register() for each in travellers] == [Verdict.ACCEPTED] * 2
            assert travellers[1].log_in() is Verdict.ACCEPTED
            if isinstance(device, SoftDevice):
                with pytest.raises(NoCredential):
                    travellers[0].log_in()
            else:
                assert travellers[0].log_in() is Verdict.ACCEPTED


def knows_one_algorithm(_: Path) -> None:
    options = creation_options(pubKeyCredParams=[{"type": "public-key", "alg": EDDSA}])
    with pytest.raises(NotSupported):
        SoftDevice(ORIGIN).create(options)
    assert Client(VirtualAuthenticator(), ORIGIN).create(options)["response"]["publicKeyAlgorithm"] == EDDSA


def states_nothing_about_itself(_: Path) -> None:
    options = creation_options(authenticatorSelection={}, attestation="direct")
    foreign, own = (device.create(options) for device in (SoftDevice(ORIGIN), Client(VirtualAuthenticator(), ORIGIN)))
    assert len(foreign["response"]["attestationObject"]) < len(own["response"]["attestationObject"])
    assert set(foreign) < set(own)
    assert set(foreign["response"]) < set(own["response"])


LIMITS = {
    verifies_nobody: "its flags are constants without UV, so a service that demands it refuses",
    tells_discoverable_passkeys_from_others_in_no_way: "what it holds answers whoever asks, with the user's handle",
    holds_one_passkey: "the next registration takes the place of the one before",
    knows_one_algorithm: "its keys are on P-256",
    states_nothing_about_itself: "it makes attestation `none` and no transports, extensions or attachment",
}
"""What the foreign device cannot do and ours can, with the reason in its source."""


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.__name__)
def test_the_foreign_device_is_left_out_where_it_has_a_limit(limit: Callable[[Path], None], tmp_path: Path) -> None:
    """Each was seen: a release that can do more turns this red, and the journey is to be shared."""
    assert LIMITS[limit]
    limit(tmp_path)


def test_the_error_says_how_to_get_the_device_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("authctl.virtual_authenticator.soft_device.import_module", missing)
    with pytest.raises(NotSupported, match="not installed"):
        SoftDevice(ORIGIN)
    assert importlib.import_module("soft_webauthn").SoftWebauthnDevice is not None


def test_the_foreign_device_answers_nothing_when_the_rp_id_is_not_that_of_its_passkey() -> None:
    device = SoftDevice(ORIGIN)
    made = device.create(creation_options(pubKeyCredParams=[{"type": "public-key", "alg": ES256}]))
    with pytest.raises(NoCredential, match="RP id"):
        device.get({"challenge": "Y2hhbGxlbmdl", "rpId": "example.org"})
    assert made["id"]
