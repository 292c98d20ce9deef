"""Which file of passkeys a command works on, and what is shown of a passkey."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from authctl.commands._output import Column, Row
from authctl.errors import NotFound, UsageError

if TYPE_CHECKING:
    from authctl.virtual_authenticator import Credential, FileStore

VARIABLE: Final = "AUTHCTL_PASSKEYS"
PasskeysOption = Annotated[
    Path | None,
    typer.Option(
        "--passkeys",
        metavar="FILE",
        envvar=VARIABLE,
        show_default=False,
        help="File of passkeys; without it authctl/passkeys.json in the user's data directory.",
    ),
]
PasskeyArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="The passkey's id, or as much of its beginning as is clear; -- before one that begins with a hyphen.",
        show_default=False,
    ),
]
PASSKEY_COLUMNS: Final = (
    Column("credential_id", "Id", width=43, least=12),  # its beginning is enough to name it
    Column("rp_id", "RP id", width=20, least=9),
    Column("user_name", "User", width=24, least=12),
    Column("algorithm", "Algorithm", width=9, least=9),
    Column("sign_count", "Count", width=5, least=5),
    Column("created_at", "Created", width=20, least=20),
    Column("discoverable", "Discoverable", width=12, least=12),
    Column("user_display_name"),
    Column("user_handle"),
    Column("counter"),
    Column("backup_eligible"),
    Column("backed_up"),
    Column("attachment"),
    Column("transports"),
)


def default_path() -> Path:
    """The file in the data directory of the user (XDG_DATA_HOME, else ~/.local/share)."""
    data = os.environ.get("XDG_DATA_HOME", "")
    if not Path(data).is_absolute():
        try:
            data = str(Path.home() / ".local" / "share")
        except RuntimeError as error:
            raise UsageError(
                "There is no home directory for the file of passkeys", hint="Name one with --passkeys"
            ) from error
    return Path(data) / "authctl" / "passkeys.json"


def open_store(path: Path | None) -> FileStore:
    """The store of the file that was named, or of the default one."""
    from authctl.virtual_authenticator import FileStore

    return FileStore(path or default_path())


def find(store: FileStore, beginning: str) -> Credential:
    """The passkey whose id begins so; NotFound when there is none, UsageError when there are several."""
    from authctl.virtual_authenticator.base64url import encode

    found = [each for each in store.all() if encode(each.credential_id).startswith(beginning)]
    exact = [each for each in found if encode(each.credential_id) == beginning]
    if not beginning or len(exact or found) > 1:
        raise UsageError(f"{beginning!r} is the beginning of several ids", hint="`authctl passkeys list` shows them")
    if not found:
        raise NotFound(
            f"No passkey in {store.path} has an id that begins with {beginning!r}", hint="authctl passkeys list"
        )
    return (exact or found)[0]


def passkey_row(credential: Credential) -> Row:
    """What is shown of a passkey: everything but its key."""
    return {
        "credential_id": credential.credential_id,
        "rp_id": credential.rp_id,
        "user_name": credential.user_name,
        "algorithm": credential.key.algorithm.name,
        "sign_count": credential.sign_count,
        "discoverable": credential.is_discoverable,
        "created_at": credential.created_at,
        "user_display_name": credential.user_display_name,
        "user_handle": credential.user_handle,
        "counter": credential.counter.name,
        "backup_eligible": credential.is_backup_eligible,
        "backed_up": credential.is_backed_up,
        "attachment": credential.attachment,
        "transports": list(credential.transports),
    }
