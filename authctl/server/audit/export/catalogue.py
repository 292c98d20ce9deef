"""The formats by name; each is imported when it is asked for."""

from __future__ import annotations

import difflib
from enum import StrEnum
from typing import TYPE_CHECKING

from authctl.errors import UsageError

if TYPE_CHECKING:
    from authctl.server.audit.export.interface import Format


class FormatName(StrEnum):
    """How events are written for another program."""

    JSONL = "jsonl"
    CSV = "csv"
    CEF = "cef"
    ECS = "ecs"
    OCSF = "ocsf"
    PARQUET = "parquet"


def line_format(name: FormatName) -> Format:
    """The format of lines with this name; Parquet is none."""
    match name:
        case FormatName.CSV:
            from authctl.server.audit.export.csv import Csv as Chosen
        case FormatName.CEF:
            from authctl.server.audit.export.cef import Cef as Chosen  # type: ignore[assignment]
        case FormatName.ECS:
            from authctl.server.audit.export.ecs import Ecs as Chosen  # type: ignore[assignment]
        case FormatName.OCSF:
            from authctl.server.audit.export.ocsf import Ocsf as Chosen  # type: ignore[assignment]
        case _:
            from authctl.server.audit.export.jsonl import JsonLines as Chosen  # type: ignore[assignment]
    return Chosen()


def format_called(name: str) -> FormatName:
    """The format with this name. Raises UsageError, with the nearest one."""
    try:
        return FormatName(name)
    except ValueError:
        near = difflib.get_close_matches(name.lower(), list(FormatName), n=1)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(FormatName)}"
        raise UsageError(f"There is no format {name}", hint=hint) from None
