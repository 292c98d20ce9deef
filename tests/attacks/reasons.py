"""What authctl's own service makes of every case: test data, to be read and meant when it changes."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.played import Played

FILE = Path(__file__).with_name("reasons.csv")


@dataclass(frozen=True, slots=True)
class Owed:
    """One line.

    verdict         of the answers under judgement, joined where several were sent at once
    status, reason  of the last of them: HTTP's, and what the audit trail says
    control         what the trail says where the same ceremony without the fault is refused too
    afterwards      what was sent next and what came of it: `repeat refused` means that the challenge was used up
    not_applicable  why the service cannot show the case; the rest is empty then
    """

    case: str
    verdict: str
    status: str
    reason: str
    control: str
    afterwards: str
    not_applicable: str

    @classmethod
    def of(cls, case: str, played: Played) -> Owed:
        """The line that a case gets for what came of it."""
        if played.not_applicable or played.control is None:
            return cls(case, "", "", "", "", "", played.not_applicable or played.problem)
        reactions = sorted(played.reactions, key=lambda reaction: reaction.verdict)
        last = reactions[-1]
        followed = f"{played.followed} {played.afterwards.verdict}" if played.afterwards else ""
        return cls(
            case,
            "+".join(reaction.verdict for reaction in reactions),
            str(last.status),
            last.reason,
            played.control.reason,
            followed,
            "",
        )


def read_reasons() -> dict[str, Owed]:
    """Every line, by the name of its case."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {row["case"]: Owed(**row) for row in csv.DictReader(file, strict=True)}
