"""Who asks while the service is fuzzed: nobody, a user, an admin; and the real values that only they can give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx2

from authctl.virtual_authenticator import Client, VirtualAuthenticator
from tests.builders import Visitor

if TYPE_CHECKING:
    from schemathesis import Case

REAL_EVERY: Final = 3
"""One valid case in so many gets real values, where there are some, and another one an id that no text may hold."""
NUL: Final = "%00"


class Live:
    """The service over HTTP, as visitors know one."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._client = httpx2.Client(base_url=origin, trust_env=False)

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """One request and its answer."""
        return self._client.request(method, path, **arguments)

    def close(self) -> None:
        """Lets go of its connections."""
        self._client.close()


@dataclass
class Asker:
    """Somebody who asks, as themselves when there is a `visitor`, about `subject`."""

    name: str
    service: Live
    visitor: Visitor | None = None
    subject: Visitor | None = None
    turns: int = 0

    def headers(self) -> dict[str, str]:
        """The header of a fresh login."""
        return {} if self.visitor is None else {"Authorization": f"Bearer {self.visitor.log_in()}"}

    def make_real(self, case: Case[Any]) -> None:
        """Replaces the made-up values of a valid case in a few; by what is real, and what PostgreSQL does not take."""
        if case.meta is None or case.meta.generation.mode.is_negative:
            return
        self.turns += 1
        if self.turns % REAL_EVERY == 1:
            case.path_parameters.update(dict.fromkeys(case.path_parameters, NUL))
        if self.turns % REAL_EVERY:
            return
        for name, value in self._real_path().items():
            if name in case.path_parameters:
                case.path_parameters[name] = value
        body = self._real_body(case.operation.label)
        if body is not None:
            case.body = body

    def _real_path(self) -> dict[str, str]:
        if self.visitor is None or self.subject is None:
            return {}
        listed = self._get(f"/users/{self.subject.id}/credentials")["credentials"]
        # The first one stays for as long as there is another: it is the one that its owner logs in with.
        return {"id": self.subject.id, "credential_id": listed[-1]["id"]}

    def _real_body(self, label: str) -> dict[str, Any] | None:
        if label == "POST /register/complete":
            stranger = Visitor(self.service, f"{self.name}-{self.turns}@example.com")
            return {"email": stranger.email, "credential": stranger.browser.create(stranger.begin_registration())}
        if label == "POST /login/complete" and self.visitor is not None:
            return {"email": self.visitor.email, "assertion": self.visitor.sign()}
        if label == "POST /users/me/credentials/complete" and self.visitor is not None:
            return self._another_passkey(self.visitor)
        return None

    def _another_passkey(self, visitor: Visitor) -> dict[str, Any] | None:
        begun = visitor.post("/users/me/credentials/begin", {}, headers=self._bearer(visitor))
        if begun.status_code != 200:
            return None
        device = Client(VirtualAuthenticator(), self.service.origin)
        return {"credential": device.create(begun.json()["publicKey"]), "name": f"Device {self.turns}"}

    def _get(self, path: str) -> dict[str, Any]:
        visitor = self.visitor
        assert visitor is not None
        answer: dict[str, Any] = self.service.call("GET", path, headers=self._bearer(visitor)).json()
        return answer

    def _bearer(self, visitor: Visitor) -> dict[str, str]:
        return {"authorization": f"Bearer {visitor.token}"}
