"""The files that a run of attacks leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from authctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.harness.attack.ledger import Ledger
    from authctl.virtual_authenticator.harness.attack.report import Report

SUITE: Final = "authctl.simulate.attack"
_REPORTS = "Reports"


def _option(name: str, text: str) -> object:
    return typer.Option(name, metavar="FILE", help=text, show_default=False, rich_help_panel=_REPORTS)


JunitOption = Annotated[Path | None, _option("--junit", "Write a JUnit report.")]
SarifOption = Annotated[Path | None, _option("--sarif", "Write the findings as SARIF, for code scanning.")]
MarkdownOption = Annotated[Path | None, _option("--markdown", "Write a summary in Markdown.")]
LedgerOption = Annotated[
    Path | None,
    _option("--ledger", "Compare with this file, which the last run left, and keep this one in it; made for git."),
]

NewOnlyOption = Annotated[
    bool,
    typer.Option(
        "--new-only",
        help="With --ledger: exit 1 only for what is not in it yet, so that a build fails on what is new.",
        rich_help_panel=_REPORTS,
    ),
]


@dataclass(frozen=True, slots=True)
class Files:
    """Where what is written; None: not at all."""

    junit: Path | None = None
    sarif: Path | None = None
    markdown: Path | None = None
    ledger: Path | None = None

    def prepare(self) -> Ledger | None:
        """The ledger of the last run, if one is kept; UsageError, before anything is sent, for files that cannot be."""
        for name in ("junit", "sarif", "markdown", "ledger"):
            path: Path | None = getattr(self, name)
            if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
                why = "it is a directory" if path.is_dir() else "its directory does not exist"
                raise UsageError(f"{path} cannot be written: {why}", hint=f"Name another file with --{name}")
        if self.ledger is None:
            return None
        from authctl.virtual_authenticator.harness.attack.ledger import Ledger

        return Ledger.read(self.ledger)

    def write(self, report: Report, known: Ledger | None) -> None:
        """Writes all of them."""
        from authctl.virtual_authenticator.harness.reports.junit import junit_attacks
        from authctl.virtual_authenticator.harness.reports.markdown import markdown_attacks
        from authctl.virtual_authenticator.harness.reports.sarif import sarif_attacks

        _write("junit", self.junit, lambda: junit_attacks(SUITE, report))
        _write("sarif", self.sarif, lambda: sarif_attacks(report))
        _write("markdown", self.markdown, lambda: markdown_attacks(report))
        if self.ledger is not None and known is not None:
            known.updated(report.results).write(self.ledger)


def _write(name: str, path: Path | None, make: Callable[[], bytes]) -> None:
    if path is None:
        return
    try:
        path.write_bytes(make())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", hint=f"Name another file with --{name}"
        ) from error
