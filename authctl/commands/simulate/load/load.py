"""`authctl simulate load`: many ceremonies at a time, and what they took."""

from __future__ import annotations

import typer

from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.commands.simulate import _options as common
from authctl.commands.simulate.load import _options as options
from authctl.commands.simulate.load._aiming import Aim
from authctl.errors import UsageError

_LEAST_USERS = 20
_SECONDS = 10.0


def load(
    *,
    url: common.UrlOption = None,
    target: common.TargetOption = None,
    allowed: common.AllowedOption = None,
    origin: common.OriginOption = None,
    users: options.UsersOption = None,
    concurrency: options.ConcurrencyOption = 10,
    duration: options.DurationOption = None,
    count: options.CountOption = None,
    ramp: options.RampOption = 0.0,
    rate: options.RateOption = None,
    mix: options.MixOption = "login=1",
    seed: options.SeedOption = None,
    passkeys: options.KeptOption = None,
    timeout: common.TimeoutOption = common.DEFAULT_TIMEOUT,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Put load on a server: ceremonies per second, and percentiles of what each took.

    People with one passkey each are registered first, which is not measured. Without --url and --target authctl's own
    service is loaded, started for it as a process of its own, without limits and on a temporary database. Ctrl-C ends
    the load with what is known until then; a second one at once.

    Exits 0 when every operation succeeded, 1 when one failed, 2 when nothing was measured, 6 when nothing answers, 130
    when it was interrupted.

    Example: authctl simulate load --url http://localhost:8000 --concurrency 32 --duration 30 --ramp 5

    Example: authctl simulate load --rate 200 --mix login=8,register=1,read=1
    """
    from authctl.commands.simulate.load._loading import load as run
    from authctl.commands.simulate.load._showing import exit_number
    from authctl.virtual_authenticator.harness.load.plan import Plan, parse_mix

    plan = Plan(
        users=max(_LEAST_USERS, concurrency) if users is None else users,
        concurrency=concurrency,
        mix=parse_mix(mix),
        seconds=_SECONDS if duration is None and count is None else duration,
        count=count,
        ramp=ramp,
        rate=rate,
        seed=seed,
    )
    if passkeys is not None and url is None and target is None:
        raise UsageError("The service of this load forgets everybody when it ends", hint="--url names one that stays")
    aim = Aim(url, target, origin, timeout, tuple(allowed or ()))
    raise typer.Exit(exit_number(run(aim, plan, Output(output_format), passkeys)))
