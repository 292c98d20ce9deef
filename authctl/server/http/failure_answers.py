"""How the API description tells what a route may answer but success: one shared answer for each set of failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from authctl import errors
from authctl.server.http.models import Problem, ValidationProblem
from authctl.server.http.problems import STATUS_OF, TITLES, document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from authctl.errors import AuthctlError
    from authctl.server.http.routes import Route

    Kind = type[AuthctlError]

HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-ID": {
        "description": "The id of the request, by which the operator finds it in the log",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
    "Retry-After": {
        "description": "Seconds to wait before the same call may succeed",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "`Bearer`; where a fresh login is wanted, with its greatest age in seconds (RFC 9470)",
        "required": True,
        "schema": {"type": "string", "pattern": "^Bearer"},
    },
}
"""Header fields of answers, as components of the description."""

_OWN_HEADERS: Final = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
_INSTANCE: Final = "2ab44ecc35d96e7a6e221a388bec90e7"
_WRONG_IN_BODY: Final = (("email", "Field required"), ("job_title", "has to be 1 to 100 characters long"))
_WRONG_IN_QUERY: Final = (("limit", "Input should be less than or equal to 1000"),)


@dataclass(frozen=True, slots=True)
class FailureAnswer:
    """One answer: every failure of one status that a route has. Routes with the same ones share it by its name."""

    status: int
    kinds: tuple[Kind, ...]
    is_of_query: bool

    @property
    def name(self) -> str:
        """What the component is called."""
        names = [
            "InvalidQuery" if kind is errors.InvalidRequest and self.is_of_query else kind.__name__
            for kind in self.kinds
        ]
        return "Or".join(names)

    def component(self) -> dict[str, Any]:
        """The answer, described."""
        details = "; ".join(dict.fromkeys(kind.default_detail for kind in self.kinds))
        model = ValidationProblem if self.status == 422 else Problem
        media_type = {
            "schema": {"$ref": f"#/components/schemas/{model.__name__}"},
            "examples": {kind.default_detail: {"value": self._example(kind)} for kind in self.kinds},
        }
        return {
            "description": f"{TITLES[self.status]}: {details}",
            "headers": headers_named("X-Request-ID", *_OWN_HEADERS.get(self.status, ())),
            "content": {"application/problem+json": media_type},
        }

    def _example(self, kind: Kind) -> dict[str, Any]:
        return document(_raised(kind, _WRONG_IN_QUERY if self.is_of_query else _WRONG_IN_BODY), _INSTANCE)


def headers_named(*names: str) -> dict[str, Any]:
    """References to these components of HEADERS."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def failure_answers(route: Route) -> list[FailureAnswer]:
    """What a route may answer but success, by status."""
    by_status: dict[int, dict[Kind, None]] = {}
    for kind in route.all_failures:
        by_status.setdefault(STATUS_OF[kind], {})[kind] = None
    return [FailureAnswer(status, tuple(kinds), route.query is not None) for status, kinds in sorted(by_status.items())]


def components(answers: Iterable[FailureAnswer]) -> dict[str, Any]:
    """The answers under their names."""
    return {answer.name: answer.component() for answer in answers}


def _raised(kind: Kind, wrong: Sequence[tuple[str, str]]) -> AuthctlError:
    """An error of this class, as the edge meets it."""
    if issubclass(kind, errors.InvalidRequest):
        return kind(tuple(wrong))
    if issubclass(kind, errors.RateLimited):
        return kind(30)
    if issubclass(kind, errors.CeremonyFailed | errors.TokenRejected):
        return kind("")
    return kind()
