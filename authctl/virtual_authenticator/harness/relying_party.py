"""What an attack, a load or a test needs from a server: visits of people with a browser, and reactions to answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authctl.virtual_authenticator.harness.accounts import Account


class Verdict(StrEnum):
    """What a server made of a credential.

    CRASHED       an answer of 500 or more, a dropped connection, a time-out: a finding even where access was denied
    INCONCLUSIVE  it cannot be told: a limit of the server, an answer that no rule of the recipe knows
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    CRASHED = "crashed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Reaction:
    """One answer to a credential.

    status   of HTTP; 0 when there was no answer
    reason   a code or the beginning of a message, as stable as the server has it; for ledgers
    excerpt  the beginning of the answer's text, untrusted
    """

    verdict: Verdict
    status: int
    reason: str
    seconds: float
    excerpt: str = ""


class Visit(Protocol):
    """One person with one browser: cookies and whatever the server's pages carry along. Not for two threads."""

    account: Account

    def begin_registration(self) -> Mapping[str, Any]:
        """PublicKeyCredentialCreationOptionsJSON; raises AuthctlError when the server gives none."""
        ...

    def finish_registration(self, credential: object) -> Reaction:
        """Sends RegistrationResponseJSON, or what has become of it, and judges the answer; never raises for one."""
        ...

    def begin_login(self, *, named: bool = True) -> Mapping[str, Any]:
        """PublicKeyCredentialRequestOptionsJSON, for the account or for whoever comes."""
        ...

    def finish_login(self, assertion: object) -> Reaction:
        """Sends AuthenticationResponseJSON, or what has become of it, and judges the answer; never raises for one."""
        ...

    def branch(self, account: Account | None = None) -> Visit:
        """The same browser in another thread: its own connection with the same cookies and values, for races.

        account  whose name is typed in it from now on; without it the same as before
        """
        ...

    def close(self) -> None:
        """Ends the visit; set-up that the recipe can undo is undone."""
        ...


class RelyingParty(Protocol):
    """A server under test.

    name    what reports call it
    origin  of the page that the client pretends to be on
    """

    name: str
    origin: str

    def visit(self, account: Account | None = None) -> Visit:
        """A new person, or one who has an account already, in a fresh browser."""
        ...

    def close(self) -> None:
        """Lets go of connections."""
        ...
