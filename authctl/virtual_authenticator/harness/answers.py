"""Tells what an answer is: what was hoped for, a refusal, or something that is not of this interface."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator.errors import CeremonyRefused, TooManyRequests, UnexpectedAnswer
from authctl.virtual_authenticator.harness.steps import retry_after

if TYPE_CHECKING:
    from authctl.virtual_authenticator.harness.transport import Answer

_LONGEST_QUOTE: Final = 300
_DO_THEY_MATCH: Final = "Do ORIGIN and RP_ID of the server match?"
_IS_IT_TAKEN: Final = " Is the e-mail already taken?"
_WHERE_TO_LOOK: Final = " Where the server runs, `authctl audit list --failure` tells the reason"
_IS_IT_AUTHCTL: Final = "Is that the address of an authctl server?"


def require_json(answer: Answer, status: int, *, sent: str) -> dict[str, Any]:
    """The JSON object of an answer with this status.

    `sent` says what was sent, for the message of CeremonyRefused when the server says no. UnexpectedAnswer when it says
    something else, TooManyRequests for 429.
    """
    what = f"{answer.request.method} {answer.request.path}"
    if answer.status == status:
        return _object(answer, what)
    if answer.status == 429:
        raise TooManyRequests(
            f"{what}: the server limits the rate, for another {retry_after(answer):g} s",
            hint="Wait, or run the server with RATE_LIMITS=off for tests",
        )
    if 300 <= answer.status < 400:
        target = answer.headers.get("location", "nowhere")
        raise UnexpectedAnswer(
            f"{what} is redirected to {_quoted(target)}", hint="Give the address it leads to as --url"
        )
    if answer.status >= 500:
        raise UnexpectedAnswer(f"{what}: the server failed with {answer.status} {_reason(answer)}".rstrip())
    if answer.status < 400 or _is_page(answer) or answer.status in (404, 405):
        kind = answer.headers.get("content-type", "no content type")
        raise UnexpectedAnswer(f"{what} answered {answer.status} with {_quoted(kind)}", hint=_IS_IT_AUTHCTL)
    raise _refusal(answer, what, sent)


def _refusal(answer: Answer, what: str, sent: str) -> CeremonyRefused:
    taken = _IS_IT_TAKEN if answer.request.path == "/register/complete" else ""
    return CeremonyRefused(
        f"The server refused: {what} answered {answer.status} {_reason(answer)}".rstrip() + f". {sent}",
        hint=None if answer.status == 422 else f"{_DO_THEY_MATCH}{taken}{_WHERE_TO_LOOK}",
    )


def _object(answer: Answer, what: str) -> dict[str, Any]:
    kind = answer.headers.get("content-type", "no content type")
    if "json" not in kind:
        raise UnexpectedAnswer(f"{what} answered with {_quoted(kind)} instead of JSON", hint=_IS_IT_AUTHCTL)
    document = _json(answer.body)
    if not isinstance(document, dict):
        raise UnexpectedAnswer(f"{what} answered with JSON that is broken or no object", hint=_IS_IT_AUTHCTL)
    return document


def _reason(answer: Answer) -> str:
    # A problem document (RFC 9457), if it is one; never a page.
    document = None if _is_page(answer) else _json(answer.body)
    if not isinstance(document, dict):
        return ""
    parts = [document.get("detail") or document.get("title")]
    errors = document.get("errors")
    parts += [
        f"{error.get('field')}: {error.get('message')}"
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]
    return _quoted("; ".join(part for part in parts if isinstance(part, str)))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _is_page(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "")


def _quoted(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"
