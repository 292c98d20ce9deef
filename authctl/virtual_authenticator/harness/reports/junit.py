"""Writes the steps of a ceremony as JUnit XML, which every CI system shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as Xml  # writing only

from authctl.virtual_authenticator.errors import CeremonyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.virtual_authenticator.harness.steps import Step

# Everything that XML 1.0 cannot hold, not even escaped.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_report(suite: str, steps: Sequence[Step]) -> bytes:
    """One test case per step: a refusal is a failure, everything else that went wrong an error."""
    root = Xml.Element("testsuites")
    failed = [step for step in steps if isinstance(step.error, CeremonyError)]
    broken = [step for step in steps if step.error is not None and step not in failed]
    attributes = {
        "name": suite,
        "tests": str(len(steps)),
        "failures": str(len(failed)),
        "errors": str(len(broken)),
        "skipped": "0",
        "time": _seconds(sum(step.seconds for step in steps)),
    }
    suite_element = Xml.SubElement(root, "testsuite", attributes)
    for step in steps:
        _add_case(suite_element, suite, step)
    Xml.indent(root)
    document: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _add_case(suite_element: Xml.Element, suite: str, step: Step) -> None:
    name = f"{step.ceremony}: {step.name}" if step.ceremony else step.name
    attributes = {"classname": suite, "name": name, "time": _seconds(step.seconds)}
    case = Xml.SubElement(suite_element, "testcase", attributes)
    if step.error is None:
        Xml.SubElement(case, "system-out").text = _text(step.summary)
        return
    tag = "failure" if isinstance(step.error, CeremonyError) else "error"
    message = {"type": step.error.slug, "message": _text(step.error.detail)}
    Xml.SubElement(case, tag, message).text = _text(step.error.hint or "")


def _seconds(seconds: float) -> str:
    return f"{seconds:.6f}"


def _text(text: str) -> str:
    return _NOT_XML.sub("�", text)
