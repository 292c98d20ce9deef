from __future__ import annotations

import csv
import io
import json
import sys
import unicodedata

import pytest

from authctl.escaping import escaped, escaped_json, neutralised

ACTING = [
    ("\x1b[31m", r"\x1b[31m"),
    ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
    ("a\rb\nc\td", r"a\rb\nc\td"),
    ("\x00", r"\x00"),
    ("\x7f", r"\x7f"),
    ("\x9b2J", r"\x9b2J"),
    ("\u202eevil", r"\u202eevil"),
    ("\u2066x\u2069", r"\u2066x\u2069"),
    ("\u061c", r"\u061c"),
    ("a\u200bb\u200dc\ufeff", r"a\u200bb\u200dc\ufeff"),
    ("\u2028\u2029", r"\u2028\u2029"),
    ("\U000e0041", r"\U000e0041"),
    ("\udc80", r"\udc80"),
    ("\u3164", r"\u3164"),
]


@pytest.mark.parametrize(("text", "shown"), ACTING)
def test_what_acts_on_a_terminal_becomes_a_visible_escape(text: str, shown: str) -> None:
    """R-CL-01, V-42."""
    assert escaped(text) == shown


@pytest.mark.parametrize(
    "text", ["plain", "", "Zoë Müller", "李小龍", "عمر", "🔑 key", "[bold]markup[/]", "back\\slash"]
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert escaped(text) == text


def test_no_control_format_or_surrogate_of_unicode_gets_through() -> None:
    """R-CL-01, over every character there is."""
    dangerous = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    passed = [
        code
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in dangerous and escaped(chr(code)) == chr(code)
    ]
    assert passed == []


@pytest.mark.parametrize(("text", "_shown"), ACTING)
def test_a_json_document_keeps_its_value_when_it_is_made_harmless(text: str, _shown: str) -> None:
    document = json.dumps({"name": text}, ensure_ascii=False, indent=2)
    safe = escaped_json(document)
    assert json.loads(safe) == {"name": text}
    assert escaped(safe.replace("\n", "")) == safe.replace("\n", "")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", " =1", '"=1', "'=1", '  "+1', "\u00a0=1", "\uff1d1", "\uff20x"],
)
def test_a_field_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    """R-LG-09, V-43."""
    assert neutralised(text) == f"'{escaped(text)}"


@pytest.mark.parametrize("text", ["jane@example.com", "a=b", "Mozilla/5.0 (X11)", "", "12"])
def test_a_harmless_field_is_not_touched(text: str) -> None:
    assert neutralised(text) == text


def test_a_neutralised_field_survives_csv() -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([neutralised('=cmd|"/c calc"!A0')])
    assert next(csv.reader([buffer.getvalue()])) == ['\'=cmd|"/c calc"!A0']
