"""What a run of attacks is to do, and how hard it may try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.virtual_authenticator.faults.cases import Case


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    profile   l3 or fido: what is owed
    jobs      threads, each with a target of its own
    delay     seconds between two cases of one thread
    seconds   how long the whole run may take; None for as long as it takes
    """

    cases: Sequence[Case]
    profile: str = "l3"
    jobs: int = 1
    delay: float = 0.0
    seconds: float | None = None
