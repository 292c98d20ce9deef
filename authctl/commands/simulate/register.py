"""`authctl simulate register`: registers a user with a new passkey."""

from __future__ import annotations

from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.commands.passkeys._file import PasskeysOption
from authctl.commands.simulate import _by_recipe as by_recipe
from authctl.commands.simulate import _options as options
from authctl.commands.simulate._curl import commands_shown
from authctl.commands.simulate._running import Choices, Flags, simulation
from authctl.virtual_authenticator.harness import ceremonies
from authctl.virtual_authenticator.harness.accounts import Account, throw_away_account


def register(
    *,
    url: options.UrlOption = None,
    target: options.TargetOption = None,
    allowed: options.AllowedOption = None,
    email: options.EmailOption = None,
    origin: options.OriginOption = None,
    passkeys: PasskeysOption = None,
    timeout: options.TimeoutOption = options.DEFAULT_TIMEOUT,
    junit: options.JunitOption = None,
    preset: options.PresetOption = "platform",
    algorithm: options.AlgorithmOption = None,
    attestation: options.AttestationOption = None,
    counter: options.CounterOption = None,
    up: options.UserPresentOption = None,
    uv: options.UserVerifiedOption = None,
    be: options.BackupEligibleOption = None,
    bs: options.BackedUpOption = None,
    curl: options.CurlOption = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Register a user with a new passkey, as a browser with an authenticator would.

    With --url or --target the passkey is kept in a file, so that `authctl simulate login` finds it.

    Exits 0 when the server accepts, 1 when it refuses or answers wrongly, 2 when the options make no sense, 6 when
    nothing answers.

    Example: authctl simulate register --url http://localhost:8000 --email jane@example.com
    """
    flags = Flags(up, uv, be, bs)
    choices = Choices(
        url, origin, timeout, passkeys, preset, algorithm, attestation, counter, flags, target, tuple(allowed or ()),
        curl,
    )  # fmt: skip
    account = throw_away_account() if email is None else Account(email)
    with simulation("register", choices, Output(output_format), junit) as run, commands_shown(run, choices):
        if run.server is not None:
            by_recipe.register(run, run.server.visit(account, is_new=True), attestation)
            return
        done = run.drive(ceremonies.register(run.client, account, attestation=attestation))
        run.show(
            rp_id=done.rp_id,
            email=done.user["email"],
            user_id=done.user["id"],
            role=done.user.get("role"),
            credential_id=done.credential_id,
        )
