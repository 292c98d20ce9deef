"""Asks before something is destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.errors import Refused, UsageError

if TYPE_CHECKING:
    from authctl.commands._output import Output


def require_yes(output: Output, is_given: bool, question: str) -> None:
    """Returns when the person agrees, or agreed beforehand with --yes.

    Raises Refused when they do not, UsageError when nobody is there to ask.
    """
    if is_given:
        return
    answer = output.is_confirmed(question)
    if answer is None:
        raise UsageError("There is nobody to ask", hint="say --yes to go ahead")
    if not answer:
        raise Refused("Nothing was changed")
