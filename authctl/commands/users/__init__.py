"""`authctl users`: look at users and their passkeys, disable, delete, export or erase them."""

from __future__ import annotations

from authctl.commands._lazy import Lazy, LazyGroup

group = LazyGroup(
    {
        "list": Lazy("authctl.commands.users.list:list_users", "List all users."),
        "show": Lazy("authctl.commands.users.show:show", "Show one user."),
        "disable": Lazy("authctl.commands.users.disable:disable", "Lock a user out, from the next request on."),
        "enable": Lazy("authctl.commands.users.enable:enable", "Let a disabled user in again."),
        "logout": Lazy("authctl.commands.users.logout:logout", "End all sessions of a user."),
        "passkeys": Lazy("authctl.commands.users.passkeys:passkeys", "List the passkeys of a user, oldest first."),
        "remove-passkey": Lazy(
            "authctl.commands.users.remove_passkey:remove_passkey", "Remove one passkey of a user, for good."
        ),
        "delete": Lazy("authctl.commands.users.delete:delete", "Delete a user with their credentials and sessions."),
        "export": Lazy(
            "authctl.commands.users.export:export", "Write everything held about one person as one JSON document."
        ),
        "erase": Lazy("authctl.commands.users.erase:erase", "Erase everything held about one person."),
    },
    name="users",
    help="Look at users and passkeys; disable, export or erase users.\n\nExample: authctl users list",
)
