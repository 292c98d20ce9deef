"""SPEC of the HTTP interface: each endpoint as a client meets it, over a real service."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from authctl.server.audit.events import Caller
from tests.server.http.conftest import PEER, Api, person, problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATOR = Caller(None, None, None, None, actor="os:tester(0)")


def test_a_person_registers_logs_in_and_reads_their_profile(api: Api) -> None:
    user = api.register()
    assert user == {
        "id": user["id"],
        "first_name": "Jane",
        "last_name": "Doe",
        "email": "jane@example.com",
        "date_of_birth": "1990-12-31T00:00:00Z",
        "job_title": "Engineer",
        "role": "user",
        "created_at": "2026-01-01T00:00:00Z",
    }
    tokens = api.log_in()
    assert {name: tokens[name] for name in ("token_type", "expires_in")} == {"token_type": "bearer", "expires_in": 3600}
    summary = ("id", "first_name", "last_name", "email", "role")
    assert tokens["user"] == {name: user[name] for name in summary}
    assert api.get(f"/users/{user['id']}", tokens["access_token"]).json() == user
    assert api.get("/users/me", tokens["access_token"]).json() == user
    assert [event[:2] for event in api.events()] == [
        ("registration_begin", 1),
        ("registration_complete", 1),
        ("login_begin", 1),
        ("login_complete", 1),
        ("user_access", 1),
        ("user_access", 1),
    ]


def test_a_new_user_is_told_where_they_are(api: Api) -> None:
    options = api.post("/register/begin", person()).json()
    body = {"email": "jane@example.com", "credential": api.client.create(options)}
    answer = api.post("/register/complete", body)
    assert answer.headers["location"] == f"/users/{answer.json()['id']}"


def test_a_person_logs_in_without_saying_who_they_are(api: Api) -> None:
    api.register()
    assert api.log_in(email=None)["user"]["email"] == "jane@example.com"
    assert api.post("/login/begin", {"email": None}).status_code == 200


def test_what_a_client_says_of_itself_is_in_the_trail(api: Api) -> None:
    answer = api.post("/login/begin", {}, headers={"user-agent": "probe\x1b[2J/1.0", "x-request-id": "forged"})
    (row,) = api.rows()
    assert row.ip_address == row.peer_address == PEER
    assert row.request_id == answer.headers["x-request-id"] != "forged"
    assert row.user_agent is not None
    assert row.user_agent.startswith("probe")
    assert "\x1b" not in row.user_agent


def test_the_client_behind_a_listed_proxy_is_the_one_in_the_trail(make_api: Callable[..., Api]) -> None:
    """R-CF-05."""
    api = make_api(trusted_proxies=PEER)
    api.post("/login/begin", {}, headers={"x-forwarded-for": "203.0.113.7"})
    (row,) = api.rows()
    assert (row.ip_address, row.peer_address) == ("203.0.113.7", PEER)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-forwarded-for", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7"),
        ("x-real-ip", "203.0.113.7"),
        ("client-ip", "203.0.113.7"),
    ],
)
def test_forwarded_headers_are_not_believed_when_no_proxy_is_listed(api: Api, name: str, value: str) -> None:
    api.post("/login/begin", {}, headers={name: value})
    assert [row.ip_address for row in api.rows()] == [PEER]


@pytest.mark.parametrize(("path", "target"), [("/users", "/register/begin"), ("/login", "/login/begin")])
def test_the_old_paths_send_on_with_method_and_body(shared_api: Api, path: str, target: str) -> None:
    """R-CF-07: relative, constant, whatever the request says."""
    answer = shared_api.post(path, {"x": 1}, headers={"x-forwarded-host": "evil.example", "x-forwarded-proto": "https"})
    assert (answer.status_code, answer.headers["location"]) == (307, target)
    assert answer.text == f"See {target}\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    followed = shared_api.post(path, person(), follow_redirects=True)
    assert (followed.status_code, followed.request.method, followed.request.url.path) == (
        200 if path == "/users" else 422,
        "POST",
        target,
    )


def test_an_admin_sees_everybody_and_nobody_else_does(api: Api) -> None:
    """R-AZ-05."""
    jane = api.register()
    john = api.register("john@example.com")
    token = api.log_in()["access_token"]
    assert api.get(f"/users/{jane['id']}", token).status_code == 200
    for user_id in (john["id"], "00000000-0000-4000-8000-000000000000", "..%5cme", "a" * 300, "%00"):
        answer = api.get(f"/users/{user_id}", token)
        assert problem_of(answer)["detail"] == "You don't have permission to access this resource"
        assert answer.status_code == 403
    asyncio.run(api.service.roles.promote("jane@example.com", OPERATOR))
    admin = api.log_in()["access_token"]
    assert api.get(f"/users/{john['id']}", admin).json() == john
    missing = api.get("/users/00000000-0000-4000-8000-000000000000", admin)
    assert (missing.status_code, problem_of(missing)["detail"]) == (404, "Not found")


@pytest.mark.parametrize("path", ["/users/me", "/users/00000000-0000-4000-8000-000000000000"])
@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ([], "Not authenticated"),
        ([("authorization", "Basic YTpi")], "Not authenticated"),
        ([("authorization", "Bearer")], "Could not validate credentials"),
        ([("authorization", "Bearer x.y.z")], "Could not validate credentials"),
        ([("authorization", "Bearer " + "x" * 15_000)], "Could not validate credentials"),
        ([("authorization", "Bearer a"), ("authorization", "Bearer a")], "Could not validate credentials"),
        ([("cookie", "token=x"), ("x-token", "x")], "Not authenticated"),
    ],
)
def test_nobody_is_let_in_without_a_good_token(
    shared_api: Api, path: str, headers: list[tuple[str, str]], detail: str
) -> None:
    """R-TK-08."""
    answer = shared_api.call("GET", f"{path}?access_token=x", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert problem_of(answer)["detail"] == detail


def test_a_login_that_fails_says_one_thing(api: Api) -> None:
    api.register()
    options = api.post("/login/begin", {"email": "jane@example.com"}).json()
    assertion = api.client.get(options)
    assertion["response"]["signature"] = assertion["response"]["authenticatorData"]
    answer = api.post("/login/complete", {"email": "jane@example.com", "assertion": assertion})
    assert (answer.status_code, problem_of(answer)["detail"]) == (401, "Invalid credentials")


def test_a_registration_that_fails_says_one_thing(api: Api) -> None:
    answer = api.post("/register/complete", {"email": "jane@example.com", "credential": {}})
    assert (answer.status_code, problem_of(answer)["detail"]) == (400, "Registration failed")
    assert [event[:2] for event in api.events()] == [("registration_complete", 0)]


def test_members_that_browsers_add_are_ignored_inside_a_credential(api: Api) -> None:
    options = api.post("/register/begin", person()).json()
    credential = api.client.create(options)
    credential |= {"authenticatorAttachment": "teleport", "newMember": {"deep": [1, 2, 3]}}
    answer = api.post("/register/complete", {"email": "jane@example.com", "credential": credential})
    assert answer.status_code == 201


def test_a_defect_inside_a_credential_uses_up_the_challenge(api: Api) -> None:
    """R-CH-03."""
    options = api.post("/register/begin", person()).json()
    good = api.client.create(options)
    bad = {**good, "type": 5}
    for credential in (bad, good):
        answer = api.post("/register/complete", {"email": "jane@example.com", "credential": credential})
        assert (answer.status_code, problem_of(answer)["detail"]) == (400, "Registration failed")


def test_the_service_says_that_it_lives_and_is_ready(shared_api: Api) -> None:
    """R-CF-08."""
    assert shared_api.get("/healthz").json() == {"status": "live"}
    assert shared_api.get("/readyz").json() == {"status": "ready"}


def test_the_service_lives_and_is_not_ready_when_the_store_is_gone(api: Api) -> None:
    """R-ER-03."""
    api.service.database.close()
    assert api.get("/healthz").status_code == 200
    for answer in (api.get("/readyz"), api.post("/login/begin", {}), api.get("/users/me", "a.b.c")):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert problem_of(answer)["detail"] == "The service is temporarily unavailable"
