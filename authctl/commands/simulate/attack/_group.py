"""A group of commands one of which is run when none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authctl.commands._lazy import LazyGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.commands._lazy import Lazy


class RunGroup(LazyGroup):
    """Takes options, or nothing at all, as meant for `run`."""

    def __init__(self, table: Mapping[str, Lazy], **attributes: Any) -> None:
        super().__init__(table, no_args_is_help=False, **attributes)

    def parse_args(self, context: Any, arguments: list[str]) -> list[str]:
        """The words, with the command that was left out."""
        own = set(context.help_option_names)
        if not arguments or (arguments[0].startswith("-") and arguments[0] not in own):
            arguments = ["run", *arguments]
        parsed: list[str] = super().parse_args(context, arguments)
        return parsed
