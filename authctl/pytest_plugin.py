"""The pytest plugin: authctl's service and its people as fixtures, and one test per attack on a server of one's own.

pytest imports this in every run, used or not: nothing but pytest is imported before a fixture is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.errors import AuthctlError
    from authctl.testing import LiveService, PasskeyUser, ServerUnderTest, ServiceInProcess
    from authctl.virtual_authenticator import VirtualAuthenticator
    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.harness.attack.verdicts import Result

_MARKER = (
    "webauthn_attacks(*patterns, only, tier, layer, force, ceremony, profile, max_cases, xfail): "
    "run the test once per attack that is chosen, each as the fixture webauthn_attack; without arguments all of them"
)
_ATTACK = "webauthn_attack"
_INI = {
    "authctl_target": "recipe of the server under attack: a built-in name, or a file relative to this one",
    "authctl_app": "ASGI or WSGI application under attack: module:app, or module:create_app() for what makes it",
    "authctl_url": "address of the server under attack, instead of an application",
    "authctl_origin": "origin of the page that the client pretends to be on, when it is not that of the address",
    "authctl_ledger": "file that the results of attacks are compared with and kept in, relative to this one",
}
_OPTION = {
    "authctl_target": ("RECIPE", "recipe of the server under attack: a built-in name or a file"),
    "authctl_app": ("MODULE:APP", _INI["authctl_app"]),
    "authctl_url": ("URL", _INI["authctl_url"]),
    "authctl_origin": ("ORIGIN", _INI["authctl_origin"]),
    "authctl_ledger": ("FILE", "file that the results of attacks are compared with, and kept in for the next run"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Says which server the fixture `webauthn_relying_party` reaches, and how."""
    group = parser.getgroup("authctl", "attacks on a WebAuthn server (authctl)")
    for name, (metavar, text) in _OPTION.items():
        group.addoption("--" + name.replace("_", "-"), metavar=metavar, help=f"{text}; goes before the ini file")
        parser.addini(name, _INI[name], type="string", default="")
    parser.addini("authctl_can", "what the server under attack allows beside what its recipe says", type="args")
    parser.addini("authctl_trusted_root", "seed of the root certificate that the server under attack trusts")
    group.addoption(
        "--i-am-allowed-to-test",
        metavar="HOST",
        action="append",
        default=[],
        help="a host that is not this machine and may be attacked; may be repeated",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Enters the marker, and refuses options that contradict each other before anything is collected."""
    config.addinivalue_line("markers", _MARKER)
    app, url = _option(config, "authctl_app"), _option(config, "authctl_url")
    if app and url:
        raise pytest.UsageError(f"authctl_app ({app}) and authctl_url ({url}) cannot both be under attack: choose one")
    if app and ":" not in app:
        raise pytest.UsageError(f"authctl_app: {app!r} names no application: write module:app")
    ledger = _file(config, "authctl_ledger")
    # With xdist the processes report to this one, which alone keeps the file.
    if ledger is not None and not hasattr(config, "workerinput"):
        _keep_ledger(config, ledger)


def _keep_ledger(config: pytest.Config, path: Path) -> None:
    from authctl.errors import AuthctlError
    from authctl.testing.ledger import RunLedger

    try:
        config.pluginmanager.register(RunLedger(path), "authctl-ledger")
    except AuthctlError as error:
        raise pytest.UsageError(_told(error)) from error


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Makes one test per attack of those that ask for them."""
    marker = metafunc.definition.get_closest_marker("webauthn_attacks")
    if _ATTACK not in metafunc.fixturenames:
        # On a class or a module the marker may be meant for other tests.
        if any(mark.name == "webauthn_attacks" for mark in metafunc.definition.own_markers):
            _refuse(metafunc, "is marked webauthn_attacks, and does not take the fixture webauthn_attack")
        return
    if marker is None:
        _refuse(metafunc, "webauthn_attack needs a choice: @pytest.mark.webauthn_attacks(tier='core'), for example")
    from authctl.errors import AuthctlError
    from authctl.testing import chosen

    try:
        cases, profile, failing = chosen(*marker.args, **marker.kwargs)
    except AuthctlError as error:
        _refuse(metafunc, _told(error))
    params = [
        pytest.param((case, profile), id=case.name, marks=_known_to_fail(failing.get(case.name))) for case in cases
    ]
    metafunc.parametrize(_ATTACK, params, indirect=True)


class WebauthnAttack:
    """One case of the catalogue, for one test.

    case     its data: name, alters, why, spec, force, tier, layer, …
    profile  by which it is judged
    """

    def __init__(self, case: Case, profile: str, properties: list[tuple[str, object]]) -> None:
        self.case = case
        self.profile = profile
        self._properties = properties

    def __repr__(self) -> str:
        return f"<WebauthnAttack {self.case.name}>"

    def against(self, server: Any) -> Result:
        """Plays it against a server; fails unless the server does what it owes, skips where there is nothing to play.

        server  what `authctl.testing.relying_party` made, or any other RelyingParty
        """
        __tracebackhide__ = True
        from authctl.errors import AuthctlError
        from authctl.testing import explanation, play
        from authctl.testing.ledger import properties_of
        from authctl.virtual_authenticator.harness.attack.verdicts import Mark

        result, problem = None, ""
        try:
            result = play(self.case, server, self.profile)
        except AuthctlError as error:
            problem = _told(error)
        # Outside of the handler, or pytest would show what led to the error before the line that says it.
        if result is None:
            pytest.fail(f"{self.case.name}: nothing can be tested here. {problem}", pytrace=False)
        self._properties += properties_of(result)
        if result.mark is Mark.NOT_APPLICABLE:
            pytest.skip(f"{self.case.name} does not apply: {result.reason}")
        if result.mark not in (Mark.GOOD, Mark.TOLD):
            pytest.fail(explanation(result), pytrace=False)
        return result


@pytest.fixture
def webauthn_attack(request: pytest.FixtureRequest) -> WebauthnAttack:
    """One attack of those that the marker webauthn_attacks chooses; `.against(server)` plays it."""
    case, profile = request.param
    # What the fixture record_property would do, without its warning about newer forms of JUnit reports.
    return WebauthnAttack(case, profile, request.node.user_properties)


@pytest.fixture(scope="session")
def webauthn_relying_party(pytestconfig: pytest.Config) -> Iterator[ServerUnderTest]:
    """The server under attack that the options name; redefine it in a conftest.py to build one in Python."""
    from authctl.errors import AuthctlError
    from authctl.testing import relying_party
    from authctl.testing.apps import load_app

    app, url, origin = (_option(pytestconfig, name) for name in ("authctl_app", "authctl_url", "authctl_origin"))
    if not app and not url:
        _give_up("No server is under attack: authctl_app or authctl_url names it, or redefine this fixture")
    opened, problem = None, ""
    try:
        opened = relying_party(
            load_app(app, pytestconfig.rootpath) if app else url,
            _recipe(pytestconfig),
            origin=origin or None,
            can=pytestconfig.getini("authctl_can"),
            allowed=pytestconfig.getoption("i_am_allowed_to_test"),
            trusted_root=str(pytestconfig.getini("authctl_trusted_root") or ""),
        )
        opened.__enter__()
    except AuthctlError as error:
        problem = _told(error)
    if opened is None or problem:
        _give_up(problem)
    yield opened
    opened.__exit__(None, None, None)


@pytest.fixture
def virtual_authenticator(request: pytest.FixtureRequest) -> VirtualAuthenticator:
    """A fresh authenticator without a passkey; a preset by indirect parametrisation, otherwise a platform passkey."""
    from authctl.virtual_authenticator import VirtualAuthenticator

    return VirtualAuthenticator(getattr(request, "param", "platform"))


@pytest.fixture(scope="session")
def authctl_settings() -> dict[str, Any]:
    """Settings of the services below, by field name (rate_limits, origins, …); redefine it to change them."""
    return {}


@pytest.fixture(scope="session")
def authctl_server(authctl_settings: dict[str, Any]) -> Iterator[LiveService]:
    """The service on a free port, with a temporary database, for the whole session: .url, .origin, .service."""
    from authctl.testing import LiveService

    with LiveService(**authctl_settings) as server:
        yield server


@pytest.fixture(scope="session")
def authctl_in_process(authctl_settings: dict[str, Any]) -> Iterator[ServiceInProcess]:
    """The service without a socket, with a temporary database, for the whole session: .app, .origin, .service."""
    from authctl.testing import ServiceInProcess

    with ServiceInProcess(**authctl_settings) as service:
        yield service


@pytest.fixture
def authctl_client(authctl_in_process: ServiceInProcess) -> Iterator[Any]:
    """An httpx2.Client of the service in this process, with no cookies yet."""
    with authctl_in_process.client() as client:
        yield client


@pytest.fixture
def passkey_user(
    authctl_in_process: ServiceInProcess, virtual_authenticator: VirtualAuthenticator
) -> Iterator[PasskeyUser]:
    """Somebody new at the service in this process: .id, .email, .token, .authenticator, .browser, .client (HTTP)."""
    user = authctl_in_process.register(authenticator=virtual_authenticator)
    yield user
    user.close()


def _option(config: pytest.Config, name: str) -> str:
    found = config.getoption(name) or config.getini(name)
    return str(found).strip()


def _file(config: pytest.Config, name: str) -> Path | None:
    # What the ini file names is beside it, what the command line names where that was typed.
    given = config.getoption(name)
    if given:
        return config.invocation_params.dir / str(given)
    written = str(config.getini(name)).strip()
    return (config.inipath.parent if config.inipath else config.rootpath) / written if written else None


def _recipe(config: pytest.Config) -> str:
    given, written = config.getoption("authctl_target"), str(config.getini("authctl_target")).strip()
    name = str(given or written)
    if not name:
        _give_up("No recipe says how the server is spoken to: authctl_target names one")
    if given or config.inipath is None or not ("/" in name or name.endswith(".toml")):
        return name
    return str(config.inipath.parent / name)


def _known_to_fail(reason: str | None) -> tuple[pytest.MarkDecorator, ...]:
    # Strict, so that it is noticed when the reason is gone.
    return () if reason is None else (pytest.mark.xfail(reason=reason, strict=True),)


def _refuse(metafunc: pytest.Metafunc, why: str) -> NoReturn:
    raise pytest.Collector.CollectError(f"{metafunc.definition.nodeid}: {why}")


def _give_up(why: str) -> NoReturn:
    pytest.fail(why, pytrace=False)


def _told(error: AuthctlError) -> str:
    problems = getattr(error, "problems", ())
    detail = "; ".join(problems) if problems else error.detail
    return f"{detail}. {error.hint}" if error.hint else detail
