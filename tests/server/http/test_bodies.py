"""R-IN-01, R-IN-03, R-IN-07: bodies of ceremonies that are turned away, and the events that this leaves."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from authctl.server.http.client_address import ClientAddresses
from authctl.server.http.request import KEY, LARGEST_BODY, ClientLeft, Request
from tests.server.http.conftest import Api, person, problem_of

if TYPE_CHECKING:
    from starlette.types import Message

CEREMONIES = {
    "/register/begin": "registration_begin",
    "/register/complete": "registration_complete",
    "/login/begin": "login_begin",
    "/login/complete": "login_complete",
}


@pytest.mark.parametrize(("path", "event"), CEREMONIES.items())
def test_a_body_that_is_no_json_is_refused_with_an_event(api: Api, path: str, event: str) -> None:
    answer = api.post_bytes(path, b"{")
    assert (answer.status_code, problem_of(answer)["detail"]) == (400, "The request body is not valid JSON")
    assert api.events() == [(event, 0, "invalid_request")]


@pytest.mark.parametrize(("path", "event"), CEREMONIES.items())
def test_an_unknown_member_is_refused_with_an_event(api: Api, path: str, event: str) -> None:
    """R-IN-07, R-WA-11: a client does not choose the policy."""
    answer = api.post(path, {"userVerification": "discouraged"})
    assert answer.status_code == 422
    assert {"field": "userVerification", "message": "Extra inputs are not permitted"} in problem_of(answer)["errors"]
    assert api.events() == [(event, 0, "invalid_request")]


def test_every_wrong_member_is_named(shared_api: Api) -> None:
    body = {**person(), "first_name": "", "email": "nobody", "date_of_birth": "tomorrow", "job_title": 5}
    del body["last_name"]
    fields = {error["field"] for error in problem_of(shared_api.post("/register/begin", body))["errors"]}
    assert fields == {"first_name", "last_name", "email", "date_of_birth", "job_title"}


def test_what_was_sent_is_not_repeated(shared_api: Api) -> None:
    answer = shared_api.post("/register/begin", {**person(), "email": "<script>alert(1)</script>"})
    assert "script" not in answer.text


def test_the_name_of_an_unknown_member_is_shortened(shared_api: Api) -> None:
    (error,) = problem_of(shared_api.post("/login/begin", {"x" * 5000: 1}))["errors"]
    assert error["field"] == "x" * 64


@pytest.mark.parametrize("value", [None, [], "text", 5, True])
def test_a_credential_is_refused_when_it_is_no_object(shared_api: Api, value: Any) -> None:
    for path, member in (("/register/complete", "credential"), ("/login/complete", "assertion")):
        answer = shared_api.post(path, {"email": "jane@example.com", member: value})
        assert [error["field"] for error in problem_of(answer)["errors"]] == [member]


@pytest.mark.parametrize("value", [5, [], {}, True, "", "no address", "a@b@c.example"])
def test_an_email_is_refused_when_it_is_none(shared_api: Api, value: Any) -> None:
    answer = shared_api.post("/login/begin", {"email": value})
    assert [error["field"] for error in problem_of(answer)["errors"]] == ["email"]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'Application/JSON; charset="utf-8"',
        "application/json;",
    ],
)
def test_json_in_utf8_is_accepted_however_it_is_declared(shared_api: Api, content_type: str) -> None:
    assert shared_api.post_bytes("/login/begin", b"{}", content_type).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json-patch+json",
        "application/jsonx",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; boundary=x",
        "application/json, application/json",
        "multipart/form-data; boundary=application/json",
    ],
)
def test_another_content_type_is_refused(shared_api: Api, content_type: str) -> None:
    """R-IN-03."""
    answer = shared_api.post_bytes("/login/begin", b"{}", content_type)
    assert (answer.status_code, problem_of(answer)["title"]) == (415, "Unsupported media type")


def test_a_body_without_or_with_two_content_types_is_refused(shared_api: Api) -> None:
    twice = [("content-type", "application/json")] * 2
    assert shared_api.call("POST", "/login/begin", content=b"{}").status_code == 415
    assert shared_api.call("POST", "/login/begin", content=b"{}", headers=twice).status_code == 415


def sized(size: int) -> bytes:
    """A login without e-mail, blown up with white space."""
    return b"{" + b" " * (size - 2) + b"}"


def test_a_body_is_accepted_up_to_the_limit_and_refused_beyond(shared_api: Api) -> None:
    """R-IN-01."""
    assert shared_api.post_bytes("/login/begin", sized(LARGEST_BODY)).status_code == 200
    answer = shared_api.post_bytes("/login/begin", sized(LARGEST_BODY + 1))
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert problem_of(answer)["detail"] == "The request body is too large"


# The reading itself, message by message.


class Incoming:
    """Messages as a server hands them over; counts how many were taken."""

    def __init__(self, *messages: Message) -> None:
        self._messages = list(messages)
        self.taken = 0

    async def __call__(self) -> Message:
        self.taken += 1
        return self._messages.pop(0)


def part(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def request_with(receive: Incoming, *fields: tuple[bytes, bytes]) -> Request:
    headers = [(b"content-type", b"application/json"), *fields]
    scope = {"type": "http", "method": "POST", "path": "/login/begin", "headers": headers, "client": None}
    return Request(scope, receive, ClientAddresses())


def test_a_body_is_put_together_from_its_parts() -> None:
    incoming = Incoming(part(b"{"), part(b""), part(b"}", more=False))
    assert asyncio.run(request_with(incoming).json_body()) == b"{}"


@pytest.mark.parametrize("declared", [b"65537", b"100000000", b"9" * 30, b"-1", b"x"])
def test_nothing_is_read_of_a_body_that_declares_itself_too_large(declared: bytes) -> None:
    from authctl.errors import BodyTooLarge

    incoming = Incoming()
    with pytest.raises(BodyTooLarge):
        asyncio.run(request_with(incoming, (b"content-length", declared)).json_body())
    assert incoming.taken == 0


def test_reading_stops_when_a_body_without_length_becomes_too_large() -> None:
    from authctl.errors import BodyTooLarge

    incoming = Incoming(*[part(b"x" * 40_000)] * 10)
    with pytest.raises(BodyTooLarge):
        asyncio.run(request_with(incoming).json_body())
    assert incoming.taken == 2


@pytest.mark.parametrize("before", [0, 1])
def test_reading_ends_when_the_client_leaves(before: int) -> None:
    incoming = Incoming(*[part(b"{")] * before, {"type": "http.disconnect"})
    with pytest.raises(ClientLeft):
        asyncio.run(request_with(incoming).json_body())


def test_nobody_is_answered_when_the_client_has_left(api: Api) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/login/begin", "headers": headers}

    async def call() -> None:
        await api.app(scope, Incoming({"type": "http.disconnect"}), send)

    asyncio.run(call())
    assert sent == []
    assert api.events() == []
    assert scope[KEY].caller.network == "local"


def test_a_client_says_where_a_body_is_deep_inside_a_credential(api: Api) -> None:
    """R-IN-04: rules of JSON hold for the whole document. What breaks them was never read, and consumes nothing."""
    options = api.post("/register/begin", person()).json()
    credential = api.client.create(options)
    deep: Any = []
    for _ in range(40):
        deep = [deep]
    bodies = [
        json.dumps({"email": "jane@example.com", "credential": {**credential, "extra": deep}}).encode(),
        json.dumps({"email": "jane@example.com", "credential": credential}).encode().replace(b'"id"', b'"id":"","id"'),
    ]
    for body in bodies:
        assert api.post_bytes("/register/complete", body).status_code == 400
    answer = api.post("/register/complete", {"email": "jane@example.com", "credential": credential})
    assert answer.status_code == 201
