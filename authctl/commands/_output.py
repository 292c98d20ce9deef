"""The only thing that prints: answers go to stdout, what is said to a person goes to stderr."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO

from authctl.commands._rendering import Column, Row, Times, aligned, cell, csv_line, json_document
from authctl.escaping import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import Console, RenderableType

    from authctl.commands._fitting import Layout

__all__ = ["Column", "Format", "Output", "ReaderLeft", "Row", "Times", "has_colours"]


class Format(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


class ReaderLeft(Exception):  # not an error: `head` has seen enough
    """The program that reads our answer has closed its end of the pipe."""


_RED, _YELLOW, _BOLD, _DIM = "31", "33", "1", "2"


def has_colours(stream: TextIO) -> bool:
    """Whether colours are wanted: on a terminal that knows them, unless NO_COLOR says otherwise."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Output:
    """Writes one command's answer in the format that was asked for.

    Values of rows and records may be untrusted. In tables, CSV and messages whatever acts on a terminal becomes a
    visible escape; in JSON it becomes a JSON escape, so that the value is exact. Only tables on a terminal cut what is
    too wide.

    is_utc  tables write times in UTC; JSON and CSV always do
    """

    def __init__(self, output_format: Format = Format.TABLE, *, is_utc: bool = False) -> None:
        self.format = output_format
        self._times = Times(is_utc)

    @property
    def is_drawn(self) -> bool:
        """Whether a person looks at a terminal, where more than text can be shown."""
        return self.format is Format.TABLE and sys.stdout.isatty()

    @property
    def room(self) -> int:
        """How many characters fit into a line of the terminal."""
        return _room()

    @property
    def times(self) -> Times:
        """How tables write times."""
        return self._times

    def table(self, rows: Iterable[Row], columns: Sequence[Column], *, empty: str = "Nothing to show.") -> None:
        """Writes all rows, tables and JSON at once; `empty` is said to the person when there are none."""
        if self.format in {Format.CSV, Format.JSONL}:
            self._write_lines(rows, columns, is_live=False)
            return
        found = [{column.key: row.get(column.key) for column in columns} for row in rows]
        if self.format is Format.JSON:
            _answer(json_document(found, indented=True) + "\n")
        elif found:
            self._human_table(found, [column for column in columns if column.heading])
        else:
            self.message(empty)

    def record(self, value: Row) -> None:
        """Writes one thing with its members."""
        match self.format:
            case Format.TABLE:
                self._human_record(value)
            case Format.CSV:
                _answer(csv_line(value.keys()) + csv_line(value.values()))
            case _:
                _answer(json_document(value, indented=self.format is Format.JSON) + "\n")

    def done(self, sentence: str, value: Row) -> None:
        """Answers that something was done: a sentence for a person, its members for a program."""
        if self.format is Format.TABLE:
            _answer(escaped(sentence) + "\n")
        else:
            self.record(value)

    def stream(self, rows: Iterable[Row], columns: Sequence[Column]) -> None:
        """Writes each row as it comes, in constant memory; JSON becomes an array with one row per line."""
        match self.format:
            case Format.TABLE:
                self._human_stream(rows, [column for column in columns if column.heading])
            case Format.JSON:
                self._json_array(rows, columns)
            case _:
                self._write_lines(rows, columns, is_live=True)

    def draw(self, make: Callable[[Console], RenderableType]) -> None:
        """Draws what `make` returns for this terminal; only where `is_drawn`."""
        from rich.console import Console

        console = Console(
            file=sys.stdout, markup=False, highlight=False, emoji=False, no_color=not has_colours(sys.stdout)
        )
        console.print(make(console))

    def text(self, line: str) -> None:
        """Writes one line as it is, in every format; for the few answers that have no members."""
        _answer(escaped(line) + "\n")

    def lines(self, lines: Iterable[str]) -> None:
        """Writes lines as they are."""
        for line in lines:
            self.text(line)

    def message(self, text: str) -> None:
        """Says something to the person; nothing that a program needs."""
        self._say("", text)

    def warning(self, text: str) -> None:
        """Says what may go wrong, or is weaker than it could be."""
        self._say("warning: ", text, _YELLOW)

    def hint(self, text: str) -> None:
        """Names the way out, or the next step."""
        self._say("hint: ", text, _DIM)

    def error(self, detail: str, *, hint: str | None = None, problems: Sequence[str] = (), **document: object) -> None:
        """Says why nothing was done. In JSON formats one error object also goes to stdout."""
        self._say("error: ", detail, _RED)
        for problem in problems:
            self._say("  - ", problem)
        if hint:
            self.hint(hint)
        if self.format in {Format.JSON, Format.JSONL}:
            value = {**document, "detail": detail, "hint": hint, **({"problems": list(problems)} if problems else {})}
            with suppress(OSError, ReaderLeft):  # stderr has said it already
                _answer(json_document({"error": value}, indented=self.format is Format.JSON) + "\n", flush=True)

    def is_confirmed(self, question: str) -> bool | None:
        """Asks the person; None when nobody is there to answer."""
        sys.stderr.write(f"{escaped(question)} [y/N] ")
        sys.stderr.flush()
        answer = sys.stdin.readline()
        if not answer:
            sys.stderr.write("\n")
        return answer.strip().lower() in {"y", "yes"} if answer else None

    def _human_table(self, rows: Sequence[Row], columns: Sequence[Column]) -> None:
        headings = [column.heading for column in columns]
        if not sys.stdout.isatty():
            cells = [_cells(row, columns, self._times) for row in rows]
            _answer("\n".join(aligned([headings, *cells])) + "\n")
        elif any(column.least for column in columns):
            self._fitted_table(rows, columns)
        else:
            from authctl.commands._drawing import drawn

            cells = [_cells(row, columns, self._times) for row in rows]
            self.draw(lambda console: drawn(headings, cells, console.width))

    def _fitted_table(self, rows: Sequence[Row], columns: Sequence[Column]) -> None:
        from authctl.commands._fitting import layout_of

        headings = [column.heading for column in columns]
        brief = replace(self._times, is_brief=True)
        lines = [_cells(row, columns, brief) for row in rows]
        layout = layout_of([headings, *lines], columns, _room())
        _answer(_fitted_head(headings, layout))
        for row, line in zip(rows, lines, strict=True):
            _answer(_fitted(line, layout, row, columns))

    def _human_stream(self, rows: Iterable[Row], columns: Sequence[Column]) -> None:
        headings = [column.heading for column in columns]
        if not (sys.stdout.isatty() and any(column.least for column in columns)):
            _answer(_fixed(headings, columns), flush=True)
            for row in rows:
                _answer(_fixed(_cells(row, columns, self._times), columns), flush=True)
            return
        from authctl.commands._fitting import layout_ahead

        brief = replace(self._times, is_brief=True)
        _answer(_fitted_head(headings, layout_ahead(columns, _room())), flush=True)
        for row in rows:  # the terminal may become wider or narrower meanwhile
            _answer(_fitted(_cells(row, columns, brief), layout_ahead(columns, _room()), row, columns), flush=True)

    def _write_lines(self, rows: Iterable[Row], columns: Sequence[Column], *, is_live: bool) -> None:
        if self.format is Format.CSV:
            _answer(csv_line(column.key for column in columns), flush=is_live)
            for row in rows:
                _answer(csv_line(row.get(column.key) for column in columns), flush=is_live)
        else:
            for row in rows:
                _answer(_json_row(row, columns) + "\n", flush=is_live)

    def _human_record(self, value: Row) -> None:
        names = [escaped(key.replace("_", " ")) for key in value]
        width = max(map(len, names), default=0)
        bold = has_colours(sys.stdout)
        for name, item in zip(names, value.values(), strict=True):
            label = _styled(name.ljust(width), _BOLD) if bold else name.ljust(width)
            _answer(f"{label}  {cell(item, self._times)}\n")

    def _json_array(self, rows: Iterable[Row], columns: Sequence[Column]) -> None:
        before = "[\n  "
        for row in rows:
            _answer(before + _json_row(row, columns), flush=True)
            before = ",\n  "
        _answer("\n]\n" if before.startswith(",") else "[]\n")

    def _say(self, label: str, text: str, style: str | None = None) -> None:
        shown = _styled(label, style) if style and has_colours(sys.stderr) else label
        with suppress(OSError):  # nobody listens, or nothing can be kept; that is no reason to stop half-way
            sys.stderr.write(f"{shown}{escaped(text)}\n")
            sys.stderr.flush()


