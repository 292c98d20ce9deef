"""`authctl simulate attack`: tries what a WebAuthn server must refuse."""

from __future__ import annotations

from authctl.commands._lazy import Lazy, LazyGroup
from authctl.commands.simulate.attack._group import RunGroup

__all__ = ["group"]

group: LazyGroup = RunGroup(
    {
        "run": Lazy("authctl.commands.simulate.attack.run:run", "Attack a server and say what it wrongly accepts."),
        "list": Lazy("authctl.commands.simulate.attack.list:list_attacks", "List the attacks."),
        "show": Lazy("authctl.commands.simulate.attack.show:show", "Say what an attack does and why it matters."),
        "root": Lazy("authctl.commands.simulate.attack.root:root", "Print the root certificate of the attacks."),
    },
    name="attack",
    help="Try what a WebAuthn server must refuse.\n\nWithout a command: run.\n\nExample: authctl simulate attack",
)
