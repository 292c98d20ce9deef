"""The only thing that prints: answers go to stdout, what is said to a person goes to stderr."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO

from authctl.commands._rendering import Column, Row, aligned, cell, csv_line, json_document
from authctl.escaping import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Column", "Format", "Output", "ReaderLeft", "Row", "has_colours"]


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
    visible escape; in JSON it becomes a JSON escape, so that the value is exact.
    """

    def __init__(self, output_format: Format = Format.TABLE) -> None:
        self.format = output_format

    def table(self, rows: Iterable[Row], columns: Sequence[Column], *, empty: str = "Nothing to show.") -> None:
        """Writes all rows at once; `empty` is said to the person when there are none."""
        found = [{column.key: row.get(column.key) for column in columns} for row in rows]
        match self.format:
            case Format.TABLE if found:
                self._human_table(found, [column for column in columns if column.heading])
            case Format.TABLE:
                self.message(empty)
            case Format.JSON:
                _answer(json_document(found, indented=True) + "\n")
            case _:
                self.stream(found, columns)

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
        shown = [column for column in columns if column.heading]
        match self.format:
            case Format.TABLE:
                _answer(_fixed([column.heading for column in shown], shown))
                for row in rows:
                    _answer(_fixed([cell(row.get(column.key)) for column in shown], shown), flush=True)
            case Format.CSV:
                _answer(csv_line(column.key for column in columns))
                for row in rows:
                    _answer(csv_line(row.get(column.key) for column in columns), flush=True)
            case Format.JSONL:
                for row in rows:
                    _answer(_json_row(row, columns) + "\n", flush=True)
            case Format.JSON:
                self._json_array(rows, columns)

    def text(self, line: str) -> None:
        """Writes one line as it is, in every format; for the few answers that have no members."""
        _answer(escaped(line) + "\n")

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
        cells = [[cell(row[column.key]) for column in columns] for row in rows]
        if sys.stdout.isatty():
            _draw(headings, cells)
        else:
            _answer("\n".join(aligned([headings, *cells])) + "\n")

    def _human_record(self, value: Row) -> None:
        names = [escaped(key.replace("_", " ")) for key in value]
        width = max(map(len, names), default=0)
        bold = has_colours(sys.stdout)
        for name, item in zip(names, value.values(), strict=True):
            label = _styled(name.ljust(width), _BOLD) if bold else name.ljust(width)
            _answer(f"{label}  {cell(item)}\n")

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


def _draw(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console

    from authctl.commands._drawing import drawn

    console = Console(file=sys.stdout, markup=False, highlight=False, emoji=False, no_color=not has_colours(sys.stdout))
    console.print(drawn(headings, rows, console.width))