def _answer(text: str, *, flush: bool = False) -> None:
    try:
        sys.stdout.write(text)
        if flush:
            sys.stdout.flush()
    except BrokenPipeError as error:
        raise ReaderLeft from error


def _styled(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m"


def _json_row(row: Row, columns: Sequence[Column]) -> str:
    return json_document({column.key: row.get(column.key) for column in columns}, indented=False)


def _fixed(cells: Sequence[str], columns: Sequence[Column]) -> str:
    padded = [text.ljust(column.width) for text, column in zip(cells, columns, strict=True)]
    return "  ".join(padded).rstrip() + "\n"


def _cells(row: Row, columns: Sequence[Column], times: Times) -> list[str]:
    return [cell(row.get(c.key), times) if c.words is None else escaped(c.words(row)) for c in columns]


def _room() -> int:
    return shutil.get_terminal_size().columns


def _fitted_head(headings: Sequence[str], layout: Layout) -> str:
    line = (" " * layout.gap).join(text for _, text in layout.cells(headings))
    return f"{_styled(line, _BOLD) if has_colours(sys.stdout) else line.rstrip()}\n"


def _fitted(line: Sequence[str], layout: Layout, row: Row, columns: Sequence[Column]) -> str:
    has_alarm = has_colours(sys.stdout)
    shown = [
        _styled(text, _RED) if has_alarm and (alarm := columns[place].alarm) is not None and alarm(row) else text
        for place, text in layout.cells(line)
    ]
    return (" " * layout.gap).join(shown).rstrip() + "\n"
