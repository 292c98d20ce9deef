"""What a hostile client plants, and what no way out of the trail may do with it."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authctl.server.audit.records import EventRecord

TEXTS: Final = (
    "\x1b]0;pwned\x07",  # sets the title of the terminal
    "\x1b[2J\x1b[H\x1b[31;1mroot# ",  # clears the screen and writes its own
    "\x1b]8;;http://evil.example/\x1b\\click\x1b]8;;\x1b\\",  # a link
    "\x1b[?1049h\x1b[6n\x1bP+q544e\x1b\\",  # asks the terminal, whose answer is typed
    "\x9b31mred\x9d0;pwned\x9c",  # the same in C1
    "exe.\u202egnp\u202c \u2066hidden\u2069 \u200f",  # right to left
    "z\u200be\u200dr\u2060o\ufeff \u00ad\u034f\u3164\U000e0041",  # nothing to the eye
    "line\r\n2026-01-01 login_complete yes root\nforged",
    "tab\tcolumn\vand\fpage\x85next\u2028and\u2029more",
    "nul\x00 back\b\b\b\bspace del\x7f",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1+1)*cmd",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "'=1+1",
    '"=1+1',
    "\uff1dcmd",
    "\u00a0=1+1",
    '","=HYPERLINK(""http://evil.example/"",""x"")',
    "a|b=c\\d]e\"f'g,h;i act=pwned suser=root",
    "CEF:0|evil|evil|1|1|1|10|act=pwned",
    '<14>1 - - - - [x y="z"] \ufeffforged',
    '","success":true,"reason":null,"x":"',
    r"\u001b[31m \x1b[31m \\u0041",
    "[red]markup[/red] {0} %s %n ${x} $(id) `id`",
    "<script>alert(1)</script> '; DROP TABLE audit_logs; --",
    "e\u0301\u0302\u0303" * 20 + " 山田 🔑 " + "y" * 3000,
)
BYTES: Final = (b"\xff\xfe\x80 \xc0\x80 \xed\xa0\x80 \xf5\x80\x80\x80", b"\xe2\x28\xa1\x1b[31m")
"""What is no UTF-8."""
LOCAL_PARTS: Final = ("=1+1", "+1+1", "-2+3", "'=a", "a|b=c", "{0}%s", "`id`", "$x!#&*/?^_~")
"""Of an e-mail that is one by every rule."""
NAMES: Final = (
    '=HYPERLINK("http://evil.example","x")',
    "@SUM(1+1)",
    "\uff1dcmd",
    "'=1+1",
    'a|b=c\\d]e"f,g;h act=pwned',
    "[red]x[/red] {0} %s",
    r"\u001b[31m",
    "z\u200ce\u200dro",
)
"""That are names by every rule; joiners shape the letters of some scripts."""

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BLANK: Final = frozenset("\u034f\u115f\u1160\u3164\uffa0")
_OUR_STYLES: Final = re.compile(r"\x1b\[[0-9;]*m")
FORMULA: Final = re.compile(r"""[\s"']*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r]""")


def require_harmless(text: str, *, line_end: str = "\n") -> None:
    """No character acts on a terminal, hides or reorders, but for the ends of our own lines."""
    acting = {
        f"U+{ord(character):04X}"
        for character in text.replace(line_end, "")
        if unicodedata.category(character) in _HIDDEN or character in _BLANK
    }
    if acting:
        pytest.fail(f"{sorted(acting)} in {text[:200]!r}")


def without_styles(text: str) -> str:
    """The text that a coloured one shows; none of its styles is one that was planted."""
    assert "\x1b[31;1m" not in text
    return _OUR_STYLES.sub("", text)


def csv_records(text: str) -> list[dict[str, str]]:
    """The records of a CSV document, each of which has to stand on one line."""
    assert text.endswith("\r\n")
    records = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(text.splitlines()) == len(records) + 1
    assert not any(None in record or None in record.values() for record in records)
    return records


def require_no_formula(records: Iterable[Mapping[str, str]]) -> None:
    """R-LG-09: no field is one that a spreadsheet runs."""
    fields = [field for record in records for field in record.values()]
    assert fields
    assert [field for field in fields if FORMULA.match(field) and not field.startswith("'")] == []


def require_neutralised(records: Iterable[Mapping[str, str]], events: Iterable[EventRecord]) -> None:
    """R-LG-09: a field is what is stored, behind an apostrophe when a spreadsheet would run it."""
    stored = {event.id: event._asdict() for event in events}
    seen = 0
    for record in records:
        for name, field in record.items():
            value = stored[record["id"]].get(name)
            if isinstance(value, str):
                expected = f"'{value}" if FORMULA.match(value) else value
                assert field == expected if is_plain(value) else field.startswith("'") is expected.startswith("'")
        seen += 1
    assert seen


def is_plain(text: str) -> bool:
    """Whether there is nothing in a text that has to become an escape."""
    return not any(unicodedata.category(character) in _HIDDEN or character in _BLANK for character in text)


def json_lines(text: str) -> list[dict[str, Any]]:
    """The objects of a document of JSON lines, one on each line whatever counts as a line break."""
    assert text.endswith("\n")
    return [json.loads(line) for line in text[:-1].splitlines()]


def require_exact(found: Iterable[Mapping[str, Any]], events: Iterable[EventRecord]) -> None:
    """JSON tells what is stored, to the letter; members that are shown at all."""
    stored = {event.id: event._asdict() for event in events}
    seen = 0
    for one in found:
        expected = stored[one["id"]]
        for name, value in one.items():
            if name in expected and name != "created_at":
                assert value == expected[name], name
        seen += 1
    assert seen


def texts_in(value: object) -> list[str]:
    """Every text inside a JSON value, names of members included."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for item in value.items() for text in texts_in(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts_in(item)]
    return []


def cef_events(text: str) -> list[tuple[list[str], dict[str, str]]]:
    """Header and extension of each CEF line, by the format's own rules of escaping."""
    return [_cef_event(line) for line in text[:-1].splitlines()]


def _cef_event(line: str) -> tuple[list[str], dict[str, str]]:
    found = re.fullmatch(r"((?:(?:\\.|[^\\|])*\|){7})(.*)", line)
    assert found is not None
    header, extension = re.findall(r"((?:\\.|[^\\|])*)\|", found[1]), found[2]
    pairs = re.findall(r"(?:^| )(\w+)=((?:\\.|[^\\=])*?)(?= \w+=|$)", extension)
    assert " ".join(f"{key}={value}" for key, value in pairs) == extension
    return header, {key: re.sub(r"\\(.)", _unescaped, value) for key, value in pairs}


def _unescaped(found: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r"}.get(found[1], found[1])
