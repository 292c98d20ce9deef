"""The one table of routes: what the application serves, who may call it, and what the API description says of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from authctl import errors
from authctl.server.http import about, audit, credentials, login, models, registration, trail_models, users

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import BaseModel

    from authctl.errors import AuthctlError
    from authctl.server.http.answers import Answer
    from authctl.server.http.edge import Edge
    from authctl.server.http.request import Request

    Endpoint = Callable[[Request, Edge], Awaitable[Answer]]


class Access(StrEnum):
    """Who may call a route. The service enforces it; a test holds each route to its rule."""

    PUBLIC = "public"
    SIGNED_IN = "signed-in"
    SELF_OR_ADMIN = "self-or-admin"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path; `failures` are those of its own, beside the ones that all routes share.

    query     the shape of what may stand behind the question mark; the other routes take no notice of what does
    has_page  a page for people stands there instead while the setting PAGES is on
    """

    method: str
    path: str
    endpoint: Endpoint
    access: Access
    summary: str
    tag: str
    status: int = 200
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    failures: tuple[type[AuthctlError], ...] = ()
    has_page: bool = False

    @property
    def all_failures(self) -> tuple[type[AuthctlError], ...]:
        """Everything that the route may answer but success."""
        shared = SHARED_FAILURES
        if self.method != "GET":
            shared += (errors.AccessDenied,)
        if self.body is not None:
            shared += BODY_FAILURES
        if self.query is not None:
            shared += QUERY_FAILURES
        return shared + self.failures


SHARED_FAILURES: Final[tuple[type[AuthctlError], ...]] = (
    errors.BadRequest,
    errors.RequestTimeout,
    errors.HeadersTooLarge,
    errors.StorageUnavailable,
)
BODY_FAILURES: Final[tuple[type[AuthctlError], ...]] = (
    errors.MalformedBody,
    errors.BodyTooLarge,
    errors.UnsupportedMediaType,
    errors.InvalidRequest,
    errors.RateLimited,
)
QUERY_FAILURES: Final[tuple[type[AuthctlError], ...]] = (errors.InvalidRequest, errors.RateLimited)
TOKEN_FAILURES: Final[tuple[type[AuthctlError], ...]] = (errors.NotAuthenticated, errors.TokenRejected)

