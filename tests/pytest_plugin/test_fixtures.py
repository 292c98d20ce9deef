"""The fixtures of authctl's own service, as a project that relies on it uses them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from authctl.testing import LiveService, ServiceInProcess
from authctl.virtual_authenticator import VirtualAuthenticator
from authctl.virtual_authenticator.errors import CeremonyError
from tests.pytest_plugin.options import OPTIONS


def run(pytester: pytest.Pytester, module: str, **files: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=dedent(module), **{name: dedent(text) for name, text in files.items()})
    return pytester.runpytest_inprocess(*OPTIONS)


def test_a_user_has_an_account_a_passkey_a_token_and_a_client_that_sends_it(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_user(passkey_user, authctl_client):
            mine = f"/users/{passkey_user.id}"
            assert passkey_user.client.get(mine).json()["email"] == passkey_user.email
            assert authctl_client.get(mine).status_code == 401
            bearer = {"Authorization": f"Bearer {passkey_user.token}"}
            assert authctl_client.get(mine, headers=bearer).status_code == 200
            assert len(passkey_user.authenticator.store.all()) == 1
            assert passkey_user.token not in repr(passkey_user)

        def test_another_login(passkey_user):
            first = passkey_user.token
            assert passkey_user.log_in() == passkey_user.token != first

        def test_a_service_behind(passkey_user, authctl_in_process):
            found = authctl_in_process.service.database.read_now(lambda tx: tx.users.by_email(passkey_user.email))
            assert found.id == passkey_user.id
        """,
    )
    result.assert_outcomes(passed=3)


def test_an_authenticator_is_fresh_in_every_test_and_of_the_kind_that_is_asked_for(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest

        seen = []

        @pytest.mark.parametrize("again", range(2))
        def test_fresh(virtual_authenticator, again):
            assert len(virtual_authenticator.store.all()) == 0
            assert not any(virtual_authenticator is other for other in seen)
            seen.append(virtual_authenticator)

        @pytest.mark.parametrize("virtual_authenticator", ["security-key"], indirect=True)
        def test_preset(virtual_authenticator, passkey_user):
            assert passkey_user.authenticator is virtual_authenticator
            assert virtual_authenticator.profile.attachment == "cross-platform"
        """,
    )
    result.assert_outcomes(passed=3)


def test_a_server_listens_on_a_free_port_for_the_whole_session(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import urllib.request

        urls = set()

        def test_live(authctl_server, virtual_authenticator):
            user = authctl_server.register(authenticator=virtual_authenticator)
            request = urllib.request.Request(f"{authctl_server.url}/users/{user.id}")
            request.add_header("Authorization", f"Bearer {user.token}")
            with urllib.request.urlopen(request) as answer:
                assert answer.status == 200
            assert authctl_server.origin == authctl_server.url
            assert authctl_server.service.settings.rate_limits is False
            user.close()
            urls.add(authctl_server.url)

        def test_the_same(authctl_server):
            assert urls == {authctl_server.url}
        """,
    )
    result.assert_outcomes(passed=2)


def test_settings_are_those_of_the_project_when_it_redefines_them(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_origin(authctl_in_process, passkey_user):
            assert authctl_in_process.origin == "https://shop.example"
            assert str(passkey_user.browser.origin) == "https://shop.example"
        """,
        conftest="""
        import pytest

        @pytest.fixture(scope="session")
        def authctl_settings():
            return {"origins": "https://shop.example", "rp_id": "shop.example"}
        """,
    )
    result.assert_outcomes(passed=1)


def test_nothing_is_left_open_when_a_setting_is_wrong() -> None:
    for kind in (LiveService, ServiceInProcess):
        with pytest.raises(Exception, match=r"(?i)sett|rp_id|origin"), kind(rp_id="nowhere.example"):
            pytest.fail("it opened")


def test_a_user_is_refused_where_the_authenticator_is() -> None:
    with (
        ServiceInProcess(authenticator_attachment="cross-platform") as service,
        pytest.raises(CeremonyError),
    ):
        service.register(authenticator=VirtualAuthenticator("platform"))


def test_a_run_imports_neither_server_nor_cryptography_when_it_uses_nothing_of_this(pytester: pytest.Pytester) -> None:
    """Every run of pytest in the environment loads the plugin."""
    pytester.makepyfile(
        dedent("""
        import sys

        def test_cost(pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("authctl")
            ours = {name for name in sys.modules if name.partition(".")[0] == "authctl"}
            assert ours == {"authctl", "authctl.pytest_plugin"}
            assert not {"cryptography", "cbor2", "httpx2", "starlette", "uvicorn", "sqlalchemy"} & set(sys.modules)
        """)
    )
    pytester.runpytest_subprocess(*OPTIONS).assert_outcomes(passed=1)
