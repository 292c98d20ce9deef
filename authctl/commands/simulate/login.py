"""`authctl simulate login`: logs in with a passkey and reads the profile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.commands.passkeys._file import PasskeysOption
from authctl.commands.simulate import _by_recipe as by_recipe
from authctl.commands.simulate import _options as options
from authctl.commands.simulate._curl import commands_shown, require_sense
from authctl.commands.simulate._running import Choices, Flags, simulation
from authctl.virtual_authenticator.harness.accounts import Account, throw_away_account
from authctl.virtual_authenticator.harness.ceremonies import login_registering_first

if TYPE_CHECKING:
    from authctl.commands.simulate._running import Simulation
    from authctl.virtual_authenticator import Client


def login(
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
    print_token: options.PrintTokenOption = False,
    curl: options.CurlOption = False,
    unsent: options.UnsentOption = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Log in with a passkey, check the token and read the profile.

    Without --email the newest passkey for that server is taken. When there is none that the server lists, a user is
    registered first.

    --curl shows each message as a command that can be pasted into a shell. A challenge is taken once, so that to
    complete again is refused; with --unsent the commands complete what was begun.

    Exits 0 when the login succeeds, 1 when the server refuses or answers wrongly, 2 when the options make no sense, 6
    when nothing answers.

    Example: authctl simulate login --url http://localhost:8000 --email jane@example.com
    """
    flags = Flags(up, uv, be, bs)
    choices = Choices(
        url, origin, timeout, passkeys, preset, algorithm, attestation, counter, flags, target, tuple(allowed or ()),
        curl, unsent,
    )  # fmt: skip
    require_sense(choices, print_token=print_token)
    with simulation("login", choices, Output(output_format), junit) as run, commands_shown(run, choices):
        _log_in(run, email, attestation, print_token=print_token)


def _log_in(run: Simulation, email: str | None, attestation: str | None, *, print_token: bool) -> None:
    account = throw_away_account() if email is None else Account(email)
    known = _known_email(run.client, email)
    if run.server is not None:
        done_there = by_recipe.log_in(run, run.server, known, account, attestation)
        by_recipe.show(run, done_there, print_token=print_token)
        return
    done = run.drive(login_registering_first(run.client, account, email=known, attestation=attestation))
    if print_token:
        run.output.text(done.access_token)
        return
    run.show(
        rp_id=done.rp_id,
        email=done.user["email"],
        user_id=done.user["id"],
        role=done.user.get("role"),
        credential_id=done.credential_id,
        token_expires_at=datetime.fromtimestamp(done.claims["exp"], UTC),
    )


def _known_email(client: Client, email: str | None) -> str | None:
    """The user of the newest passkey that could be for this server, of that e-mail if one is given."""
    host = client.origin.host
    for credential in client.authenticator.store.all():
        is_for_host = host == credential.rp_id or host.endswith("." + credential.rp_id)
        # A passkey from a browser may have no name: the server knows whether it lists it for the e-mail.
        name = credential.user_name or email
        is_for_user = email is None or (name or "").casefold() == email.strip().casefold()
        if is_for_host and is_for_user and name:
            return name
    return None