# Routes that carry the load stand first: the router tries them in this order.
ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "POST",
        "/login/complete",
        login.complete,
        Access.PUBLIC,
        "Finish a login: the assertion against a token",
        "login",
        body=models.LoginComplete,
        answer=models.TokenResponse,
        failures=(errors.LoginFailed,),
    ),
    Route(
        "POST",
        "/login/begin",
        login.begin,
        Access.PUBLIC,
        "Start a login: options for navigator.credentials.get()",
        "login",
        body=models.LoginBegin,
        answer=models.RequestOptions,
    ),
    Route(
        "GET",
        "/users/me",
        users.me,
        Access.SIGNED_IN,
        "The signed-in user",
        "users",
        answer=models.UserResponse,
        failures=TOKEN_FAILURES,
    ),
    Route(
        "GET",
        "/users/{id}",
        users.show,
        Access.SELF_OR_ADMIN,
        "One user: oneself, or anyone for an admin",
        "users",
        answer=models.UserResponse,
        failures=(*TOKEN_FAILURES, errors.AccessDenied, errors.NotFound),
    ),
    Route(
        "GET",
        "/users/me/credentials",
        credentials.list_own,
        Access.SIGNED_IN,
        "The passkeys of the signed-in user, oldest first",
        "credentials",
        answer=models.CredentialList,
        failures=TOKEN_FAILURES,
    ),
    Route(
        "POST",
        "/users/me/credentials/begin",
        credentials.begin,
        Access.SIGNED_IN,
        "Start adding a passkey: options for navigator.credentials.create()",
        "credentials",
        body=models.CredentialBegin,
        answer=models.CreationOptions,
        failures=(*TOKEN_FAILURES, errors.LoginTooOld, errors.TooManyCredentials),
    ),
    Route(
        "POST",
        "/users/me/credentials/complete",
        credentials.complete,
        Access.SIGNED_IN,
        "Finish adding a passkey",
        "credentials",
        status=201,
        body=models.CredentialComplete,
        answer=models.CredentialResponse,
        failures=(*TOKEN_FAILURES, errors.LoginTooOld, errors.RegistrationFailed, errors.TooManyCredentials),
    ),
    Route(
        "PATCH",
        "/users/me/credentials/{credential_id}",
        credentials.rename_own,
        Access.SIGNED_IN,
        "Give one of one's passkeys another name",
        "credentials",
        body=models.CredentialRename,
        answer=models.CredentialResponse,
        failures=(*TOKEN_FAILURES, errors.NotFound),
    ),
    Route(
        "DELETE",
        "/users/me/credentials/{credential_id}",
        credentials.remove_own,
        Access.SIGNED_IN,
        "Remove one of one's passkeys, but not the last one",
        "credentials",
        status=204,
        failures=(*TOKEN_FAILURES, errors.LoginTooOld, errors.NotFound, errors.LastCredential),
    ),
    Route(
        "GET",
        "/users/{id}/credentials",
        credentials.list_of,
        Access.SELF_OR_ADMIN,
        "The passkeys of one user: oneself, or anyone for an admin",
        "credentials",
        answer=models.CredentialList,
        failures=(*TOKEN_FAILURES, errors.AccessDenied, errors.NotFound),
    ),
    Route(
        "PATCH",
        "/users/{id}/credentials/{credential_id}",
        credentials.rename,
        Access.SELF_OR_ADMIN,
        "Give a user's passkey another name",
        "credentials",
        body=models.CredentialRename,
        answer=models.CredentialResponse,
        failures=(*TOKEN_FAILURES, errors.AccessDenied, errors.NotFound),
    ),
    Route(
        "DELETE",
        "/users/{id}/credentials/{credential_id}",
        credentials.remove,
        Access.SELF_OR_ADMIN,
        "Remove a user's passkey, but not the last one",
        "credentials",
        status=204,
        failures=(*TOKEN_FAILURES, errors.LoginTooOld, errors.AccessDenied, errors.NotFound, errors.LastCredential),
    ),
    Route(
        "GET",
        "/audit/events",
        audit.events,
        Access.ADMIN,
        "Events of the audit trail, or with count_by how many there are of each kind",
        "audit",
        query=trail_models.TrailQuery,
        answer=trail_models.TrailAnswer,
        failures=(*TOKEN_FAILURES, errors.AccessDenied),
    ),
    Route(
        "POST",
        "/register/begin",
        registration.begin,
        Access.PUBLIC,
        "Start a registration: options for navigator.credentials.create()",
        "registration",
        body=models.RegistrationBegin,
        answer=models.CreationOptions,
    ),
    Route(
        "POST",
        "/register/complete",
        registration.complete,
        Access.PUBLIC,
        "Finish a registration: the new credential makes the account",
        "registration",
        status=201,
        body=models.RegistrationComplete,
        answer=models.UserResponse,
        failures=(errors.RegistrationFailed,),
    ),
    Route(
        "POST",
        "/users",
        about.to_registration,
        Access.PUBLIC,
        "Redirects to the start of a registration",
        "registration",
        status=307,
    ),
    Route(
        "POST",
        "/login",
        about.to_login,
        Access.PUBLIC,
        "Redirects to the start of a login",
        "login",
        status=307,
    ),
    Route(
        "GET",
        "/",
        about.pointer,
        Access.PUBLIC,
        "The demo page; without pages, where to go from here",
        "service",
        answer=models.Pointer,
        has_page=True,
    ),
    Route(
        "GET",
        "/openapi.json",
        about.description,
        Access.PUBLIC,
        "This description",
        "service",
    ),
    Route(
        "GET",
        "/healthz",
        about.live,
        Access.PUBLIC,
        "Whether the process answers",
        "service",
        answer=models.Health,
    ),
    Route(
        "GET",
        "/readyz",
        about.ready,
        Access.PUBLIC,
        "Whether the service can do its work: store and audit trail can be written",
        "service",
        answer=models.Health,
    ),
)
