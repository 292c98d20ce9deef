"""R-WEB-02, R-WEB-03, R-WEB-05, R-IN-02: what answers tell browsers, and which pages and hosts may ask."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from authctl.errors import BadRequest
from authctl.server.http.client_address import ClientAddresses
from authctl.server.http.envelope import Envelope, response_fields
from authctl.server.http.hosts import HostCheck, own_names
from authctl.server.http.request import KEY, Request
from tests.server.http.conftest import Api, problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive, Scope, Send

PAGE = "https://app.example.com"
LOOK_ALIKES = (
    "null",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com.evil.example",
    "https://evil-app.example.com",
    "https://APP.example.com",
    "https://app.example.com/",
    "https://app.example.com, https://evil.example",
)


@pytest.fixture
def with_page(make_api: Callable[..., Api]) -> Api:
    return make_api(cors_origins=PAGE)


@pytest.mark.parametrize("path", ["/readyz", "/healthz", "/openapi.json", "/users/me", "/nowhere"])
def test_every_answer_carries_its_fields(shared_api: Api, path: str) -> None:
    """R-WEB-02."""
    headers = shared_api.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["content-type"].endswith("; charset=utf-8")
    assert len(headers["x-request-id"]) == 32
    assert "strict-transport-security" not in headers
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


def test_two_requests_have_two_ids(shared_api: Api) -> None:
    assert shared_api.get("/").headers["x-request-id"] != shared_api.get("/").headers["x-request-id"]


def test_browsers_are_bound_to_https_when_the_origin_is() -> None:
    assert b"strict-transport-security" in dict(response_fields(["https://example.com"]))
    assert b"strict-transport-security" not in dict(response_fields(["http://localhost:8000"]))


def test_an_allowed_page_may_read_answers(with_page: Api) -> None:
    answer = with_page.get("/healthz", headers={"origin": PAGE})
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["vary"] == "origin"
    assert "retry-after" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert with_page.get("/users/me", headers={"origin": PAGE}).headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("origin", LOOK_ALIKES)
def test_a_page_that_only_looks_like_an_allowed_one_may_not(with_page: Api, origin: str) -> None:
    """R-WEB-03."""
    preflight = {"origin": origin, "access-control-request-method": "POST"}
    for answer in (
        with_page.get("/healthz", headers={"origin": origin}),
        with_page.call("OPTIONS", "/login/begin", headers=preflight),
    ):
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "origin"


def test_two_origins_are_no_origin(with_page: Api) -> None:
    answer = with_page.call("GET", "/healthz", headers=[("origin", PAGE), ("origin", PAGE)])
    assert "access-control-allow-origin" not in answer.headers


def test_an_allowed_page_is_told_what_it_may_send(with_page: Api) -> None:
    answer = with_page.call(
        "OPTIONS",
        "/login/begin",
        headers={
            "origin": PAGE,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type",
        },
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-methods"] == "GET, POST, PATCH, DELETE"
    assert "content-type" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-max-age"] == "600"


def test_no_page_may_read_answers_when_none_is_named(shared_api: Api) -> None:
    headers = shared_api.get("/healthz", headers={"origin": PAGE}).headers
    assert "access-control-allow-origin" not in headers
    assert "vary" not in headers


@pytest.mark.parametrize(
    ("site", "origin", "status"),
    [
        ("cross-site", "https://evil.example", 403),
        ("cross-site", None, 403),
        ("cross-site", PAGE, 200),
        ("cross-site", "http://localhost:8000", 200),
        ("same-site", "https://evil.example", 200),
        ("same-origin", "http://localhost:8000", 200),
        ("none", None, 200),
        (None, "https://evil.example", 200),
    ],
)
def test_a_foreign_site_changes_nothing(with_page: Api, site: str | None, origin: str | None, status: int) -> None:
    """R-WEB-05."""
    headers = {name: value for name, value in (("sec-fetch-site", site), ("origin", origin)) if value is not None}
    answer = with_page.post("/login/begin", {}, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert problem_of(answer)["detail"] == "Requests from pages of other sites are not accepted"
    assert with_page.get("/healthz", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "LOCALHOST:9", "127.0.0.1:8000", "[::1]", "[::1]:80"])
def test_a_request_for_this_host_is_accepted_on_any_port(shared_api: Api, host: str) -> None:
    assert shared_api.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "localhost.", "", "localhost/x", "a@localhost", "192.0.2.77"]
)
def test_a_request_for_another_host_is_refused(shared_api: Api, host: str) -> None:
    """R-IN-02: DNS rebinding."""
    answer = shared_api.get("/healthz", headers={"host": host})
    assert (answer.status_code, problem_of(answer)["detail"]) == (400, "The Host header does not name this service")


def test_a_service_goes_by_the_hosts_of_its_origins_and_its_own() -> None:
    names = own_names(["https://Login.Example.com:8443", "http://[2001:db8::1]"], "192.0.2.8")
    assert names == {b"localhost", b"127.0.0.1", b"[::1]", b"login.example.com", b"[2001:db8::1]", b"192.0.2.8"}


@pytest.mark.parametrize(
    ("server", "host", "is_ours"),
    [
        (("10.1.2.3", 8000), b"10.1.2.3:8000", True),
        (("2001:db8::5", 8000), b"[2001:db8::5]", True),
        (("10.1.2.3", 8000), b"10.1.2.4", False),
        (("/run/authctl.sock", None), b"10.1.2.3", False),
        (None, b"10.1.2.3", False),
    ],
)
def test_the_address_that_a_connection_came_in_on_is_a_name_too(
    server: tuple[str, int | None] | None, host: bytes, is_ours: bool
) -> None:
    passed = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope["path"])

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", host)]}
    scope["server"] = server
    scope[KEY] = Request(scope, None, ClientAddresses())  # type: ignore[arg-type]  # nothing is received
    check = HostCheck(app, own_names([], "0.0.0.0"))  # noqa: S104  # a name, nothing is bound
    try:
        asyncio.run(check(scope, None, None))  # type: ignore[arg-type]  # nothing is sent
    except BadRequest:
        assert not is_ours
    assert bool(passed) is is_ours


# The envelope by itself.


def in_envelope(app: Any, scope: dict[str, Any], *incoming: Message) -> list[Message]:
    """What leaves when `app` is wrapped."""
    sent: list[Message] = []
    messages = list(incoming)

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Envelope(app, ClientAddresses(), [])(scope, receive, send))
    return sent


HTTP: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}


def test_a_websocket_is_closed() -> None:
    sent = in_envelope(None, {"type": "websocket"}, {"type": "websocket.connect"})
    assert sent == [{"type": "websocket.close", "code": 1000}]


def test_other_scopes_pass_through() -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    assert in_envelope(app, {"type": "lifespan"}) == []
    assert seen == ["lifespan"]


def test_a_fault_before_the_answer_becomes_a_problem() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    start, body = in_envelope(app, dict(HTTP))
    assert start["status"] == 500
    assert b"ZeroDivision" not in body["body"]


def test_a_fault_within_the_answer_is_left_to_the_server() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_envelope(app, dict(HTTP))
