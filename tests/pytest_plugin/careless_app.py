"""An application that speaks the FIDO interface and accepts whatever it is sent; a mode makes it fail in other ways."""

from __future__ import annotations

import json
from secrets import token_urlsafe
from typing import Any

ALGORITHMS = [{"type": "public-key", "alg": -7}, {"type": "public-key", "alg": -257}, {"type": "public-key", "alg": -8}]


class Careless:
    """Every answer is right.

    mode  "": accepts; crash: raises over what is not text in the right place; closed: refuses everything
    """

    def __init__(self, mode: str = "") -> None:
        self.mode = mode
        self.ids: dict[str, list[str]] = {}
        self.name = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        assert scope["type"] == "http"
        body = json.loads((await receive())["body"] or b"{}")
        document = {"status": "ok", "errorMessage": "", **self.answer(scope["path"], body)}
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps(document).encode()})

    def answer(self, path: str, body: Any) -> dict[str, Any]:
        """The members of the answer."""
        if path.endswith("/options"):
            self.name = body["username"]
        match path:
            case "/attestation/options":
                user = {"id": token_urlsafe(), "name": self.name, "displayName": self.name}
                rp = {"id": "localhost", "name": "Careless"}
                return {"challenge": token_urlsafe(), "rp": rp, "user": user, "pubKeyCredParams": ALGORITHMS}
            case "/assertion/options":
                allowed = [{"type": "public-key", "id": one} for one in self.ids.get(self.name, [])]
                return {"challenge": token_urlsafe(), "rpId": "localhost", "allowCredentials": allowed}
            case "/attestation/result":
                self.ids.setdefault(self.name, []).append(body["id"])
        if self.mode == "closed":
            return {"status": "failed", "errorMessage": "closed today"}
        if self.mode == "crash" and body["type"] != "public-key":
            raise KeyError("a type that nobody thought of")
        return {}
