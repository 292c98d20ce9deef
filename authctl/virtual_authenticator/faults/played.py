"""What came of a case: the control, the reactions to the attack, and what the server made of what was sent next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authctl.virtual_authenticator.harness.relying_party import Reaction


class Afterwards(StrEnum):
    """What was sent after the attack.

    LOGIN   a login with the credential that the attack registered
    REPEAT  the valid message that had been altered, for the same challenge
    """

    LOGIN = "login"
    REPEAT = "repeat"


@dataclass(frozen=True, slots=True)
class Story:
    """What a play tells: the reaction to its control and those to the attack, several when they raced."""

    control: Reaction | None
    reactions: tuple[Reaction, ...]

    @classmethod
    def of(cls, control: Reaction | None, *reactions: Reaction) -> Story:
        """The story of these reactions."""
        return cls(control, reactions)


@dataclass(frozen=True, slots=True)
class Played:
    """One case, played.

    control         the reaction to the same ceremony without the fault; None when it was never reached
    reactions       to the attack: one, unless several were sent at once
    afterwards      the reaction to what was sent next, which `followed` names
    is_consumed     whether a refusal used up the challenge; None when that cannot be told
    not_applicable  why the case cannot be played here; empty when it was
    problem         what kept it from being played to its end; empty when nothing did
    """

    control: Reaction | None = None
    reactions: tuple[Reaction, ...] = ()
    afterwards: Reaction | None = None
    followed: Afterwards | None = None
    is_consumed: bool | None = None
    not_applicable: str = ""
    problem: str = ""
