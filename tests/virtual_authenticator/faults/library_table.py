"""What two libraries make of the cases that a library can judge, as recorded; run as a program, it records anew."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.attestation.authority import Authority
from authctl.virtual_authenticator.faults.catalogue import cases
from authctl.virtual_authenticator.faults.interface import PLAYS
from tests.virtual_authenticator.faults.library_parties import PARTIES

if TYPE_CHECKING:
    from authctl.virtual_authenticator.faults.cases import Case
    from authctl.virtual_authenticator.faults.played import Played
    from tests.virtual_authenticator.faults.library_parties import LibraryParty

FILE: Final = Path(__file__).with_name("library_verdicts.csv")
OF_ONE_MESSAGE: Final = tuple(case for case in cases() if case.key not in PLAYS)
"""Cases of several messages are a server's business, of which libraries see nothing."""


def told(case: Case, party: type[LibraryParty], authority: Authority) -> str:
    """The library's verdict in a word; `unfit` where it refuses the same message without the fault."""
    return word(case.play(party(case.needs, authority).lab()))


def word(played: Played) -> str:
    """One of accepted, refused, crashed and unfit."""
    if played.not_applicable or played.control is None or played.control.verdict != "accepted":
        return "unfit"
    return str(played.reactions[0].verdict)


def recorded() -> dict[str, dict[str, str]]:
    """The verdicts by library, by case."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {row.pop("case"): row for row in csv.DictReader(file, strict=True)}


def record() -> None:
    """Plays everything and writes the table."""
    authority = Authority()
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", *(party.name for party in PARTIES)])
        for case in OF_ONE_MESSAGE:
            writer.writerow([case.name, *(told(case, party, authority) for party in PARTIES)])


if __name__ == "__main__":
    record()
