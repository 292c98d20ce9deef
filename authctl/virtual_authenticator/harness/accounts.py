"""Accounts that a harness registers: throw-away people with an address of their own."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_hex


@dataclass(frozen=True, slots=True)
class Account:
    """What `/register/begin` asks of a person."""

    email: str
    first_name: str = "Pat"
    last_name: str = "Passkey"
    date_of_birth: str = "1990-01-01"
    job_title: str = "Tester"

    def profile(self) -> dict[str, str]:
        """The body of the request."""
        return {
            "email": self.email,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "date_of_birth": self.date_of_birth,
            "job_title": self.job_title,
        }


def throw_away_account() -> Account:
    """An account that nobody has yet, in the domain that is reserved for examples."""
    return Account(f"passkey-{token_hex(6)}@example.com")
