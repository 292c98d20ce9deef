from __future__ import annotations

from typing import Any

import pytest

from authctl.virtual_authenticator.errors import UnexpectedAnswer
from authctl.virtual_authenticator.harness.recipe.places import MISSING
from authctl.virtual_authenticator.harness.recipe.templates import Template, fill, fill_fields
from authctl.virtual_authenticator.json_text import JsonText

CREDENTIAL = {"id": "abc", "response": {"signature": "sig", "list": [1, {"a": None}]}}
VALUES: dict[str, Any] = {"user": "jane+1@example.com", "credential": CREDENTIAL, "page": "a &amp; b", "n": 5}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{user}", "jane+1@example.com"),
        ("<{user}>", "<jane+1@example.com>"),
        ("{credential}", CREDENTIAL),
        ("{ credential.response.signature }", "sig"),
        ("{credential.response.list.0}", 1),
        ("{credential.response.list.1.a}", None),
        ("{n}", 5),
        ("n={n}", "n=5"),
        ("{{{user}}}", "{jane+1@example.com}"),
        ("{{user}}", "{user}"),
        ("{page|unescape}", "a & b"),
        ("{credential.response|json}", '{"signature":"sig","list":[1,{"a":null}]}'),
        ("{credential.nothing}", MISSING),
        ("x{credential.nothing}x", "xx"),
    ],
)
def test_a_template_is_filled(text: str, expected: object) -> None:
    assert Template.parse(text).fill(VALUES) == expected


@pytest.mark.parametrize(
    "text", ["{", "}", "{user", "user}", "{}", "{a b}", "{user|upper}", "{1}", "{a..b}", "{{user}"]
)
def test_a_template_is_refused_when_it_cannot_be_understood(text: str) -> None:
    with pytest.raises(ValueError):
        Template.parse(text)


def test_members_whose_value_is_missing_are_left_out() -> None:
    tree = {name: Template.parse(text) for name, text in {"a": "{credential.x}", "b": "{user}"}.items()}
    assert fill({"list": [Template.parse("{credential.x}"), tree], "n": 1}, VALUES) == {
        "list": [{"b": VALUES["user"]}],
        "n": 1,
    }
    assert fill_fields(tree, VALUES) == [("b", VALUES["user"])]


def test_text_in_the_place_of_a_credential_is_looked_into_when_it_is_json() -> None:
    values = {"credential": JsonText('{"id":"one","id":"two"}')}
    assert Template.parse("{credential.id}").fill(values) == "two"
    assert Template.parse("{credential|json}").fill(values) == '{"id":"one","id":"two"}'
    assert Template.parse("{credential.id}").fill({"credential": JsonText("{")}) is MISSING
    assert Template.parse("{credential.id}").fill({"credential": "text"}) is MISSING


def test_fields_of_a_form_that_are_no_text_go_out_as_json() -> None:
    fields = {"a": Template.parse("{credential.response.list}"), "b": Template.parse("{credential.response.list.1.a}")}
    assert fill_fields(fields, VALUES) == [("a", '[1,{"a":null}]'), ("b", "null")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/users/{user}", "/users/jane%2B1%40example.com"),
        ("{next}", "/flow?id=1&x=/"),
        ("{next}&u={user}", "/flow?id=1&x=/&u=jane%2B1%40example.com"),
        ("/{lone}", "/%3F"),
    ],
)
def test_what_stands_in_an_address_is_encoded_except_at_its_beginning(text: str, expected: str) -> None:
    values = {**VALUES, "next": "/flow?id=1&x=/", "lone": "\ud800"}
    assert Template.parse(text).url(values) == expected


def test_a_value_that_never_came_is_named() -> None:
    with pytest.raises(UnexpectedAnswer, match=r"Nothing has been saved as \{csrf.token\} yet"):
        Template.parse("x-{csrf.token}").fill(VALUES)
