"""CSV by RFC 4180 with a line of names first; no field is a formula to a spreadsheet (R-LG-09).

Fields are looked at column by column, because a look at each of some millions takes most of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authctl.escaping import is_harmless, may_be_formula, neutralised
from authctl.server.audit.export.interface import FIELDS, SQLITE_TIME, time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from authctl.server.audit.records import EventRecord

_IN_SQLITE = {"created_at": SQLITE_TIME, "success": "iif(success, 'true', 'false')", "seq": "CAST(seq AS TEXT)"}


class Csv:
    """`--format csv`; what is missing is an empty field."""

    name = "csv"
    sqlite_columns = ", ".join(_IN_SQLITE.get(name, name) for name in FIELDS)

    def head(self) -> bytes:
        """The names of the columns."""
        return f"{','.join(FIELDS)}\r\n".encode()

    def lines(self, records: Sequence[EventRecord]) -> bytes:
        """One record each."""
        return _lines(map(_texts, records))

    def lines_of_sqlite(self, rows: Sequence[tuple[Any, ...]]) -> bytes:
        """The same from `sqlite_columns`."""
        return _lines(rows)


def _texts(record: EventRecord) -> tuple[str | None, ...]:
    event_id, _, event_type, success, *texts, seq = record
    return (event_id, time_of(record), event_type, "true" if success else "false", *texts, str(seq))


def _lines(rows: Iterable[Sequence[str | None]]) -> bytes:
    columns = [_fields(column) for column in zip(*rows, strict=True)]
    return "".join(f"{line}\r\n" for line in map(",".join, zip(*columns, strict=True))).encode()


def _fields(column: Sequence[str | None]) -> list[str]:
    texts = [text or "" for text in column]
    together = ",".join(texts)
    if may_be_formula({text[0] for text in texts if text}) or not is_harmless(together):
        texts = [neutralised(text) for text in texts]
        together = ",".join(texts)
    if '"' in together or together.count(",") >= len(texts):
        texts = [_quoted(text) if "," in text or '"' in text else text for text in texts]
    return texts


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
