"""`authctl passkeys import`: takes in what was exported, or what a browser's virtual authenticator holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authctl.commands._options import FormatOption
from authctl.commands._output import Column, Format, Output
from authctl.commands.passkeys._file import PasskeysOption, open_store
from authctl.commands.passkeys._portable import PassphraseOption, read_passphrase, read_private_file

if TYPE_CHECKING:
    from authctl.virtual_authenticator import Credential
    from authctl.virtual_authenticator.credential_store.interface import Imported

_COLUMNS = (
    Column("credential_id", "Id"),
    Column("rp_id", "RP id"),
    Column("user_name", "User"),
    Column("algorithm", "Algorithm"),
    Column("result", "Result"),
)


def import_passkeys(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The exported file.", show_default=False)],
    passkeys: PasskeysOption = None,
    passphrase_file: PassphraseOption = None,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Take in passkeys from a file.

    It may be what `authctl passkeys export` wrote, a file of passkeys, or what WebAuthn.getCredentials of Chromium or
    Get Credentials of WebDriver answered. A passkey that is there already is not added again; the higher count counts.
    As on a device, a passkey takes the place of an older one for the same account. All are taken in, or none.

    Example: authctl passkeys import passkey.json
    """
    from authctl.virtual_authenticator.credential_store.portable import read

    passphrase = None if passphrase_file is None else read_passphrase(passphrase_file)
    credentials = read(read_private_file(file), datetime.now(UTC), passphrase)
    store = open_store(passkeys)
    rows = list(map(_row, credentials, store.take_in(credentials)))
    Output(output_format).table(rows, _COLUMNS, empty=f"There are no passkeys in {file}.")


def _row(credential: Credential, result: Imported) -> dict[str, object]:
    return {
        "credential_id": credential.credential_id,
        "rp_id": credential.rp_id,
        "user_name": credential.user_name,
        "algorithm": credential.key.algorithm.name,
        "result": result.value,
    }
