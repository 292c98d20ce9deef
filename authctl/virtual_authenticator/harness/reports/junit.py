"""Writes the steps of a ceremony, or the cases of an attack, as JUnit XML, which every CI system shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as Xml  # writing only

from authctl.virtual_authenticator.errors import CeremonyError
from authctl.virtual_authenticator.harness.attack.report import sentence
from authctl.virtual_authenticator.harness.attack.verdicts import Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.virtual_authenticator.harness.attack.report import Report
    from authctl.virtual_authenticator.harness.attack.verdicts import Result
    from authctl.virtual_authenticator.harness.steps import Step

# Everything that XML 1.0 cannot hold, not even escaped.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_FAILURE, _ERROR, _SKIPPED = "failure", "error", "skipped"
_TAG_OF: Final = {
    Mark.WRONGLY_ACCEPTED: _FAILURE,
    Mark.CRASHED: _ERROR,
    Mark.INCONCLUSIVE: _SKIPPED,
    Mark.NOT_APPLICABLE: _SKIPPED,
}
"""What is merely told passes, as the command itself has it."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One test case; `tag` is empty when it passed."""

    group: str
    name: str
    seconds: float
    output: str
    tag: str = ""
    kind: str = ""
    message: str = ""


def junit_report(suite: str, steps: Sequence[Step]) -> bytes:
    """One test case per step: a refusal is a failure, everything else that went wrong an error."""
    return _document(suite, [_of_step(suite, step) for step in steps])


def junit_attacks(suite: str, report: Report) -> bytes:
    """One test case per case: wrongly accepted is a failure, a crash an error, without a verdict is skipped."""
    entries = [_of_result(suite, result) for result in report.results]
    if report.stopped:
        why = f"stopped after {len(report.results)} of {report.total} cases: {report.stopped}"
        entries.append(_Entry(suite, "the run", 0.0, "", _ERROR, "stopped", why))
    return _document(suite, entries)


def _document(suite: str, entries: Sequence[_Entry]) -> bytes:
    root = Xml.Element("testsuites")
    tags = [entry.tag for entry in entries]
    attributes = {
        "name": suite,
        "tests": str(len(entries)),
        "failures": str(tags.count(_FAILURE)),
        "errors": str(tags.count(_ERROR)),
        "skipped": str(tags.count(_SKIPPED)),
        "time": _seconds(sum(entry.seconds for entry in entries)),
    }
    element = Xml.SubElement(root, "testsuite", attributes)
    for entry in entries:
        _add(element, entry)
    Xml.indent(root)
    document: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _add(suite: Xml.Element, entry: _Entry) -> None:
    attributes = {"classname": entry.group, "name": entry.name, "time": _seconds(entry.seconds)}
    case = Xml.SubElement(suite, "testcase", attributes)
    if not entry.tag:
        Xml.SubElement(case, "system-out").text = _text(entry.output)
        return
    facts = {"message": _text(entry.message)}
    if entry.tag != _SKIPPED:
        facts = {"type": entry.kind, **facts}
    Xml.SubElement(case, entry.tag, facts).text = _text(entry.output)


def _of_step(suite: str, step: Step) -> _Entry:
    name = f"{step.ceremony}: {step.name}" if step.ceremony else step.name
    if step.error is None:
        return _Entry(suite, name, step.seconds, step.summary)
    tag = _FAILURE if isinstance(step.error, CeremonyError) else _ERROR
    return _Entry(suite, name, step.seconds, step.error.hint or "", tag, step.error.slug, step.error.detail)


def _of_result(suite: str, result: Result) -> _Entry:
    case = result.case
    tag = _TAG_OF.get(result.mark, "")
    lines = [case.why, f"Standard: {case.spec}"] if tag in (_FAILURE, _ERROR) else []
    lines += [f"Known: {', '.join(case.known)}"] if lines and case.known else []
    lines += [f"The server said: {result.excerpt}"] if lines and result.excerpt else []
    output = "\n".join(lines) if tag else sentence(result)
    kind = result.mark.value.replace(" ", "-")
    return _Entry(f"{suite}.{case.layer}", case.name, result.seconds, output, tag, kind, sentence(result))


def _seconds(seconds: float) -> str:
    return f"{seconds:.6f}"


def _text(text: str) -> str:
    return _NOT_XML.sub("�", text)
