"""`authctl config`: show and check the settings."""

from __future__ import annotations

from authctl.commands._lazy import Lazy, LazyGroup

group = LazyGroup(
    {
        "show": Lazy("authctl.commands.config.show:show", "Show every setting and where it comes from."),
        "check": Lazy("authctl.commands.config.check:check", "Check the settings, and list every problem."),
    },
    name="config",
    help="Show and check the settings.\n\nExample: authctl config show",
)
