"""What happens while a load is prepared and runs: callers decide what of it to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from authctl.virtual_authenticator.credential_store.interface import Credential
    from authctl.virtual_authenticator.harness.load.recording import Snapshot
    from authctl.virtual_authenticator.harness.load.report import Report


@dataclass(frozen=True, slots=True)
class Preparing:
    """So many of the people have an account, and what else they need before anything is measured."""

    ready: int
    total: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everybody is ready; whoever keeps these passkeys need not register people the next time."""

    passkeys: tuple[Credential, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """The load goes on; `measured` seconds of it count, none while it still grows."""

    snapshot: Snapshot
    measured: float


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing follows."""

    report: Report


Event: TypeAlias = Preparing | Prepared | Running | Ended
