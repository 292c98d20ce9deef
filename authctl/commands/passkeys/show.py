"""`authctl passkeys show`: shows one passkey."""

from __future__ import annotations

from authctl.commands._options import FormatOption
from authctl.commands._output import Format, Output
from authctl.commands.passkeys._file import PasskeyArgument, PasskeysOption, find, open_store, passkey_row


def show(passkey: PasskeyArgument, passkeys: PasskeysOption = None, output_format: FormatOption = Format.TABLE) -> None:
    """Show one passkey, without its private key.

    Example: authctl passkeys show Q2hh
    """
    Output(output_format).record(passkey_row(find(open_store(passkeys), passkey)))
