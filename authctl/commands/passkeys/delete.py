"""`authctl passkeys delete`: deletes one passkey."""

from __future__ import annotations

from authctl.commands._asking import require_yes
from authctl.commands._options import FormatOption, YesOption
from authctl.commands._output import Format, Output
from authctl.commands.passkeys._file import PasskeyArgument, PasskeysOption, find, open_store
from authctl.errors import NotFound


def delete(
    passkey: PasskeyArgument,
    passkeys: PasskeysOption = None,
    yes: YesOption = False,
    output_format: FormatOption = Format.TABLE,
) -> None:
    """Delete one passkey from the file.

    The server it belongs to is not told, and keeps its half. Asks first, unless told --yes.

    Example: authctl passkeys delete Q2hh
    """
    output = Output(output_format)
    store = open_store(passkeys)
    found = find(store, passkey)
    require_yes(output, yes, f"Delete the passkey of {found.user_name} for {found.rp_id} from {store.path}?")
    if not store.remove(found.credential_id):
        raise NotFound("The passkey was deleted in the meantime")
    value = {"credential_id": found.credential_id, "user_name": found.user_name, "rp_id": found.rp_id, "deleted": True}
    output.done(f"the passkey of {found.user_name} for {found.rp_id} is deleted", value)
