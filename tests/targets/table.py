"""Writes into docs/targets.md what each server accepts that it should not: `python -m tests.targets.table`."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.faults.catalogue import cases
from authctl.virtual_authenticator.faults.stage import Lab
from authctl.virtual_authenticator.harness.attack.events import CaseEnded
from authctl.virtual_authenticator.harness.attack.plan import Plan
from authctl.virtual_authenticator.harness.attack.runner import run
from authctl.virtual_authenticator.harness.attack.targets import OneServer
from authctl.virtual_authenticator.harness.attack.verdicts import Mark
from authctl.virtual_authenticator.harness.recipe.builtin import builtin
from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
from tests.targets.programs import NODE, ROOT, running_node, running_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from authctl.virtual_authenticator.harness.attack.verdicts import Result

PAGE: Final = ROOT / "docs" / "targets.md"
_BEGIN: Final = "<!-- table: findings -->\n"
_END: Final = "<!-- end -->"
_HEADINGS: Final = (
    "as it should",
    "wrongly accepted",
    "against a must",
    "crashed",
    "wrongly refused",
    "told",
    "inconclusive",
    "not applicable",
)
_MARKS: Final = {Mark.WRONGLY_ACCEPTED: "accepted", Mark.CRASHED: "crashed"}


@dataclass(frozen=True)
class Subject:
    """A server with the recipe for it."""

    recipe: str
    name: str
    start: Callable[[], AbstractContextManager[str]]


def subjects() -> list[Subject]:
    """The servers of these tests, and authctl's own."""
    return [
        Subject(
            "simplewebauthn",
            f"@simplewebauthn/server {_npm('simplewebauthn', '@simplewebauthn/server')}",
            _node("simplewebauthn"),
        ),
        Subject("better-auth", f"better-auth {_npm('better-auth', 'better-auth')}", _node("better-auth")),
        Subject("webauthn-io", f"py_webauthn {version('webauthn')}", lambda: running_python("webauthn_io_server")),
        Subject("fido", f"python-fido2 {version('fido2')}", lambda: running_python("fido_conformance_server")),
        Subject("authctl", f"authctl {version('authctl')}", _own),
    ]


def play(subject: Subject, jobs: int = 1) -> list[Result]:
    """What came of every case."""
    with subject.start() as url:

        def open_target() -> OneServer:
            server = DescribedServer(builtin(subject.recipe), url, timeout=30)
            return OneServer(Lab(server, server.capabilities, server.abilities))

        return [event.result for event in run(Plan(cases(), jobs=jobs), open_target) if isinstance(event, CaseEnded)]


def table(played: Sequence[tuple[Subject, Sequence[Result]]]) -> str:
    """The counts of each server, and the core of what has to be refused and was not."""
    day = datetime.now(UTC).date()
    lines = [
        f"Measured on {day}, {len(played[0][1])} cases each, profile `l3`.\n",
        _line("Server", *_HEADINGS),
        _line(*["---"] * (1 + len(_HEADINGS))),
        *(_counts(subject, results) for subject, results in played),
        "",
        "The core of what the standard demands to be refused, and who did not:\n",
        _line("Altered", "Case", *(subject.name for subject, _ in played)),
        _line(*["---"] * (2 + len(played))),
        *_rows(played),
    ]
    return "\n".join(lines) + "\n"


def _counts(subject: Subject, results: Sequence[Result]) -> str:
    accepted = [result for result in results if result.mark is Mark.WRONGLY_ACCEPTED]
    numbers = [
        sum(result.mark is Mark.GOOD for result in results),
        len(accepted),
        sum(result.case.force == "must" for result in accepted),
        *(sum(result.mark is mark for result in results) for mark in _REST),
    ]
    return _line(subject.name, *map(str, numbers))


_REST: Final = (Mark.CRASHED, Mark.WRONGLY_REFUSED, Mark.TOLD, Mark.INCONCLUSIVE, Mark.NOT_APPLICABLE)


def _rows(played: Sequence[tuple[Subject, Sequence[Result]]]) -> Iterator[str]:
    by_case = [{result.case.name: result for result in results} for _, results in played]
    for name, result in by_case[0].items():
        case = result.case
        found = [_MARKS.get(results[name].mark, "") if name in results else "" for results in by_case]
        # One form of each is enough here: the others differ in a number or a place.
        if case.force == "must" and case.tier == "core" and "/" not in name and any(found):
            yield _line(case.alters, f"`{name}`", *found)


def _line(*cells: str) -> str:
    return "|" + "|".join(cell if cell == "---" else f" {cell} " for cell in cells) + "|"


def _node(name: str) -> Callable[[], AbstractContextManager[str]]:
    return lambda: running_node(name)


@contextmanager
def _own() -> Iterator[str]:
    from authctl.server.running import temporary_server

    with temporary_server(authenticator_attachment="any", rate_limits=False) as server:
        yield server.url


def _npm(project: str, package: str) -> str:
    lock: dict[str, Any] = json.loads((NODE / project / "package-lock.json").read_text(encoding="utf-8"))
    return str(lock["packages"][f"node_modules/{package}"]["version"])


def write(text: str, page: Path = PAGE) -> None:
    """Puts the table in its place on the page."""
    old = page.read_text(encoding="utf-8")
    page.write_text(
        re.sub(f"{_BEGIN}.*?{_END}", lambda _: _BEGIN + text + _END, old, flags=re.DOTALL), encoding="utf-8"
    )


def main() -> None:
    """Plays everything against every server, which takes some minutes."""
    played = []
    for subject in subjects():
        print(subject.name, file=sys.stderr)  # noqa: T201  # says where it is
        played.append((subject, play(subject)))
    write(table(played))


if __name__ == "__main__":
    main()
