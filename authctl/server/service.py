"""The service: one attribute per feature, and the only thing that the edges call."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.server.accounts.credentials import Credentials
    from authctl.server.accounts.personal_data import PersonalData
    from authctl.server.accounts.roles import Roles
    from authctl.server.accounts.trail_access import TrailAccess
    from authctl.server.accounts.users import Users
    from authctl.server.audit.repair import Repair
    from authctl.server.audit.trail import AuditTrail
    from authctl.server.ceremonies.adding import Adding
    from authctl.server.ceremonies.login import Login
    from authctl.server.ceremonies.registration import Registration
    from authctl.server.keys import Keys
    from authctl.server.maintenance import Maintenance
    from authctl.server.readiness import ReadinessCheck
    from authctl.server.storage.database import Database
    from authctl.server.storage.serving_lock import ServingLock
    from authctl.settings import Settings


@dataclass(frozen=True, slots=True)
class Ceremonies:
    """What needs the WebAuthn library."""

    registration: Registration
    login: Login
    adding: Adding


@dataclass(frozen=True)
class Service:
    """Made by `assembly.open_service`; whoever opens it closes it.

    make_ceremonies  called at the first use of one of them: commands do without what they import
    """

    settings: Settings
    keys: Keys
    database: Database
    make_ceremonies: Callable[[], Ceremonies] = field(repr=False)
    users: Users
    credentials: Credentials
    personal_data: PersonalData
    roles: Roles
    audit: AuditTrail
    trail: TrailAccess
    repair: Repair
    maintenance: Maintenance
    health: ReadinessCheck
    lock: ServingLock | None = field(default=None, repr=False)

    @cached_property
    def ceremonies(self) -> Ceremonies:
        """All ceremonies."""
        return self.make_ceremonies()

    @property
    def registration(self) -> Registration:
        """Registration, begin and complete."""
        return self.ceremonies.registration

    @property
    def login(self) -> Login:
        """Login, begin and complete."""
        return self.ceremonies.login

    @property
    def adding(self) -> Adding:
        """A further passkey for a signed-in user, begin and complete."""
        return self.ceremonies.adding

    def close(self) -> None:
        """Finishes what waits, signs the last checkpoint, lets go of every file. Safe to call twice."""
        self.trail.close()
        self.database.close()
        self.audit.close()
        if self.lock is not None:
            self.lock.release()
