"""`authctl passkeys`: looks after the software authenticator's passkeys."""

from __future__ import annotations

from authctl.commands._lazy import Lazy, LazyGroup

group = LazyGroup(
    {
        "list": Lazy("authctl.commands.passkeys.list:list_passkeys", "List the passkeys of a file."),
        "show": Lazy("authctl.commands.passkeys.show:show", "Show one passkey."),
        "export": Lazy("authctl.commands.passkeys.export:export", "Write passkeys for another program, encrypted."),
        "import": Lazy("authctl.commands.passkeys.import_:import_passkeys", "Take in passkeys from a file."),
        "delete": Lazy("authctl.commands.passkeys.delete:delete", "Delete one passkey."),
    },
    name="passkeys",
    help="Look after the software authenticator's passkeys.\n\nExample: authctl passkeys list",
)
