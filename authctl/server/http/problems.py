"""The one table from error class to HTTP status, and the problem document (RFC 9457) that every failure becomes."""

from __future__ import annotations

import logging
from typing import Any, Final

import orjson

from authctl import errors
from authctl.server.accounts.access import LONGEST_SINCE_LOGIN
from authctl.server.http.answers import PROBLEM, Answer

logger = logging.getLogger(__name__)

RETRY_STORAGE_AFTER = b"2"
STEP_UP: Final = f'Bearer error="insufficient_user_authentication", max_age={LONGEST_SINCE_LOGIN}'.encode("ascii")
"""RFC 9470 section 3: the token is good, and a login not older than this many seconds is wanted."""

STATUS_OF: Final[dict[type[errors.AuthctlError], int]] = {
    errors.AuthctlError: 500,
    errors.MalformedBody: 400,
    errors.BadRequest: 400,
    errors.RegistrationFailed: 400,
    errors.CeremonyFailed: 400,
    errors.LoginFailed: 401,
    errors.NotAuthenticated: 401,
    errors.TokenRejected: 401,
    errors.LoginTooOld: 401,
    errors.AccessDenied: 403,
    errors.RouteNotFound: 404,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.RequestTimeout: 408,
    errors.LastCredential: 409,
    errors.TooManyCredentials: 409,
    errors.BodyTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.InvalidRequest: 422,
    errors.RateLimited: 429,
    errors.HeadersTooLarge: 431,
    errors.StorageError: 503,
    errors.StorageUnavailable: 503,
    errors.StorageDamaged: 503,
    errors.StorageMissing: 503,
    errors.SchemaMismatch: 503,
    errors.AuditUnavailable: 503,
    # Features answer these in their own way, or only a terminal meets them: over HTTP they are a fault of ours.
    errors.UsageError: 500,
    errors.SettingsError: 500,
    errors.Conflict: 500,
    errors.Refused: 500,
    errors.AlreadyExists: 500,
    errors.TrailAltered: 500,
    errors.TrailTruncated: 500,
    errors.ServerUnreachable: 500,
    errors.AuthenticatorError: 500,
}
"""One row per class of `authctl.errors`; a subclass defined elsewhere shares the status of its nearest parent."""

TITLES: Final[dict[int, str]] = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timeout",
    409: "Conflict",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Unprocessable content",
    429: "Too many requests",
    431: "Request header fields too large",
    500: "Internal server error",
    503: "Service unavailable",
}


def status_of(error: Exception) -> int:
    """The HTTP status of an error, by the most exact class that has one; 500 for what nobody raised on purpose."""
    return next((STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF), 500)


def problem(error: Exception, request_id: str) -> Answer:
    """The problem document of an error; what the caller may not know goes to the operational log, by request id."""
    status = status_of(error)
    if status >= 500:
        _log(error, status, request_id)
    return Answer(status, orjson.dumps(document(error, request_id)), PROBLEM, _fields(error, status))


def document(error: Exception, request_id: str) -> dict[str, Any]:
    """What the document says."""
    status = status_of(error)
    members: dict[str, Any] = {
        "type": f"urn:authctl:problem:{_slug(error, status)}",
        "title": TITLES[status],
        "status": status,
        "detail": _detail(error, status),
        "instance": request_id,
    }
    if isinstance(error, errors.InvalidRequest):
        members["errors"] = [{"field": field, "message": message} for field, message in error.errors]
    return members


def _slug(error: Exception, status: int) -> str:
    if status == 500 or not isinstance(error, errors.AuthctlError):
        return "internal"
    return "storage-unavailable" if status == 503 else error.slug


def _detail(error: Exception, status: int) -> str:
    # What is wrong with the database is nobody's business but the operator's.
    if status == 503:
        return errors.StorageUnavailable.default_detail
    if status == 500 or not isinstance(error, errors.AuthctlError):
        return errors.AuthctlError.default_detail
    return error.detail


def _fields(error: Exception, status: int) -> tuple[tuple[bytes, bytes], ...]:
    match error:
        case errors.RateLimited():
            return ((b"retry-after", b"%d" % error.retry_after),)
        case errors.MethodNotAllowed():
            return ((b"allow", ", ".join(error.allowed).encode("ascii")),)
        case errors.LoginTooOld():
            return ((b"www-authenticate", STEP_UP),)
        case errors.BodyTooLarge() | errors.HeadersTooLarge() | errors.RequestTimeout():
            return ((b"connection", b"close"),)
    if status == 401:
        return ((b"www-authenticate", b"Bearer"),)
    return ((b"retry-after", RETRY_STORAGE_AFTER),) if status == 503 else ()


def _log(error: Exception, status: int, request_id: str) -> None:
    context = {"request_id": request_id}
    if status == 503 and isinstance(error, errors.AuthctlError):
        logger.error("request refused: %s: %s (%s)", error.slug, error.detail, error.debug, extra=context)
    else:
        logger.error("request failed", exc_info=error, extra=context)
