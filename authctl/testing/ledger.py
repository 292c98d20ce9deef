"""What the attacks of a test run came to, kept in the ledger of `simulate attack`, and told where it has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authctl.errors import UsageError
from authctl.escaping import escaped
from authctl.virtual_authenticator.harness.attack.ledger import Entry, Ledger

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.virtual_authenticator.harness.attack.verdicts import Result

NAME: Final = "webauthn_attack"
_OUTCOME: Final = "webauthn_outcome"
_STATUS: Final = "webauthn_status"
_REASON: Final = "webauthn_reason"


def properties_of(result: Result) -> list[tuple[str, object]]:
    """A result as properties of its test, which reports show and which reach the process that keeps the ledger."""
    return [
        (NAME, result.case.name),
        ("webauthn_verdict", result.mark.value),
        (_OUTCOME, result.outcome.value),
        (_STATUS, result.status),
        (_REASON, result.reason),
    ]


class RunLedger:
    """A plugin of pytest for one run: reads the file before, and writes it after; UsageError when it cannot."""

    def __init__(self, path: Path) -> None:
        if path.is_dir() or not path.parent.is_dir():
            raise UsageError(f"{path} cannot be a ledger: there is no such directory, or it is one")
        self._path = path
        self._known = Ledger.read(path)
        self._seen: dict[str, Entry] = {}
        self._problem = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Notes what a test found, in whichever process it ran."""
        found = dict(report.user_properties)
        if report.when == "call" and _OUTCOME in found:
            self._seen[found[NAME]] = Entry(found[_OUTCOME], found[_STATUS], found[_REASON])

    def pytest_sessionfinish(self) -> None:
        """Keeps what is so now."""
        if not self._seen:
            return
        try:
            self._known.with_entries(self._seen).write(self._path)
        except UsageError as error:
            self._problem = error.detail

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Tells what came to something else than the last time."""
        changes = self._known.changes_to(self._seen)
        if changes:
            terminalreporter.section(f"attacks that came to something else than {self._path} says")
        for change in changes:
            told = f"{change.case}: {change.what} (before: {change.before}; now: {change.now})"
            terminalreporter.write_line(escaped(told))
        if self._problem:
            terminalreporter.section("the ledger was not kept")
            terminalreporter.write_line(escaped(self._problem))
