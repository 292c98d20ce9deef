"""`authctl simulate attack run`: the attacks, against a server or authctl's own service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.commands.simulate import _options as common
from authctl.commands.simulate.attack import _files as files
from authctl.commands.simulate.attack import _options as options
from authctl.commands.simulate.attack._aiming import Aim, CanOption, TrustedRootOption
from authctl.commands.simulate.attack._attacking import attack
from authctl.commands.simulate.attack._showing import exit_number
from authctl.errors import UsageError
from authctl.virtual_authenticator.harness.attack.plan import Plan

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.harness.attack.ledger import Ledger
    from authctl.virtual_authenticator.harness.attack.report import Report
    from authctl.virtual_authenticator.harness.attack.selection import Selection
    from authctl.virtual_authenticator.harness.attack.verdicts import Result


def run(
    *,
    url: common.UrlOption = None,
    target: common.TargetOption = None,
    allowed: common.AllowedOption = None,
    origin: common.OriginOption = None,
    can: CanOption = None,
    trusted_root: TrustedRootOption = None,
    only: options.OnlyOption = None,
    tier: options.TierOption = None,
    force: options.ForceOption = None,
    layer: options.LayerOption = None,
    ceremony: options.CeremonyOption = None,
    most: options.MostOption = None,
    profile: options.ProfileOption = options.Profile.L3,
    jobs: options.JobsOption = 1,
    delay: options.DelayOption = 0.0,
    time_limit: options.TimeLimitOption = None,
    timeout: common.TimeoutOption = common.DEFAULT_TIMEOUT,
    junit: files.JunitOption = None,
    sarif: files.SarifOption = None,
    markdown: files.MarkdownOption = None,
    ledger: files.LedgerOption = None,
    new_only: files.NewOnlyOption = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Attack a server and say what it wrongly accepts.

    Each attack is one small change to a ceremony that was accepted just before, with people made up for it. Without
    --url and --target authctl's own service is attacked, in this process, on a temporary database.

    Exits 0 when everything that has to be refused was refused, 1 when something of it was accepted or the server
    crashed, 2 when nothing could be tested or --time-limit ended the run before all was played, 6 when nothing answers.
    What is up to the server is told, and what should have been accepted; neither is a failure. --force must leaves out
    what is only prudent. Ctrl-C ends the run with what is known until then.

    Example: authctl simulate attack run --target simplewebauthn --url http://localhost:3000 --tier core

    Example: authctl simulate attack run --only 'reg.key.*' --ledger attacks.json --new-only
    """
    _require_comparable(ledger, new_only=new_only)
    chosen = _chosen(options.selection(only, tier, force, layer, ceremony, most))
    plan = Plan(chosen, profile.value, jobs=jobs, delay=delay, seconds=time_limit)
    places = files.Files(junit, sarif, markdown, ledger)
    known = places.prepare()
    aim = Aim.of(url, target, allowed or (), origin, timeout, can or (), trusted_root or "")
    report = attack(aim, plan, output := Output(output_format), known)
    places.write(report, known)
    raise typer.Exit(exit_number(report, _counting(report, known if new_only else None, output)))


def _require_comparable(ledger: Path | None, *, new_only: bool) -> None:
    if new_only and ledger is None:
        raise UsageError("--new-only needs --ledger", hint="run with --ledger FILE once, and keep it beside the code")


def _counting(report: Report, known: Ledger | None, output: Output) -> tuple[Result, ...]:
    if known is None:
        return report.findings
    new = known.unlisted(report.findings)
    output.message(f"{len(new)} of {len(report.findings)} findings are not in the ledger of the last run.")
    return new


def _chosen(wanted: Selection) -> tuple[Case, ...]:
    from authctl.virtual_authenticator.faults.catalogue import cases

    found = wanted.of(cases())
    if not found:
        raise UsageError("No attack is like that", hint="`authctl simulate attack list` shows all of them")
    return found
