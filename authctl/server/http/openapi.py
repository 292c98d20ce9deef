"""The API description (OpenAPI 3.1), made from the table of routes and the models that endpoints use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from authctl import __version__
from authctl.server.http.models import Problem, ValidationProblem
from authctl.server.http.problems import STATUS_OF, TITLES
from authctl.server.http.routes import ROUTES, Access

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from authctl.errors import AuthctlError
    from authctl.server.http.routes import Route

REFERENCE = "#/components/schemas/{model}"
_RETRYABLE = (429, 503)
_DESCRIPTION = "Passwordless login with passkeys (WebAuthn). Every error is a problem document (RFC 9457)."


def describe(routes: Iterable[Route] = ROUTES) -> dict[str, Any]:
    """The description of these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "authctl", "version": __version__, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": operation_id(route),
        "summary": route.summary,
        "tags": [route.tag],
        "security": [] if route.access is Access.PUBLIC else [{"bearer": []}],
        "responses": {str(route.status): _success(route), **_failures(route.all_failures)},
    }
    if parameters := [*_path_parameters(route), *_query_parameters(route)]:
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _schema(route.body)}}}
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", route.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


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
        schema = {key: value for key, value in schema.items() if not (key == "default" and value in ([], None))}
        found.append(
            {
                "name": name,
                "in": "query",
                "required": name in required,
                "description": member["description"],
                "schema": schema,
            }
        )
    return found


def operation_id(route: Route) -> str:
    """The operation's name for generated clients: its tag and what its endpoint is called."""
    return f"{route.tag}_{route.endpoint.__name__}"


def _success(route: Route) -> dict[str, Any]:
    if route.status == 307:
        location = {"schema": {"type": "string"}, "required": True, "description": "relative; keep method and body"}
        text = {"text/plain": {"schema": {"type": "string"}}}
        return {"description": "Go there", "headers": {"Location": location}, "content": text}
    schema = {"type": "object"} if route.answer is None else _schema(route.answer)
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if route.has_page:
        content["text/html"] = {"schema": {"type": "string"}}
    return {"description": route.summary, "content": content}


def _failures(failures: Iterable[type[AuthctlError]]) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for kind in failures:
        by_status.setdefault(STATUS_OF[kind], []).append(kind.default_detail)
    return {str(status): _failure(status, details) for status, details in sorted(by_status.items())}


def _failure(status: int, details: list[str]) -> dict[str, Any]:
    model = ValidationProblem if status == 422 else Problem
    answer: dict[str, Any] = {
        "description": f"{TITLES[status]}: {'; '.join(dict.fromkeys(details))}",
        "content": {"application/problem+json": {"schema": _schema(model)}},
    }
    if status in _RETRYABLE:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}}
    if status == 401:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return answer


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": REFERENCE.format(model=model.__name__)}


def _schemas(routes: Iterable[Route]) -> dict[str, Any]:
    models = {model for route in routes for model in (route.body, route.answer) if model is not None}
    models |= {Problem, ValidationProblem}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, document = models_json_schema([(model, "validation") for model in ordered], ref_template=REFERENCE)
    schemas: dict[str, Any] = document["$defs"]
    return schemas
