"""Reads the data file of the catalogue: what is altered, and which verdict the service owes for it."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

FILE = Path(__file__).with_name("cases.csv")
REGISTRATION = "registration"
AUTHENTICATION = "authentication"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a case takes: NAME=value are settings of the service, name=value is about authenticator and client.

    logins    how many logins are accepted before the one under attack
    is_named  whether the login is begun with an e-mail
    """

    settings: frozenset[tuple[str, str]] = frozenset()
    preset: str = "platform"
    algorithm: str = "ES256"
    attestation: str | None = None
    top_origin: str | None = None
    logins: int = 1
    is_named: bool = True

    @classmethod
    def parse(cls, text: str) -> Needs:
        """Needs as the data file writes them, separated by blanks."""
        given = dict(word.split("=", 1) for word in text.split())
        settings = frozenset((name, value) for name, value in given.items() if name.isupper())
        needs = cls(settings, top_origin=given.get("top-origin"), attestation=given.get("attestation"))
        return replace(
            needs,
            preset=given.get("preset", needs.preset),
            algorithm=given.get("algorithm", needs.algorithm),
            logins=int(given.get("logins", needs.logins)),
            is_named=given.get("email", "named") == "named",
        )


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the file: a case, or one variant of it.

    ceremonies    those that it is played in
    expected      refused, accepted, or one: exactly one of several answers is acceptance
    needs         the settings and the authenticator that it takes
    status        of the refusal, where the request itself is refused and not the ceremony
    reasons       by ceremony, what the audit trail says of the refusal
    not_executed  why the service cannot show it; empty when it does
    """

    id: str
    variant: str
    ceremonies: tuple[str, ...]
    alters: str
    spec: str
    expected: str
    force: str
    tier: str
    needs: Needs
    status: int | None
    reasons: dict[str, str | None]
    not_executed: str

    @property
    def key(self) -> tuple[str, str]:
        """What the registry knows it by."""
        return self.id, self.variant


@dataclass(frozen=True, slots=True)
class Execution:
    """A case in one of its ceremonies."""

    case: Case
    ceremony: str

    def __str__(self) -> str:
        name = "-".join([self.case.id, *self.case.variant.split()])
        return f"{name}:{self.ceremony}" if len(self.case.ceremonies) > 1 else name

    @property
    def reason(self) -> str | None:
        """What the audit trail is to say."""
        return self.case.reasons[self.ceremony]


def read_cases() -> list[Case]:
    """Every line of the file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return [_case(row) for row in csv.DictReader(file, strict=True)]


def executions(cases: list[Case]) -> list[Execution]:
    """Everything that is to be played."""
    return [Execution(case, ceremony) for case in cases if not case.not_executed for ceremony in case.ceremonies]


def _case(row: dict[str, str]) -> Case:
    both = row["ceremony"] == "both"
    return Case(
        id=row["id"],
        variant=row["variant"],
        ceremonies=(REGISTRATION, AUTHENTICATION) if both else (row["ceremony"],),
        alters=row["alters"],
        spec=row["spec"],
        expected=row["expected"],
        force=row["force"],
        tier=row["tier"],
        needs=Needs.parse(row["needs"]),
        status=int(row["status"]) if row["status"] else None,
        reasons={
            REGISTRATION: row["registration_reason"] or None,
            AUTHENTICATION: row["authentication_reason"] or None,
        },
        not_executed=row["not_executed"],
    )
