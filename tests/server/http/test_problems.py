"""R-ER-01: every failure is a problem document that says one thing to the caller and the rest to the log."""

from __future__ import annotations

import inspect
import logging
from typing import Any

import orjson
import pytest

from authctl import errors
from authctl.server.http.problems import STATUS_OF, TITLES, problem, status_of


def document(error: Exception) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(problem(error, "r-1").body)
    return value


def test_every_error_class_has_a_status() -> None:
    classes = {
        value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, errors.AuthctlError)
    }
    assert set(STATUS_OF) == classes
    assert set(STATUS_OF.values()) <= set(TITLES)


@pytest.mark.parametrize("kind", STATUS_OF, ids=lambda kind: kind.__name__)
def test_every_error_class_becomes_a_whole_problem_document(kind: type[errors.AuthctlError]) -> None:
    error = kind.__new__(kind)
    errors.AuthctlError.__init__(error, debug="private")
    for name, value in (("errors", ()), ("allowed", ("GET",)), ("retry_after", 7), ("reason", "secret-reason")):
        setattr(error, name, value)
    answer = problem(error, "r-1")
    body = orjson.loads(answer.body)
    assert answer.status == body["status"] == STATUS_OF[kind]
    assert {"type", "title", "status", "detail", "instance"} <= set(body)
    assert body["instance"] == "r-1"
    assert answer.content_type == b"application/problem+json; charset=utf-8"
    assert b"private" not in answer.body
    assert b"secret-reason" not in answer.body


def test_an_exception_that_nobody_raised_on_purpose_shows_nothing_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    """R-ER-01."""
    with caplog.at_level(logging.ERROR):
        body = document(ValueError("SELECT secret FROM /etc/passwd"))
    assert body == {
        "type": "urn:authctl:problem:internal",
        "title": "Internal server error",
        "status": 500,
        "detail": "Something went wrong",
        "instance": "r-1",
    }
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.__dict__["request_id"] == "r-1"


def test_what_is_wrong_with_the_database_stays_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """R-ER-03."""
    answer = problem(errors.StorageDamaged(debug="page 7 of /srv/app.db"), "r-1")
    assert answer.status == 503
    assert (b"retry-after", b"2") in answer.fields
    assert orjson.loads(answer.body)["detail"] == "The service is temporarily unavailable"
    assert "page 7" in caplog.text


def test_a_refusal_by_a_limit_says_when_to_come_back() -> None:
    """R-RL-01."""
    assert (b"retry-after", b"42") in problem(errors.RateLimited(42), "r-1").fields


@pytest.mark.parametrize(
    "error", [errors.NotAuthenticated(), errors.TokenRejected("expired"), errors.LoginFailed("signature_invalid")]
)
def test_a_401_names_the_scheme(error: errors.AuthctlError) -> None:
    assert (b"www-authenticate", b"Bearer") in problem(error, "r-1").fields


def test_a_405_names_the_methods() -> None:
    assert (b"allow", b"GET, HEAD") in problem(errors.MethodNotAllowed(("GET", "HEAD")), "r-1").fields


def test_a_422_names_the_fields() -> None:
    body = document(errors.InvalidRequest((("email", "is missing"), ("job_title", "is too long"))))
    assert body["errors"] == [
        {"field": "email", "message": "is missing"},
        {"field": "job_title", "message": "is too long"},
    ]


def test_a_subclass_shares_the_status_of_its_parent() -> None:
    class Special(errors.NotFound):
        """A kind of its own."""

    assert status_of(Special()) == 404
    assert document(Special())["type"] == "urn:authctl:problem:not-found"
