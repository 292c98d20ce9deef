"""`authctl passkeys list`: lists the passkeys of a file."""

from __future__ import annotations

from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.commands.passkeys._file import PASSKEY_COLUMNS, PasskeysOption, open_store, passkey_row


def list_passkeys(passkeys: PasskeysOption = None, output_format: FormatOption = Format.TABLE) -> None:
    """List the passkeys of a file, newest first.

    Private keys are never shown.

    Example: authctl passkeys list
    """
    store = open_store(passkeys)
    rows = [passkey_row(credential) for credential in store.all()]
    Output(output_format).table(rows, PASSKEY_COLUMNS, empty=f"No passkeys in {store.path}.")
