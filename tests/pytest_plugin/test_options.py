"""The server that options and the ini file name, and what is said when they cannot be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl import testing
from tests.pytest_plugin.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]


TEST = """
import pytest

@pytest.mark.webauthn_attacks("ok.login", tier="core")
def test_it(webauthn_attack, webauthn_relying_party):
    webauthn_attack.against(webauthn_relying_party)
"""
APP = "tests.pytest_plugin.careless_app:Careless()"


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Runs a module with one attack on the server of the options, which the keywords write into the ini file."""

    def run(*options: str, **ini: str) -> pytest.RunResult:
        pytester.makeini("[pytest]\n" + "".join(f"{name} = {value}\n" for name, value in ini.items()))
        pytester.makepyfile(TEST)
        return pytester.runpytest_inprocess(*OPTIONS, *options)

    return run


def test_the_ini_file_names_application_and_recipe(run: Run) -> None:
    run(authctl_app=APP, authctl_target="fido").assert_outcomes(passed=1)


def test_options_go_before_the_ini_file(run: Run) -> None:
    result = run("--authctl-app", APP, "--authctl-target=fido", authctl_app="no:where", authctl_target="keycloak")
    result.assert_outcomes(passed=1)


def test_a_recipe_of_the_ini_file_is_looked_for_beside_it(run: Run, pytester: pytest.Pytester) -> None:
    from authctl.virtual_authenticator.harness.recipe.builtin import text_of

    (pytester.path / "my.toml").write_text(text_of("fido"))
    elsewhere = pytester.mkdir("elsewhere")
    (elsewhere / "my.toml").write_text("version = 1")
    run("--rootdir", str(pytester.path), authctl_app=APP, authctl_target="my.toml").assert_outcomes(passed=1)


def test_a_server_is_attacked_at_an_address(run: Run) -> None:
    with testing.LiveService() as server:
        run("--authctl-url", server.url, authctl_target="authctl").assert_outcomes(passed=1)


def test_capabilities_make_more_cases_apply(run: Run, pytester: pytest.Pytester) -> None:
    run(authctl_app=APP, authctl_target="fido", authctl_can="usernameless second-passkey").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            [f"--authctl-app={APP}", "--authctl-url=http://localhost:1"],
            "ERROR: authctl_app (*cannot both be under attack*",
        ),
        (["--authctl-app=nothing"], "ERROR: authctl_app: 'nothing' names no application: write module:app"),
    ],
)
def test_a_run_is_refused_before_it_begins_when_options_contradict_each_other(
    run: Run, options: list[str], told: str
) -> None:
    result = run(*options)
    assert result.ret is pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([told])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "*No server is under attack: authctl_app or authctl_url names it, or redefine this fixture"),
        ([f"--authctl-app={APP}"], "*No recipe says how the server is spoken to: authctl_target names one"),
        ([f"--authctl-app={APP}", "--authctl-target=fdio"], "*No recipe is called 'fdio'. Did you mean fido?*"),
        ([f"--authctl-app={APP}", "--authctl-target=./none.toml"], "*none.toml: cannot be read: No such file*"),
        (["--authctl-app=no_such_module:app", "--authctl-target=fido"], "*There is no application no_such_module:app*"),
        (["--authctl-url=ftp://x", "--authctl-target=fido"], "*'ftp://x' is not the address of a server*"),
        (["--authctl-url=http://shop.example", "--authctl-target=fido"], "*--i-am-allowed-to-test shop.example"),
        (["--authctl-url=http://localhost:1", "--authctl-target=fido"], "*Nothing answers at http://localhost:1*"),
    ],
)
def test_a_server_is_refused_in_a_line_when_it_cannot_be_meant(run: Run, options: list[str], told: str) -> None:
    result = run(*options)
    assert result.ret is pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([told])
    assert not [word for word in ("Traceback", "exception", "Error:") if word in result.stdout.str()]


def test_a_host_may_be_attacked_when_it_was_allowed(run: Run) -> None:
    result = run("--authctl-url=https://shop.invalid:9", "--authctl-target=fido", "--i-am-allowed-to-test=shop.invalid")
    result.stdout.fnmatch_lines(["ok.login: nothing can be tested here. Nothing answers at https://shop.invalid:9*"])


def test_the_help_says_what_each_option_is_for(run: Run) -> None:
    text = run("--help").stdout.str()
    assert {"--authctl-target", "--authctl-app", "--authctl-url", "--authctl-origin", "--i-am-allowed-to-test"} <= set(
        text.replace("=", " ").split()
    )
    assert "authctl_can" in text
