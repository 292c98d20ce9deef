"""JSON that ordinary writers refuse to write."""

from __future__ import annotations

import json

import pytest

from authctl.virtual_authenticator.json_text import JsonText, members, write


def test_a_document_is_written_as_json_when_it_is_ordinary() -> None:
    document = {"a": [1, None, "ü\ud800"], "b": {"c": True}}
    text = write(document)
    assert json.loads(text) == document
    assert text.isascii()


def test_finished_text_goes_out_as_it_stands_wherever_it_is() -> None:
    assert write({"a": JsonText("NaN"), "b": [JsonText("[[")]}) == '{"a":NaN,"b":[[[]}'
    assert write(JsonText("nothing of the kind")) == "nothing of the kind"


def test_a_member_may_come_twice_and_hold_finished_text() -> None:
    assert write([members([("a", 1), ("a", JsonText("02"))])]) == '[{"a":1,"a":02}]'


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes has no JSON form"):
        write({"a": b"bytes"})
