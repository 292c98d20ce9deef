"""The API description (OpenAPI 3.1), made from the table of routes and the models that endpoints use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import models_json_schema

from authctl import __version__
from authctl.server.http.explanations import ABOUT, EXPLANATIONS, PARAMETERS, TAGS, Explanation
from authctl.server.http.failure_answers import HEADERS, components, failure_answers, headers_named
from authctl.server.http.models import Problem, ValidationProblem
from authctl.server.http.routes import ROUTES, Access

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import BaseModel

    from authctl.server.http.routes import Route

REFERENCE: Final = "#/components/schemas/{model}"
SCHEME: Final = "bearer"
_REDIRECT: Final = 307
_ORDER: Final = tuple(EXPLANATIONS)


def describe(routes: Sequence[Route] = ROUTES) -> dict[str, Any]:
    """The description of these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in sorted(routes, key=_reading_order):
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    used = {route.tag for route in routes}
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": [{"url": "/", "description": "This service"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items() if name in used],
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "responses": components(answer for route in routes for answer in failure_answers(route)),
            "headers": HEADERS,
            "securitySchemes": {SCHEME: _scheme()},
        },
    }


def operation_id(route: Route) -> str:
    """The operation's name for generated clients: its tag and what its endpoint is called, such as usersMe.

    Without underscores, because Swagger UI takes those of an address for blanks.
    """
    return route.tag + "".join(word.capitalize() for word in route.endpoint.__name__.split("_"))


def explanation_of(route: Route) -> Explanation:
    """What is told of a route; what its endpoint says of itself, when nobody has written more."""
    return EXPLANATIONS.get(f"{route.method} {route.path}") or Explanation(route.endpoint.__doc__ or "")


def _reading_order(route: Route) -> int:
    name = f"{route.method} {route.path}"
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def _info() -> dict[str, Any]:
    return {
        "title": "authctl",
        "summary": "Passwordless login with passkeys",
        "description": ABOUT,
        "version": __version__,
        "license": {"name": "MIT", "identifier": "MIT"},
    }


def _scheme() -> dict[str, Any]:
    text = (
        "The `access_token` of a login, without the word Bearer before it. It is sent in the `Authorization` header "
        "and nowhere else."
    )
    return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": text}


def _operation(route: Route) -> dict[str, Any]:
    explanation = explanation_of(route)
    failures = {
        str(answer.status): {"$ref": f"#/components/responses/{answer.name}"} for answer in failure_answers(route)
    }
    operation: dict[str, Any] = {
        "operationId": operation_id(route),
        "summary": route.summary,
        "description": explanation.text,
        "tags": [route.tag],
        "security": [] if route.access is Access.PUBLIC else [{SCHEME: []}],
        "responses": {str(route.status): _success(route, explanation), **failures},
    }
    if parameters := [*_path_parameters(route), *_query_parameters(route)]:
        operation["parameters"] = parameters
    if body := route.body or explanation.carried:
        media_type = _media_type(_schema(body), explanation.requests)
        operation["requestBody"] = {
            "required": route.body is not None,
            "content": {"application/json": media_type},
        }
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    found = []
    for name in re.findall(r"{(\w+)}", route.path):
        text, example = PARAMETERS[name]
        schema = {"type": "string"}
        found.append(
            {"name": name, "in": "path", "required": True, "description": text, "schema": schema, "example": example}
        )
    return found


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    document = route.query.model_json_schema()
    required = document.get("required", ())
    found = []
    for name, member in document["properties"].items():
        schema = {key: value for key, value in member.items() if key not in ("title", "description")}
        # None stands for a parameter that is left out, which is no value of it.
        schema = next((kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}), schema)
        # Told in words alone: a page that sends along what is usual anyway would send what contradicts the rest.
        usual = schema.pop("default", None)
        told = f"; {usual} when left out" if usual not in ([], None, False) else ""
        found.append(
            {
                "name": name,
                "in": "query",
                "required": name in required,
                "description": member["description"] + told,
                "schema": schema,
            }
        )
    return found


def _success(route: Route, explanation: Explanation) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": route.summary, "headers": headers_named("X-Request-ID")}
    if explanation.location:
        schema = {"type": "string", "format": "uri-reference"}
        answer["headers"]["Location"] = {"description": explanation.location, "required": True, "schema": schema}
    if content := _success_content(route, explanation):
        answer["content"] = content
    return answer


def _success_content(route: Route, explanation: Explanation) -> dict[str, Any]:
    if route.status == 204:
        return {}
    text = {"type": "string"}
    if route.status == _REDIRECT:
        return {"text/plain": _media_type(text, explanation.answers)}
    schema = {"type": "object"} if route.answer is None else _schema(route.answer)
    content = {"application/json": _media_type(schema, explanation.answers)}
    return {**content, "text/html": {"schema": text}} if route.has_page else content


def _media_type(schema: dict[str, Any], examples: Mapping[str, object]) -> dict[str, Any]:
    found = {name: {"value": value} for name, value in examples.items()}
    return {"schema": schema, "examples": found} if found else {"schema": schema}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": REFERENCE.format(model=model.__name__)}


def _schemas(routes: Iterable[Route]) -> dict[str, Any]:
    models = {model for route in routes for model in (route.body, route.answer) if model is not None}
    models |= {Problem, ValidationProblem}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, document = models_json_schema([(model, "validation") for model in ordered], ref_template=REFERENCE)
    schemas: dict[str, Any] = document["$defs"]
    return schemas
