"""What of an answer gets into reports: enough to understand it, and nothing that opens a door."""

from __future__ import annotations

import json

import pytest

from authctl.virtual_authenticator.harness.recipe.builtin import builtin
from authctl.virtual_authenticator.harness.recipe.excerpts import READ_BYTES, beginning
from authctl.virtual_authenticator.harness.recipe.rules import judge, reason_in
from authctl.virtual_authenticator.harness.relying_party import Verdict
from authctl.virtual_authenticator.harness.transport import Answer, Request

LOGIN = builtin("authctl").login
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwYXQifQ.c2lnbmF0dXJl"
HTML = {"content-type": "text/html"}


def answer(body: object, status: int = 400, headers: dict[str, str] | None = None) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(Request("POST", "/login/complete", None), status, headers or {}, content, 0.0)


def test_an_answer_that_lets_somebody_in_is_in_no_report() -> None:
    reaction = judge(LOGIN, answer({"access_token": "k7", "token_type": "bearer"}, 200))
    assert (reaction.verdict, reaction.excerpt, reaction.reason) == (Verdict.ACCEPTED, "", "")


@pytest.mark.parametrize(
    "body",
    [
        {"error": "no", "access_token": "hidden"},
        {"error": "no", "sessionId": "hidden"},
        {"error": "no", "client_secret": 'a "hidden" one'},
        {"error": "no", "PASSWORD": "hidden"},
        {"error": "no", "api_key": "hidden" + "x" * 5000},
        {"error": "no", "note": f"try {JWT.replace('sub', 'hidden')} again"},
        {"error": "no", "deeper": {"set-cookie": "hidden"}},
    ],
)
def test_what_opens_a_door_is_masked_in_an_answer_that_does_not(body: object) -> None:
    excerpt = judge(LOGIN, answer(body)).excerpt
    assert "hidden" not in excerpt
    assert JWT[:12] not in excerpt
    assert "no" in excerpt
    assert "…" in excerpt


def test_what_a_recipe_saves_is_masked_under_whatever_name_it_stands() -> None:
    assert beginning(answer({"error": "no", "door": "opaque-4711"}), ["opaque-4711", 7]) == (
        '{"error": "no", "door": "…"}'
    )
    assert beginning(answer({"error": "no"}), ["no"]) == '{"error": "no"}'
    body = {"error": "no", "access_token": "opaque-4711", "again": ["opaque-4711"]}
    assert "4711" not in judge(LOGIN, answer(body)).excerpt


def test_a_reason_without_words_for_it_is_masked_as_well() -> None:
    assert reason_in(answer({"token": "hidden"})) == '{"token": "…"}'


HOSTILE = (b"<title" * 170_000, b"<title>" * 140_000, b'"token' * 160_000, b'"token": "' + b"\\" * 10**6)


@pytest.mark.parametrize("body", HOSTILE, ids=("tags", "titles", "names", "escapes"))
def test_a_hostile_page_ends_when_it_has_been_looked_at_for_long_enough(body: bytes) -> None:
    """1 MB would take minutes where a pattern tries every beginning with every end."""
    reaction = judge(LOGIN, answer(body, headers=HTML))
    assert reaction.verdict is Verdict.REFUSED
    assert len(beginning(answer(body))) <= READ_BYTES


def test_a_reason_is_not_looked_for_in_the_depth() -> None:
    body = b'{"error":' * 600 + b'"no"' + b"}" * 600
    assert judge(LOGIN, answer(body)).reason.startswith('{"error":{"error":')
    assert reason_in(answer({"error": {"error": {"message": "deep enough"}}})) == "deep enough"
