"""One test per attack: what passes, what fails and how it reads, and what is refused before anything runs."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from authctl.virtual_authenticator.faults.catalogue import cases
from tests.pytest_plugin.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

pytestmark = pytest.mark.thorough


CONFTEST = """
import pytest
from authctl.testing import relying_party
from tests.pytest_plugin.careless_app import Careless

MODE = {mode!r}

@pytest.fixture(scope="session")
def server():
    with relying_party(Careless(MODE), "fido") as opened:
        yield opened

@pytest.fixture(scope="session")
def careful(authctl_in_process):
    with relying_party(authctl_in_process.app, "authctl", origin=authctl_in_process.origin) as opened:
        yield opened
"""
TEST = """
import pytest

@pytest.mark.webauthn_attacks({arguments})
def test_it(webauthn_attack, {server}):
    webauthn_attack.against({server})
"""


@pytest.fixture
def attacked(pytester: pytest.Pytester) -> Run:
    """Runs a module with one attacked test."""

    def run(arguments: str, *options: str, server: str = "server", mode: str = "") -> pytest.RunResult:
        pytester.makeconftest(CONFTEST.format(mode=mode))
        pytester.makepyfile(TEST.format(arguments=arguments, server=server))
        return pytester.runpytest_inprocess(*OPTIONS, *options)

    return run


def test_an_attack_passes_when_the_server_refuses_it(attacked: Run) -> None:
    result = attacked("'cd.type-*', 'auth.sig.bit-flip*', tier='core', force='must'", server="careful")
    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed"}
    assert outcomes["passed"] >= 3


def test_every_attack_that_has_to_be_refused_fails_when_anything_is_accepted(attacked: Run) -> None:
    result = attacked("'cd.type-*', 'cd.origin-other', 'ok.login', force=('must', 'positive')", "-rA")
    wanted = [case for case in cases() if case.id.startswith("cd.type-") and case.force == "must"]
    assert len(wanted) > 4
    assert result.parseoutcomes()["failed"] >= len(wanted)
    for case in wanted:
        result.stdout.fnmatch_lines([f"FAILED *::test_it[[]{case.name}[]]*"])


def test_a_failure_says_what_was_altered_why_it_matters_and_how_to_look_it_up(attacked: Run) -> None:
    result = attacked("'cd.origin-suffix-trick*', ceremony='registration', max_cases=1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "cd.origin-suffix-trick*:registration: the server accepted what it has to refuse",
            "  what was altered  * (registration, client-data)",
            "  why it matters    *",
            "  the standard      §7.1 step 9* (must; refuse is owed)",
            "  the server        accepted: 200",
            "  look it up        authctl simulate attack show cd.origin-suffix-trick*:registration",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_a_crash_fails_and_shows_what_the_application_raised(attacked: Run) -> None:
    result = attacked("'auth.env.type-wrong'", mode="crash")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["auth.env.type-wrong: the server crashed", "*KeyError: 'a type that nobody thought of'*"]
    )


def test_a_case_is_skipped_with_the_reason_when_the_server_has_nothing_to_play_it_on(attacked: Run) -> None:
    result = attacked("'auth.id.disabled-user*'", "-rs")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED*does not apply: not known of this server: an account can be disabled"])


def test_every_attack_fails_in_one_line_when_the_server_takes_no_faultless_ceremony(attacked: Run) -> None:
    result = attacked("'cd.type-*', max_cases=2", mode="closed")
    result.assert_outcomes(failed=2)
    told = "cd.type-*: nothing can be tested here. A registration with nothing wrong was refused: 200 closed today. *"
    result.stdout.fnmatch_lines([told, told])
    assert "another exception" not in result.stdout.str()


def test_what_is_known_to_fail_is_expected_to_and_noticed_when_it_does_not(attacked: Run) -> None:
    attacked("'cd.type-*', max_cases=2, xfail={'cd.*': 'the library, ticket 7'}").assert_outcomes(xfailed=2)
    result = attacked("'cd.type-*', max_cases=2, xfail={'cd.*': 'mended'}", server="careful")
    result.assert_outcomes(failed=2)


def test_the_verdicts_stand_in_the_junit_report(attacked: Run, pytester: pytest.Pytester) -> None:
    attacked("'cd.type-*', max_cases=1", "--junitxml=report.xml")
    report = (pytester.path / "report.xml").read_text()
    assert 'name="webauthn_verdict" value="wrongly accepted"' in report


def test_attacks_are_shared_out_when_pytest_runs_several_processes(attacked: Run) -> None:
    result = attacked("'cd.type-*', tier='core'", "-n", "2", server="careful")
    assert set(result.parseoutcomes()) == {"passed"}


def test_the_whole_catalogue_is_chosen_when_the_marker_says_nothing(attacked: Run) -> None:
    result = attacked("", "--collect-only", "-q")
    assert f"{len(cases())} tests collected" in result.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("teir='core'", "webauthn_attacks has no argument 'teir'. Did you mean tier?"),
        ("tier='cor'", "There is no tier 'cor'. Did you mean core?"),
        ("layer=['state', 'moon']", "There is no layer 'moon'. One of envelope, client-data*"),
        ("profile='l2'", "There is no profile 'l2'. Did you mean l3?"),
        ("profile=['l3']", "profile of webauthn_attacks is one word*"),
        ("'cd.tpye-*'", "No attack is called cd.tpye-*"),
        ("max_cases=0", "max_cases of webauthn_attacks is a number*"),
        ("xfail='cd.*'", "xfail of webauthn_attacks is a dictionary*"),
        ("xfail={'nope.*': 'why'}", "No attack is called nope.*"),
        ("'cd.type-*', layer='state'", "No case is all of what is asked for*"),
    ],
)
def test_a_choice_is_refused_in_a_line_when_there_is_nothing_like_it(attacked: Run, arguments: str, told: str) -> None:
    result = attacked(arguments)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*::test_it: {told}"])
    assert "Traceback" not in result.stdout.str()


def test_fixture_and_marker_are_refused_when_one_comes_without_the_other(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_bare="def test_it(webauthn_attack): pass",
        test_idle="import pytest\n@pytest.mark.webauthn_attacks\ndef test_it(): pass",
    )
    result = pytester.runpytest_inprocess(*OPTIONS)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            "*test_bare.py::test_it: webauthn_attack needs a choice*",
            "*test_idle.py::test_it: is marked webauthn_attacks, and does not take the fixture*",
        ]
    )


def test_a_marker_on_a_class_is_for_those_of_its_tests_that_take_the_fixture(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST.format(mode=""))
    pytester.makepyfile(
        dedent("""
        import pytest

        @pytest.mark.webauthn_attacks("ok.*", max_cases=2)
        class TestServer:
            def test_attacks(self, webauthn_attack, server):
                assert webauthn_attack.case.name in repr(webauthn_attack)
                assert webauthn_attack.against(server).mark == "good"

            def test_something_else(self):
                assert True
        """)
    )
    pytester.runpytest_inprocess(*OPTIONS, "--strict-markers").assert_outcomes(passed=3)
