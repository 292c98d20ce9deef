"""What a case takes before it can be played: an authenticator, options of the server, abilities of the harness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from authctl.virtual_authenticator.errors import NotSupported

REGISTRATION: Final = "registration"
AUTHENTICATION: Final = "authentication"

CAPABILITIES: Final[dict[str, str]] = {
    "usernameless": "a login can be begun without naming the user",
    "named-login": "a login is begun for the user who is named",
    "two-users": "two people can have accounts at the same time",
    "accounts": "an account is its owner's, and strangers add no passkeys to it",
    "another-registration": "whoever has an account can begin another registration",
    "second-passkey": "somebody with an account can add a passkey",
    "expiry": "the time of a ceremony can be let pass",
    "delete-passkey": "a passkey can be removed",
    "disable-user": "an account can be disabled",
    "delete-user": "an account can be deleted",
    "framing": "a page of another origin may frame the ceremony",
    "related-origin": "a related origin is configured",
    "no-anchors": "no trust anchor is configured for attestation",
    "trusted-root": "the root of the harness is trusted for attestation",
    "attestation-required": "registrations without attestation are refused",
    "conditional-create": "the options are for a conditional creation",
}
"""What a harness may be able to do with a server, or have configured there; said of it, since no message tells."""
TAKES_STEPS: Final = ("expiry", "delete-passkey", "delete-user", "disable-user")
"""Those that somebody has to do something for, by requests of a recipe or functions of a test."""
TAKES_TEXT: Final = ("trusted-root", "related-origin")
"""Those that are something at the server which a harness has to know as well: the seed of the root, the origin."""


@dataclass(frozen=True, slots=True)
class Needs:
    """The needs of one case.

    preset, algorithm, attestation  of the authenticator; without a format it states nothing, which hides no fault
    uv                              values of `userVerification` in the options, any of which will do; empty for all
    top_origin                      the page around the client's frame
    logins                          how many logins are accepted before the one under attack
    is_named                        whether the login is begun for a user
    can                             capabilities, see CAPABILITIES
    settings                        of authctl's own service, where its defaults do not show the case
    """

    preset: str = "platform"
    algorithm: str = "ES256"
    attestation: str | None = None
    uv: frozenset[str] = frozenset()
    top_origin: str | None = None
    logins: int = 1
    is_named: bool = True
    can: frozenset[str] = frozenset()
    settings: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Needs:
        """Needs as the data file writes them, separated by blanks; NAME=value are settings."""
        given = dict(word.split("=", 1) for word in text.split())
        names = {"preset", "algorithm", "attestation", "uv", "top-origin", "logins", "user", "can"}
        unknown = [name for name in given if not name.isupper() and name not in names]
        if unknown:
            raise NotSupported(f"A case cannot need {unknown[0]!r}")
        can = frozenset(filter(None, given.get("can", "").split(",")))
        is_named = given.get("user", "named") == "named"
        return cls(
            preset=given.get("preset", "platform"),
            algorithm=given.get("algorithm", "ES256"),
            attestation=given.get("attestation"),
            uv=frozenset(filter(None, given.get("uv", "").split(","))),
            top_origin=given.get("top-origin"),
            logins=int(given.get("logins", "1")),
            is_named=is_named,
            can=can if is_named else can | {"usernameless"},
            settings=tuple(sorted((name, value) for name, value in given.items() if name.isupper())),
        )
