"""The cases as data: what is altered, what an attacker gains, the step of the standard, and what a server owes."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.needs import AUTHENTICATION, REGISTRATION, Needs
from authctl.virtual_authenticator.faults.playing import play

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.faults.interface import Key
    from authctl.virtual_authenticator.faults.played import Played
    from authctl.virtual_authenticator.faults.stage import Lab

PROFILES: Final = ("l3", "fido")
FORCES: Final = ("must", "hardening", "policy", "positive")
TIERS: Final = ("core", "core-attestation", "structure", "extended")
ACCEPT, REFUSE, EITHER, ONE = "accept", "refuse", "either", "one"
EXPECTATIONS: Final = (ACCEPT, REFUSE, EITHER, ONE)

_BOTH: Final = "both"


@dataclass(frozen=True, slots=True)
class Case:
    """One alteration in one ceremony.

    alters    what is wrong with the message, or with the conversation
    why       what an attacker gains where it is accepted; of a positive case, what breaks where it is refused
    spec      sections and steps of WebAuthn Level 3, or another standard by name
    force     must: the standard; hardening: prudence; policy: the server's choice; positive: to be accepted
    expected  by profile: accept, refuse, either, or `one` of several at once
    known     public identifiers of vulnerabilities of this kind
    """

    id: str
    variant: str
    ceremony: str
    layer: Layer
    alters: str
    why: str
    spec: str
    force: str
    tier: str
    expected: Mapping[str, str]
    needs: Needs
    known: tuple[str, ...]
    is_in_both: bool = False

    @property
    def key(self) -> Key:
        """What faults and plays are entered under."""
        return self.id, self.variant

    @property
    def name(self) -> str:
        """What commands and reports call it, without blanks; the ceremony is in it where there are two."""
        name = "/".join(["_".join(part.split()) for part in (self.id, self.variant) if part])
        return f"{name}:{self.ceremony}" if self.is_in_both else name

    def play(self, lab: Lab) -> Played:
        """Plays the case against a server; never raises for what the server does."""
        return play(self, lab)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A case that is known and not built, and why."""

    id: str
    ceremony: str
    alters: str
    reason: str


def read_cases() -> tuple[Case, ...]:
    """Every case of the data file, those of both ceremonies twice."""
    return tuple(_case(row, ceremony) for row in rows("cases.csv") for ceremony in _ceremonies(row["ceremony"]))


def left_out() -> tuple[LeftOut, ...]:
    """What the catalogue names and does not play."""
    return tuple(LeftOut(row["id"], row["ceremony"], row["alters"], row["reason"]) for row in rows("left_out.csv"))


def rows(name: str) -> list[dict[str, str]]:
    """The lines of a data file of this package."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), strict=True))


def _ceremonies(ceremony: str) -> tuple[str, ...]:
    return (REGISTRATION, AUTHENTICATION) if ceremony == _BOTH else (ceremony,)


def _case(row: Mapping[str, str], ceremony: str) -> Case:
    return Case(
        id=row["id"],
        variant=row["variant"],
        ceremony=ceremony,
        layer=Layer(row["layer"]),
        alters=row["alters"],
        why=row["why"],
        spec=row["spec"],
        force=row["force"],
        tier=row["tier"],
        expected={profile: row[profile] for profile in PROFILES},
        needs=Needs.parse(row["needs"]),
        known=tuple(row["known"].split()),
        is_in_both=row["ceremony"] == _BOTH,
    )
