"""Turns values into text: one cell of a table, one JSON document, one line of CSV."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from authctl.escaping import escaped, escaped_json, neutralised

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Column:
    """One member of every row: its key in JSON and CSV, and its heading in a table.

    heading  empty: the column is left out of tables, where space is short
    width    how many characters a streamed table reserves for it
    least    how narrow it may become on a terminal before it is left out there; 0: it is never cut
    words    what a table shows of a row, where that is not the value
    alarm    whether it stands out in this row, where there are colours
    """

    key: str
    heading: str = ""
    width: int = 0
    least: int = 0
    words: Callable[[Row], str] | None = None
    alarm: Callable[[Row], bool] | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """How tables write a time.

    is_utc    in UTC, or as the clock on the wall shows it
    is_brief  a local one without its offset, where space is short
    """

    is_utc: bool = False
    is_brief: bool = False

    def write(self, moment: datetime) -> str:
        """The time to the second: 2026-11-01 08:00:00Z, 2026-11-01 09:00:00+01:00 or 2026-11-01 09:00:00."""
        local = _utc(moment) if self.is_utc else _utc(moment).astimezone()
        if self.is_brief and not self.is_utc:
            local = local.replace(tzinfo=None)
        return local.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")


def cell(value: object, times: Times = Times()) -> str:
    """The value as a person reads it, harmless on a terminal."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case str():
            return escaped(value)
        case datetime():
            return times.write(value)
        case bytes():
            return _base64url(value)
        case list() | tuple() | set() | frozenset():
            return ", ".join(cell(item, times) for item in value) or "-"
        case Mapping():
            return ", ".join(f"{escaped(str(key))}={cell(item, times)}" for key, item in value.items()) or "-"
        case _:
            return escaped(str(value))


def json_document(value: object, *, indented: bool) -> str:
    """The value as JSON, exact: times in UTC with Z, bytes as base64url; characters that act on terminals escaped."""
    import orjson

    options = orjson.OPT_PASSTHROUGH_DATETIME | (orjson.OPT_INDENT_2 if indented else 0)
    try:
        document = orjson.dumps(value, default=_plain, option=options).decode()
    except TypeError:
        # Arguments that are no UTF-8 come from the system with lone surrogates, which only ASCII JSON can carry.
        document = json.dumps(value, default=_plain, indent=2 if indented else None)
    return escaped_json(document)


def csv_line(values: Iterable[object]) -> str:
    """One record of RFC 4180, its line break included; text that a spreadsheet would run is neutralised."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_csv_field(value) for value in values])
    return buffer.getvalue()


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """The cells as lines of text with two spaces between columns, nothing cut off."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _csv_field(value: object) -> object:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return value
        case str():
            return neutralised(value)
        case date() | bytes():
            return str(_plain(value))
        case _:
            return neutralised(json_document(value, indented=False))


def _plain(value: object) -> Any:
    match value:
        case datetime():
            return _utc(value).isoformat().replace("+00:00", "Z")
        case bytes():
            return _base64url(value)
        case Enum():
            return value.value
        case set() | frozenset():
            return sorted(value, key=str)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return asdict(value)
        case _:
            return str(value)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
