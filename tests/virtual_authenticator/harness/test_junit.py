"""The JUnit report."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

from authctl.errors import ServerUnreachable
from authctl.virtual_authenticator.errors import CeremonyRefused
from authctl.virtual_authenticator.harness.reports.junit import junit_report
from authctl.virtual_authenticator.harness.steps import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = (
    Step("login", "begin", "options", 0.25),
    Step("", "wait", "waiting", 1.0),
    Step("login", "complete", "no", 0.5, error=CeremonyRefused("No <\x1b[31m&\x00> entry", hint="Look there")),
    Step("login", "again", "gone", 0.0, error=ServerUnreachable()),
)


def parsed(steps: Sequence[Step]) -> Xml.Element:
    return Xml.fromstring(junit_report("authctl.simulate.login", steps))  # noqa: S314  # our own text


def test_each_step_is_a_case_and_its_outcome_counts() -> None:
    suite = parsed(STEPS)[0]
    assert suite.attrib == {
        "name": "authctl.simulate.login",
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "0",
        "time": "1.750000",
    }
    assert [case.get("name") for case in suite] == ["login: begin", "wait", "login: complete", "login: again"]
    assert [case[0].tag for case in suite] == ["system-out", "system-out", "failure", "error"]


def test_what_xml_cannot_hold_is_replaced() -> None:
    failure = parsed(STEPS)[0][2][0]
    assert failure.get("message") == "No <�[31m&�> entry"
    assert failure.get("type") == "ceremony-refused"
    assert failure.text == "Look there"


def test_a_report_without_steps_is_valid() -> None:
    assert parsed(())[0].get("tests") == "0"
