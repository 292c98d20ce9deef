"""R-AZ-05: every route has a rule, and the application serves the table and nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.routing import Route as StarletteRoute

from authctl.server.audit.events import Caller
from authctl.server.http import models
from authctl.server.http.pages import page_endpoints
from authctl.server.http.path_endpoint import PathEndpoint
from authctl.server.http.routes import ROUTES, Access, Route
from tests.server.http.conftest import Api, problem_of

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATOR = Caller(None, None, None, "request-1", actor="os:root(0)")
SOMEBODY = "00000000-0000-4000-8000-000000000000"


def router_of(app: Any) -> Any:
    """The router inside the middleware."""
    while hasattr(app, "_app"):
        app = app._app
    return app


def served(shared_api: Api) -> Iterator[tuple[str, str]]:
    """Method and path of everything that the router would dispatch."""
    for route in router_of(shared_api.app).routes:
        assert isinstance(route, StarletteRoute)
        assert isinstance(route.endpoint, PathEndpoint)
        for method in route.endpoint._endpoints:
            if method != "HEAD":
                yield method, route.path


def test_the_router_serves_exactly_the_tables(shared_api: Api) -> None:
    listed = {(route.method, route.path) for route in ROUTES} | {("GET", path) for path in page_endpoints()}
    assert sorted(served(shared_api)) == sorted(listed)


def test_every_route_has_a_rule_and_a_summary() -> None:
    for route in ROUTES:
        assert isinstance(route.access, Access)
        assert route.summary
        assert route.endpoint.__doc__


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_lets_in_whom_its_rule_names(shared_api: Api, route: Route) -> None:
    """Without a token: public routes answer as ever, the others with 401."""
    path = route.path.replace("{id}", SOMEBODY).replace("{credential_id}", SOMEBODY)
    answer = shared_api.call(route.method, path, **({"json": {}} if route.body else {}))
    if route.access is Access.PUBLIC:
        assert answer.status_code not in (401, 403)
    else:
        assert answer.status_code == 401


def test_each_role_gets_what_the_rule_of_a_route_says(api: Api) -> None:
    """R-AZ-05, V-35: every route that wants a token, with the token of a user and of an admin."""
    api.register()
    as_user = api.log_in()["access_token"]
    asyncio.run(api.service.roles.promote("jane@example.com", OPERATOR))
    as_admin = api.log_in()["access_token"]
    expected = {Access.SIGNED_IN: (200, 200), Access.SELF_OR_ADMIN: (403, 404), Access.ADMIN: (403, 200)}
    # A credential that is none, and ids that nobody has.
    special = {"/users/me/credentials/complete": (400, 400), "/users/me/credentials/{credential_id}": (404, 404)}
    bodies: dict[object, dict[str, Any]] = {models.CredentialBegin: {}, models.CredentialComplete: {"credential": {}}}
    for route in ROUTES:
        if route.access is not Access.PUBLIC:
            path = route.path.replace("{id}", SOMEBODY).replace("{credential_id}", SOMEBODY)
            sent = {} if route.body is None else {"json": bodies.get(route.body, {"name": "x"})}
            answers = [
                api.call(route.method, path, headers={"authorization": f"Bearer {token}"}, **sent)
                for token in (as_user, as_admin)
            ]
            assert tuple(a.status_code for a in answers) == special.get(route.path, expected[route.access]), route


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_wrong_method_is_refused_with_the_right_ones(shared_api: Api, route: Route) -> None:
    allowed = {"OPTIONS", *(other.method for other in ROUTES if other.path == route.path)}
    allowed |= {"HEAD"} if "GET" in allowed else set()
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - allowed:
        answer = shared_api.call(method, route.path)
        assert answer.status_code == 405
        assert set(answer.headers["allow"].split(", ")) == allowed
        if method != "HEAD":
            assert problem_of(answer)["title"] == "Method not allowed"


@pytest.mark.parametrize(
    "path",
    [
        "/users/",
        "/login/",
        "//",
        "/register",
        "/register/begin/",
        "/docs/page.css/",
        "/Users/me",
        "/users/me/x",
        "/users//",
        "/x",
        "/%2e",
    ],
)
def test_an_unknown_path_is_not_found_and_never_redirected(shared_api: Api, path: str) -> None:
    """R-CF-07, V-38."""
    for method in ("GET", "POST", "OPTIONS"):
        answer = shared_api.call(method, f"http://localhost:8000{path}")
        assert (answer.status_code, problem_of(answer)["title"]) == (404, "Not found")


def test_head_answers_like_get_without_a_body(shared_api: Api) -> None:
    head, get = shared_api.call("HEAD", "/healthz"), shared_api.get("/healthz")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content))
    assert head.headers["content-type"] == get.headers["content-type"]


def test_options_names_the_methods(shared_api: Api) -> None:
    answer = shared_api.call("OPTIONS", "/users/me")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, "GET, HEAD, OPTIONS", b"")
