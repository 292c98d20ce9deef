"""What happens while attacks run: callers decide what of it to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.harness.attack.verdicts import Result


@dataclass(frozen=True, slots=True)
class Began:
    """The server accepted a ceremony with nothing wrong, and so many cases follow."""

    target: str
    total: int


@dataclass(frozen=True, slots=True)
class CaseBegan:
    """A case is being played."""

    case: Case


@dataclass(frozen=True, slots=True)
class CaseEnded:
    """A case was played and judged."""

    result: Result


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing follows.

    stopped  why not every case was played; empty when all were
    is_gone  whether it is because nothing answers any more
    """

    seconds: float
    stopped: str = ""
    is_gone: bool = False


Event: TypeAlias = Began | CaseBegan | CaseEnded | Ended
