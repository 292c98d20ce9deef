"""The API description is valid, and what the service answers is what it says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has no types of its own
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from authctl.server.audit.events import Caller
from authctl.server.http.openapi import describe
from authctl.server.http.problems import STATUS_OF
from authctl.server.http.routes import ROUTES, Access
from tests.server.http.conftest import Api, person

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

OPERATOR = Caller(None, None, None, "request-1", actor="os:root(0)")
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


def admins_token(api: Api) -> str:
    """The token of a new admin."""
    api.register()
    asyncio.run(api.service.roles.promote("jane@example.com", OPERATOR))
    token: str = api.log_in()["access_token"]
    return token


class Checker:
    """Holds answers against the description."""

    def __init__(self, description: dict[str, Any]) -> None:
        self._description = description
        resource = Resource.from_contents(description, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource("urn:api", resource)

    def check(self, path: str, answer: httpx2.Response) -> httpx2.Response:
        """Status, content type, header fields and schema; returns the answer."""
        operation = self._description["paths"][path][answer.request.method.lower()]
        declared = self._resolved(operation["responses"][str(answer.status_code)])
        for name, header in declared["headers"].items():
            value = answer.headers[name]
            schema = self._resolved(header)["schema"]
            Draft202012Validator(schema).validate(int(value) if schema["type"] == "integer" else value)
        content_type = answer.headers["content-type"].partition(";")[0]
        schema = declared["content"][content_type]["schema"]
        value = answer.text if content_type.startswith("text/") else answer.json()
        reference = {"$ref": f"urn:api{schema['$ref']}"} if "$ref" in schema else schema
        validator = Draft202012Validator(reference, registry=self._registry)
        assert [error.message for error in validator.iter_errors(value)] == []
        return answer

    def _resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in value:
            return value
        resolved: dict[str, Any] = self._registry.resolver("urn:api").lookup(value["$ref"]).contents
        return resolved


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
    assert checker.check("/audit/events", api.get("/audit/events", token)).status_code == 403


def test_answers_of_the_trail_are_as_described(api: Api, checker: Checker) -> None:
    token = admins_token(api)
    for query in (
        "",
        "?limit=2",
        "?success=false",
        "?count_by=event_type,success,reason,hour",
        "?count_by=actor&top=1",
    ):
        assert checker.check("/audit/events", api.get(f"/audit/events{query}", token)).status_code == 200
    assert checker.check("/audit/events", api.get("/audit/events?x=1", token)).status_code == 422
    assert checker.check("/audit/events", api.get("/audit/events")).status_code == 401


def test_every_parameter_of_a_query_is_described_and_no_other(description: dict[str, Any]) -> None:
    for route in ROUTES:
        operation = description["paths"][route.path][route.method.lower()]
        described = {each["name"]: each for each in operation.get("parameters", ()) if each["in"] == "query"}
        assert list(described) == ([] if route.query is None else list(route.query.model_fields))
        for parameter in described.values():
            assert parameter["description"]
            assert not parameter["required"]
            Draft202012Validator.check_schema(parameter["schema"])


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("event", ["login_begin", "!login_complete"], ["login"]),
        ("user", "jane@example.com", ""),
        ("success", True, "yes"),
        ("order", "oldest", "random"),
        ("limit", 1000, 1001),
        ("count_by", ["reason", "hour"], ["mac"]),
        ("top", 1, 0),
    ],
)
def test_the_description_of_a_parameter_says_what_it_may_be(
    description: dict[str, Any], name: str, good: object, bad: object
) -> None:
    parameters = description["paths"]["/audit/events"]["get"]["parameters"]
    (schema,) = (each["schema"] for each in parameters if each["name"] == name)
    assert Draft202012Validator(schema).is_valid(good)
    assert not Draft202012Validator(schema).is_valid(bad)


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
    api = make_api(
        rate_limits=True, rate_limit_begins_per_source_per_minute=3, rate_limit_questions_per_admin_per_minute=1
    )
    token = admins_token(api)
    api.post("/login/begin", {})
    assert checker.check("/login/begin", api.post("/login/begin", {})).status_code == 429
    body: dict[str, Any] = {"assertion": {}}
    assert checker.check("/login/complete", api.post("/login/complete", body)).status_code == 401
    assert checker.check("/users/me", api.get("/users/me")).status_code == 401
    assert checker.check("/healthz", api.get("/healthz", headers={"host": "evil"})).status_code == 400
    foreign = {"sec-fetch-site": "cross-site"}
    assert checker.check("/login/begin", api.post("/login/begin", {}, headers=foreign)).status_code == 403
    api.get("/audit/events", token)
    assert checker.check("/audit/events", api.get("/audit/events", token)).status_code == 429
    api.service.database.close()
    assert checker.check("/audit/events", api.get("/audit/events", token)).status_code == 503
    assert checker.check("/readyz", api.get("/readyz")).status_code == 503
