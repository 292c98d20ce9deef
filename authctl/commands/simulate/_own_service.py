"""authctl's own service in this process as a server under attack: temporary, and with what a test may do to it."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from authctl.clock import SystemClock
from authctl.errors import NotFound
from authctl.server.app import create_app
from authctl.server.assembly import open_service
from authctl.server.audit.events import Caller
from authctl.server.storage.rows import make
from authctl.server.storage.tables import WebauthnCredential
from authctl.settings import load_settings
from authctl.virtual_authenticator.authenticator.authenticator_data import AuthenticatorData
from authctl.virtual_authenticator.base64url import decode
from authctl.virtual_authenticator.faults.stage import Lab
from authctl.virtual_authenticator.harness.recipe.builtin import builtin
from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer
from authctl.virtual_authenticator.harness.relying_party import Reaction, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from authctl.server.service import Service
    from authctl.server.storage.transaction import Transaction
    from authctl.virtual_authenticator.faults.needs import Needs
    from authctl.virtual_authenticator.harness.relying_party import Visit

ORIGIN: Final = "http://localhost:8000"
_SETTINGS: Final = {"AUTHENTICATOR_ATTACHMENT": "any", "RATE_LIMITS": "off"}
_OPERATOR: Final = Caller(None, None, None, None, actor="os:simulate(0)")
_CAPABILITIES: Final = frozenset({"framing", "trusted-root", "attestation-required"})
"""Of framing and attestation-required, the settings of a case see to it. Nothing trusts a root: what comes with
certificates is refused as a whole, which the cases show."""


class OwnService:
    """A Target: one service for each set of settings that cases need, each opened when it is first needed."""

    name = "authctl"

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._directory = Path(self._stack.enter_context(TemporaryDirectory(prefix="authctl-")))
        self._labs: dict[tuple[tuple[str, str], ...], Lab] = {}

    def lab(self, needs: Needs) -> Lab:
        """The service with the settings that a case needs."""
        if needs.settings not in self._labs:
            self._labs[needs.settings] = self._open(dict(needs.settings))
        return self._labs[needs.settings]

    def close(self) -> None:
        """Stops the services and removes their files."""
        self._stack.close()

    def _open(self, settings: dict[str, str]) -> Lab:
        place = self._directory / str(len(self._labs))
        place.mkdir()
        clock = _MovedClock()
        service = open_service(load_settings(environ=_SETTINGS | settings, cwd=place), kind="server", clock=clock)
        self._stack.callback(service.close)
        server = self._stack.enter_context(DescribedServer(builtin("authctl"), ORIGIN, app=create_app(service)))
        hands = _Hands(service, clock)
        return Lab(server, server.capabilities | _CAPABILITIES, {**server.abilities, **hands.abilities()})


class _MovedClock(SystemClock):
    """The system's clock, which can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class _Hands:
    """What can be done to a service from behind: for cases of expiry, and of people and passkeys that are gone."""

    def __init__(self, service: Service, clock: _MovedClock) -> None:
        self._service = service
        self._clock = clock

    def abilities(self) -> dict[str, Any]:
        """By the names that cases ask for."""
        return {
            "expiry": self._let_expire,
            "second-passkey": self._plant,
            "delete-passkey": self._delete_passkeys,
            "disable-user": self._disable,
            "delete-user": self._delete,
        }

    def _let_expire(self, *_: object) -> None:
        self._clock.ahead += self._service.settings.challenge_ttl_seconds + 1

    def _plant(self, visit: Visit, document: Any) -> Reaction:
        data = AuthenticatorData(decode(document["response"]["authenticatorData"])).attested
        row = make(
            WebauthnCredential,
            user_id=self._user_id(visit),
            credential_id=data.credential_id if data else b"",
            public_key=data.public_key if data else b"",
            created_at=self._clock.now(),
            algorithm=document["response"]["publicKeyAlgorithm"],
            aaguid=str(UUID(int=0)),
            attestation_format="none",
        )
        self._service.database.write_now(lambda tx: tx.credentials.add(row))
        return Reaction(Verdict.ACCEPTED, 201, "", 0.0)

    def _delete_passkeys(self, visit: Visit, _: object) -> None:
        user_id = self._user_id(visit)

        def remove(tx: Transaction) -> None:
            for credential in tx.credentials.live_of_user(user_id):  # also the last one, which no feature removes
                tx.credentials.remove(credential.id, tx.now)

        self._service.database.write_now(remove)

    def _disable(self, visit: Visit, _: object) -> None:
        asyncio.run(self._service.users.disable(visit.account.email, _OPERATOR))

    def _delete(self, visit: Visit, _: object) -> None:
        asyncio.run(self._service.users.delete(visit.account.email, _OPERATOR))

    def _user_id(self, visit: Visit) -> str:
        user = self._service.database.read_now(lambda tx: tx.users.by_email(visit.account.email))
        if user is None:
            raise NotFound(f"{visit.account.email} has no account")
        return user.id
