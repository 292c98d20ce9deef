"""R-IN-09: nothing that can be sent gets an answer that the API description does not have. `make fuzz` sends more."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from authctl.clock import SystemClock
from authctl.server.http import about
from authctl.server.http.openapi import describe
from authctl.server.http.routes import ROUTES, Access
from authctl.server.storage.engine import open_database
from tests.fuzz.fuzzing import fuzz

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = 2000
SEED = 20261124
READING_ONE = [route for route in ROUTES if (route.method, route.path) == ("GET", "/users/{id}")]


def test_every_answer_is_as_described_whoever_asks_for_whatever() -> None:
    """R-IN-09: status, content type, header fields and schema, no fault of the server, nothing in its log."""
    findings = fuzz(CASES, SEED)
    assert findings.failures == {}
    assert findings.cases >= CASES
    # Every operation has succeeded and refused: otherwise the cases were of one kind, and proved little.
    for route in ROUTES:
        statuses = {status for name, status in findings.answers if name == f"{route.method} {route.path}"}
        assert route.status in statuses, route
        assert route.access is Access.PUBLIC or 401 in statuses, route
        assert route.body is None or {400, 415, 422} <= statuses, route
        assert any(status == 405 for name, status in findings.answers if name.split()[1] == route.path), route


@pytest.mark.postgres
def test_every_answer_is_as_described_on_postgresql_too(postgres_url: str) -> None:
    """R-IN-09: it refuses text that SQLite takes, such as an id with a NUL."""
    open_database(postgres_url, SystemClock(), create=True).close()
    assert fuzz(1, SEED, database_url=postgres_url).failures == {}


def without_404(operation: dict[str, Any]) -> None:
    del operation["responses"]["404"]


def as_text(operation: dict[str, Any]) -> None:
    content = operation["responses"]["200"]["content"]
    content["text/plain"] = content.pop("application/json")


def with_a_field_more(operation: dict[str, Any]) -> None:
    operation["responses"]["200"]["headers"]["X-More"] = {"required": True, "schema": {"type": "string"}}


def of_another_shape(operation: dict[str, Any]) -> None:
    operation["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "array"}


@pytest.mark.parametrize("lie", [without_404, as_text, with_a_field_more, of_another_shape])
def test_a_description_that_is_not_true_is_found_out(lie: Callable[[dict[str, Any]], None]) -> None:
    description = describe(READING_ONE)
    lie(description["paths"]["/users/{id}"]["get"])
    assert fuzz(1, SEED, description=description).failures


def test_a_fault_of_the_server_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about, "_LIVE", None)
    found = fuzz(1, SEED, description=describe([route for route in ROUTES if route.path == "/healthz"])).failures
    assert "Traceback" in found.pop("the log")
    assert any("not_a_server_error" in name for name in found)


def test_a_run_leaves_nothing_behind() -> None:
    before = list(logging.getLogger("authctl").handlers)
    assert fuzz(1, SEED, description=describe([route for route in ROUTES if route.path == "/healthz"])).failures == {}
    assert logging.getLogger("authctl").handlers == before
