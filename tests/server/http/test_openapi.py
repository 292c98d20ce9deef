"""The API description is valid, and what the service answers is what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has no types of its own
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from authctl.server.http.openapi import describe
from authctl.server.http.problems import STATUS_OF
from authctl.server.http.routes import ROUTES, Access
from tests.server.http.conftest import Api, person

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

SOMEBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return describe()


def test_the_description_is_valid(description: dict[str, Any]) -> None:
    assert list(OpenAPIV31SpecValidator(description).iter_errors()) == []


def test_the_description_is_served(shared_api: Api, description: dict[str, Any]) -> None:
    assert shared_api.get("/openapi.json").json() == description


def test_every_route_is_described_with_its_rule_and_failures(description: dict[str, Any]) -> None:
    for route in ROUTES:
        operation = description["paths"][route.path][route.method.lower()]
        assert bool(operation["security"]) is (route.access is not Access.PUBLIC)
        declared = set(operation["responses"])
        assert declared == {str(route.status), *(str(STATUS_OF[kind]) for kind in route.all_failures)}
        if route.body is not None:
            assert {"400", "413", "415", "422", "429", "503"} <= declared
            assert operation["requestBody"]["required"]
    identifiers = [item["operationId"] for path in description["paths"].values() for item in path.values()]
    assert len(set(identifiers)) == len(ROUTES)


class Checker:
    """Holds answers against the description."""

    def __init__(self, description: dict[str, Any]) -> None:
        self._description = description
        resource = Resource.from_contents(description, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource("urn:api", resource)

    def check(self, path: str, answer: httpx2.Response) -> httpx2.Response:
        """Status, content type, header fields and schema; returns the answer."""
        operation = self._description["paths"][path][answer.request.method.lower()]
        declared = operation["responses"][str(answer.status_code)]
        for name, header in declared.get("headers", {}).items():
            assert name in answer.headers or not header.get("required"), f"{path}: {name} is missing"
        content_type = answer.headers["content-type"].partition(";")[0]
        schema = declared["content"][content_type]["schema"]
        value = answer.text if content_type == "text/plain" else answer.json()
        reference = {"$ref": f"urn:api{schema['$ref']}"} if "$ref" in schema else schema
        validator = Draft202012Validator(reference, registry=self._registry)
        assert [error.message for error in validator.iter_errors(value)] == []
        return answer


@pytest.fixture(scope="module")
def checker(description: dict[str, Any]) -> Checker:
    return Checker(description)


def test_a_checker_finds_what_is_not_declared(checker: Checker, shared_api: Api) -> None:
    with pytest.raises(KeyError):
        checker.check("/readyz", shared_api.get("/users/me"))
    with pytest.raises(AssertionError):
        checker.check("/users/me", shared_api.get("/healthz"))


def test_successes_are_as_described(api: Api, checker: Checker) -> None:
    for path in ("/", "/healthz", "/readyz", "/openapi.json"):
        assert checker.check(path, api.get(path)).status_code == 200
    for path in ("/users", "/login"):
        assert checker.check(path, api.post(path)).status_code == 307
    begun = checker.check("/register/begin", api.post("/register/begin", person()))
    body = {"email": "jane@example.com", "credential": api.client.create(begun.json())}
    user = checker.check("/register/complete", api.post("/register/complete", body)).json()
    begun = checker.check("/login/begin", api.post("/login/begin", {"email": "jane@example.com"}))
    body = {"email": "jane@example.com", "assertion": api.client.get(begun.json())}
    token = checker.check("/login/complete", api.post("/login/complete", body)).json()["access_token"]
    checker.check("/users/me", api.get("/users/me", token))
    checker.check("/users/{id}", api.get(f"/users/{user['id']}", token))
    assert checker.check("/users/{id}", api.get(f"/users/{SOMEBODY}", token)).status_code == 403


@pytest.mark.parametrize("path", ["/register/begin", "/register/complete", "/login/begin", "/login/complete"])
@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b" " * 70_000, "application/json", 413),
        (b'{"x":1}', "application/json", 422),
    ],
)
def test_refused_bodies_are_as_described(
    shared_api: Api, checker: Checker, path: str, body: bytes, content_type: str, status: int
) -> None:
    assert checker.check(path, shared_api.post_bytes(path, body, content_type)).status_code == status


def test_other_failures_are_as_described(make_api: Callable[..., Api], checker: Checker) -> None:
    api = make_api(rate_limits=True, rate_limit_begins_per_source_per_minute=1)
    api.post("/login/begin", {})
    assert checker.check("/login/begin", api.post("/login/begin", {})).status_code == 429
    body: dict[str, Any] = {"assertion": {}}
    assert checker.check("/login/complete", api.post("/login/complete", body)).status_code == 401
    assert checker.check("/users/me", api.get("/users/me")).status_code == 401
    assert checker.check("/healthz", api.get("/healthz", headers={"host": "evil"})).status_code == 400
    foreign = {"sec-fetch-site": "cross-site"}
    assert checker.check("/login/begin", api.post("/login/begin", {}, headers=foreign)).status_code == 403
    api.service.database.close()
    assert checker.check("/readyz", api.get("/readyz")).status_code == 503
