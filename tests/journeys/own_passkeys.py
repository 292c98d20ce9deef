"""What the journeys about one's own passkeys do over HTTP: list, add, rename, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authctl.virtual_authenticator import VirtualAuthenticator
from tests.builders import Visitor, options_in

if TYPE_CHECKING:
    import httpx2

MINE: Final = "/users/me/credentials"


def bearer(visitor: Visitor) -> dict[str, str]:
    """The header field of a signed-in user."""
    return {"authorization": f"Bearer {visitor.token}"}


def ask(visitor: Visitor, method: str, path: str = MINE, **arguments: Any) -> httpx2.Response:
    """A request with the visitor's token."""
    return visitor.service.call(method, path, headers=bearer(visitor), **arguments)


def begin(visitor: Visitor) -> dict[str, Any]:
    """Creation options for a further passkey."""
    return options_in(ask(visitor, "POST", f"{MINE}/begin", json={}))


def complete(visitor: Visitor, credential: object, **more: Any) -> httpx2.Response:
    """The answer to a further passkey."""
    return ask(visitor, "POST", f"{MINE}/complete", json={"credential": credential, **more})


def with_another_device(visitor: Visitor, authenticator: VirtualAuthenticator | None = None) -> Visitor:
    """The same person with an authenticator that has nothing yet, under the same token."""
    return Visitor(visitor.service, visitor.email, authenticator or VirtualAuthenticator(), visitor.token, visitor.id)


def add_passkey(
    visitor: Visitor, authenticator: VirtualAuthenticator | None = None, **more: Any
) -> tuple[Visitor, dict[str, Any]]:
    """A further passkey on a device of its own: the person with that device, and the new passkey's document."""
    other = with_another_device(visitor, authenticator)
    answer = complete(visitor, other.browser.create(begin(visitor)), **more)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return other, document


def listed(visitor: Visitor, path: str = MINE) -> list[dict[str, Any]]:
    """The passkeys of the visitor, or those at another path."""
    answer = ask(visitor, "GET", path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["credentials"]
    return found


def signed_in(service: Any, email: str = "jane@example.com", **names: str) -> Visitor:
    """Somebody who has just registered and logged in."""
    visitor = Visitor(service, email)
    visitor.register(**names)
    visitor.log_in()
    return visitor
