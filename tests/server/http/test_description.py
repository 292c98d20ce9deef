"""The API description is complete: what a row of the table of routes has to be told about is told, with examples."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]  # has no types of its own
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from authctl import errors
from authctl.server.http.explanations import EXPLANATIONS, PARAMETERS, TAGS
from authctl.server.http.failure_answers import HEADERS, failure_answers
from authctl.server.http.models import Health, Problem, ValidationProblem
from authctl.server.http.openapi import describe, explanation_of
from authctl.server.http.problems import STATUS_OF
from authctl.server.http.routes import ROUTES, Access, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

DESCRIPTION = describe()
REGISTRY: Registry[Any] = Registry().with_resource(
    "urn:api", Resource.from_contents(DESCRIPTION, default_specification=DRAFT202012)
)
EVERY_ROUTE = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to."""
    if "$ref" not in value:
        return value
    found: dict[str, Any] = REGISTRY.resolver("urn:api").lookup(value["$ref"]).contents
    return found


def operation_of(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = DESCRIPTION["paths"][route.path][route.method.lower()]
    return operation


def complaints(schema: dict[str, Any], value: object) -> list[str]:
    """What is wrong with an example."""
    absolute = {"$ref": f"urn:api{schema['$ref']}"} if "$ref" in schema else schema
    validator = Draft202012Validator(absolute, registry=REGISTRY, format_checker=FormatChecker())
    return [error.message for error in validator.iter_errors(value)]


def media_types(part: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from part.get("content", {}).items()


@EVERY_ROUTE
def test_every_route_is_explained_and_grouped(route: Route) -> None:
    operation = operation_of(route)
    assert f"{route.method} {route.path}" in EXPLANATIONS
    assert operation["summary"]
    assert len(operation["description"]) > 20
    assert operation["tags"] == [route.tag]
    assert route.tag in {tag["name"] for tag in DESCRIPTION["tags"]}


@EVERY_ROUTE
def test_every_body_has_an_example(route: Route) -> None:
    operation = operation_of(route)
    if route.body is not None:
        assert operation["requestBody"]["content"]["application/json"]["examples"]
    for name, media_type in media_types(operation["responses"][str(route.status)]):
        assert media_type.get("examples") or name == "text/html"


@EVERY_ROUTE
def test_every_failure_has_an_example_of_its_own(route: Route) -> None:
    for kind in route.all_failures:
        answer = resolved(operation_of(route)["responses"][str(STATUS_OF[kind])])
        (examples,) = (media_type["examples"] for _, media_type in media_types(answer))
        assert examples[kind.default_detail]["value"]["status"] == STATUS_OF[kind]
        assert kind.default_detail in answer["description"]


@EVERY_ROUTE
def test_every_example_has_the_shape_that_is_described(route: Route) -> None:
    operation = operation_of(route)
    parts = [operation.get("requestBody", {}), *map(resolved, operation["responses"].values())]
    for part in parts:
        for _, media_type in media_types(part):
            for example in media_type.get("examples", {}).values():
                assert complaints(media_type["schema"], example["value"]) == []


@EVERY_ROUTE
def test_what_an_endpoint_reads_takes_the_examples(route: Route) -> None:
    """The service itself, which is stricter than a schema can be."""
    if route.body is not None:
        for example in explanation_of(route).requests.values():
            route.body.model_validate(example)


@EVERY_ROUTE
def test_every_part_of_a_path_is_described(route: Route) -> None:
    parameters = {each["name"]: each for each in operation_of(route).get("parameters", ()) if each["in"] == "path"}
    assert {f"{{{name}}}" for name in parameters} == {part for part in route.path.split("/") if part.startswith("{")}
    for parameter in parameters.values():
        assert parameter["required"]
        assert parameter["description"]
        assert parameter["example"]


@EVERY_ROUTE
def test_header_fields_are_described_where_they_are_sent(route: Route) -> None:
    responses = {
        int(status): resolved(answer)["headers"] for status, answer in operation_of(route)["responses"].items()
    }
    for status, headers in responses.items():
        assert "X-Request-ID" in headers
        assert ("Retry-After" in headers) is (status in (429, 503))
        assert ("WWW-Authenticate" in headers) is (status == 401)
        assert ("Location" in headers) is (status == route.status and bool(explanation_of(route).location))
    assert "Location" in responses.get(307, {"Location": ...})


def test_nothing_is_explained_that_is_not_there() -> None:
    assert set(EXPLANATIONS) == {f"{route.method} {route.path}" for route in ROUTES}
    assert set(TAGS) == {route.tag for route in ROUTES}
    assert set(PARAMETERS) == {name[1:-1] for route in ROUTES for name in route.path.split("/") if name[:1] == "{"}
    assert set(DESCRIPTION["components"]["headers"]) == set(HEADERS)


def test_operations_have_names_of_their_own_that_fit_an_address() -> None:
    """Swagger UI takes underscores in the address of an operation for blanks."""
    names = [operation_of(route)["operationId"] for route in ROUTES]
    assert len(set(names)) == len(ROUTES)
    assert all(re.fullmatch("[a-z]+[A-Z][a-zA-Z]+", name) for name in names)


def test_no_parameter_has_a_value_that_a_page_would_send_unasked() -> None:
    parameters = operation_of(next(route for route in ROUTES if route.query is not None))["parameters"]
    assert all("default" not in parameter["schema"] and "example" not in parameter for parameter in parameters)
    assert "; 100 when left out" in next(each["description"] for each in parameters if each["name"] == "limit")


def test_operations_stand_in_reading_order() -> None:
    listed = [f"{method.upper()} {path}" for path, item in DESCRIPTION["paths"].items() for method in item]
    assert listed.index("POST /register/begin") < listed.index("POST /register/complete")
    assert listed.index("POST /login/begin") < listed.index("POST /login/complete")
    assert list(DESCRIPTION["paths"]) == list(dict.fromkeys(name.split()[1] for name in EXPLANATIONS))


def test_the_description_says_whose_it_is() -> None:
    info = DESCRIPTION["info"]
    assert info["license"] == {"name": "MIT", "identifier": "MIT"}
    assert {"title", "summary", "description", "version"} <= set(info)
    assert DESCRIPTION["servers"][0]["url"] == "/"
    assert DESCRIPTION["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_answers_of_one_name_are_one_answer() -> None:
    """Routes share an answer by its name, so that the name has to tell everything."""
    found: dict[str, dict[str, Any]] = {}
    for answer in (answer for route in ROUTES for answer in failure_answers(route)):
        assert found.setdefault(answer.name, answer.component()) == answer.component()


def test_every_schema_has_a_sentence_of_its_own() -> None:
    schemas = DESCRIPTION["components"]["schemas"]
    assert {Problem.__name__, ValidationProblem.__name__} <= set(schemas)
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []


def test_a_route_that_nobody_has_explained_says_what_its_endpoint_does() -> None:
    async def endpoint(request: object, edge: object) -> Any:
        """Counts the stars."""

    route = Route("GET", "/stars", endpoint, Access.PUBLIC, "Stars", "service", answer=Health)
    operation = describe([route])["paths"]["/stars"]["get"]
    assert operation["description"] == "Counts the stars."
    assert "examples" not in operation["responses"]["200"]["content"]["application/json"]


def test_every_kind_of_failure_can_be_shown() -> None:
    """Whichever class a route of tomorrow names."""
    for kind in STATUS_OF:
        if kind not in (errors.MethodNotAllowed, errors.SettingsError, errors.AlreadyExists):
            route = Route("GET", "/", ROUTES[0].endpoint, Access.PUBLIC, "", "service", failures=(kind,))
            assert any(kind in answer.kinds and answer.component() for answer in failure_answers(route))
