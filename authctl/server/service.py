"""The service: one attribute per feature, and the only thing that the edges call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authctl.server.accounts.roles import Roles
    from authctl.server.accounts.users import Users
    from authctl.server.audit.trail import AuditTrail
    from authctl.server.ceremonies.login import Login
    from authctl.server.ceremonies.registration import Registration
    from authctl.server.keys import Keys
    from authctl.server.maintenance import Maintenance
    from authctl.server.readiness import ReadinessCheck
    from authctl.server.storage.database import Database
    from authctl.server.storage.serving_lock import ServingLock
    from authctl.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """Made by `assembly.open_service`; whoever opens it closes it."""

    settings: Settings
    keys: Keys
    database: Database
    registration: Registration
    login: Login
    users: Users
    roles: Roles
    audit: AuditTrail
    maintenance: Maintenance
    health: ReadinessCheck
    lock: ServingLock | None = field(default=None, repr=False)

    def close(self) -> None:
        """Finishes what waits, signs the last checkpoint, lets go of every file. Safe to call twice."""
        self.database.close()
        self.audit.close()
        if self.lock is not None:
            self.lock.release()
