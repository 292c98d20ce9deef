"""Sends the steps of a recipe as one browser: its cookies, its Origin, no redirect followed, limits waited for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from authctl.errors import UsageError
from authctl.virtual_authenticator.errors import CeremonyRefused, ConnectionDropped, TooManyRequests, UnexpectedAnswer
from authctl.virtual_authenticator.harness.recipe.permission import require_permission
from authctl.virtual_authenticator.harness.recipe.places import document
from authctl.virtual_authenticator.harness.recipe.rules import is_busy, reason_in
from authctl.virtual_authenticator.harness.recipe.templates import as_text, fill, fill_fields
from authctl.virtual_authenticator.harness.steps import retry_after
from authctl.virtual_authenticator.harness.transport import Request
from authctl.virtual_authenticator.json_text import write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.harness.recipe.cookies import CookieJar
    from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
    from authctl.virtual_authenticator.harness.recipe.model import Step
    from authctl.virtual_authenticator.harness.transport import Answer

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"


class Sender:
    """One browser's way to a server."""

    def __init__(self, server: DescribedServer, cookies: CookieJar) -> None:
        self._server = server
        self.cookies = cookies

    def send(self, step: Step, values: Mapping[str, Any]) -> Answer:
        """The answer to a step, whatever it is; one that says to come back later is waited for.

        Raises ServerUnreachable, UnexpectedAnswer, or UsageError for a host that nobody has allowed.
        """
        patience = self._server.patience
        while True:
            answer = self._send_once(step, values)
            pause = _pause(answer)
            if pause is None or pause > patience:
                return answer
            patience -= pause
            self._server.sleep(pause)

    def ask(self, step: Step, values: Mapping[str, Any]) -> Answer:
        """The answer to a step with the status that it has to have; CeremonyRefused or UnexpectedAnswer otherwise."""
        try:
            answer = self.send(step, values)
        except ConnectionDropped:
            # A server that has just failed closes the connection that the next request goes out on: browsers try again.
            answer = self.send(step, values)
        if answer.status in step.status or (not step.status and 200 <= answer.status < 300):
            return answer
        what = f"{answer.request.method} {answer.request.path}"
        if answer.status == 429:
            raise TooManyRequests(f"{what}: the server limits the rate", hint="Wait, or lift its limits for tests")
        if 300 <= answer.status < 400:
            target = answer.headers.get("location", "nowhere")[:300]
            raise UnexpectedAnswer(f"{what} is redirected to {target}", hint="A step of the recipe has to go there")
        is_refusal = 400 <= answer.status < 500 and isinstance(document(answer), dict)
        detail = f"{what} answered {answer.status} {reason_in(answer)}".rstrip()
        if is_refusal:
            raise CeremonyRefused(detail)
        raise UnexpectedAnswer(detail, hint="Is the recipe for this server, and the address right?")

    def request(self, step: Step, values: Mapping[str, Any]) -> Request:
        """A step as this browser would send it; raises UnexpectedAnswer when a value for it is not there."""
        url = self._url(step, values)
        headers = self._headers(step, values, url)
        content = None
        if step.form is not None:
            content = urlencode(fill_fields(step.form, values), errors="replace").encode()
        elif step.json is not None:
            content = write(fill(step.json, values)).encode()
        return Request(step.method, url, headers=headers, content=content)

    def _send_once(self, step: Step, values: Mapping[str, Any]) -> Answer:
        request = self.request(step, values)
        answer = self._server.transport.send(request)
        self.cookies.keep(request.path, answer)
        return answer

    def _url(self, step: Step, values: Mapping[str, Any]) -> str:
        path = step.url.url(values)
        url = path if "://" in path else self._server.base_url + path
        query = urlencode(fill_fields(step.query, values), errors="replace")
        if query:
            url += ("&" if "?" in url else "?") + query
        try:
            is_address = urlsplit(url).scheme in ("http", "https") and url.isprintable() and " " not in url
        except ValueError:
            is_address = False
        if not is_address:
            raise UnexpectedAnswer(f"{url[:200]!r} is not the address of anything")
        # Where a server sends its visitors is not for the server to decide.
        if urlsplit(url).netloc != urlsplit(self._server.base_url).netloc:
            _require_permission(url, self._server)
        return url

    def _headers(self, step: Step, values: Mapping[str, Any], url: str) -> dict[str, str]:
        headers = {"Origin": self._server.origin} if step.method != "GET" else {}
        if step.json is not None:
            headers["Content-Type"] = _JSON
        elif step.form is not None:
            headers["Content-Type"] = _FORM
        cookies = self.cookies.header(url)
        if cookies:
            headers["Cookie"] = cookies
        for name, text in fill_fields(step.headers, values):
            headers = {known: value for known, value in headers.items() if known.lower() != name.lower()}
            headers[name] = as_text(text)
        for name, value in headers.items():
            if not value.isascii() or not value.isprintable():
                raise UnexpectedAnswer(f"The value for the header {name} cannot stand in one: {value[:100]!r}")
        return headers


def _pause(answer: Answer) -> float | None:
    # Whoever is overloaded and says until when limits the rate, too.
    return retry_after(replace(answer, status=429) if is_busy(answer) else answer)


def _require_permission(url: str, server: DescribedServer) -> None:
    try:
        require_permission(url, server.allowed)
    except UsageError as error:
        raise UnexpectedAnswer(f"The server sends its visitors elsewhere: {error.detail}", hint=error.hint) from error
