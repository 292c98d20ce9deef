"""What a load is to do: which operations, by how many people, how many at a time, for how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from authctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_SECONDS: Final = 24 * 3600.0
"""No load goes on for longer, whatever was asked for."""
_MOST_WEIGHT: Final = 1_000_000


class Operation(StrEnum):
    """What people do over and over again."""

    LOGIN = "login"
    REGISTER = "register"
    READ = "read"


LOGINS: Final[Mapping[Operation, int]] = {Operation.LOGIN: 1}


@dataclass(frozen=True, slots=True)
class Plan:
    """One load.

    users        who have an account before anything is measured; at least as many as `concurrency`
    concurrency  how many are busy at a time, at most
    mix          how often each operation is chosen, compared with the others
    seconds      how long is measured; None for as long as `count` takes
    count        how many operations are measured; None for as many as there is time for
    ramp         seconds before that, in which the load grows and nothing is measured
    rate         operations per second that are begun whether the server keeps up or not (open model); None has
                 everybody begin again when the answer is there (closed model)
    seed         makes the order of operations the same in every run
    """

    users: int = 20
    concurrency: int = 10
    mix: Mapping[Operation, int] = field(default_factory=lambda: LOGINS)
    seconds: float | None = 10.0
    count: int | None = None
    ramp: float = 0.0
    rate: float | None = None
    seed: str | None = None

    def __post_init__(self) -> None:
        if self.users < self.concurrency:
            raise UsageError(
                f"{self.users} users cannot be {self.concurrency} at a time: each has one browser",
                hint=f"--users {self.concurrency}",
            )


def parse_mix(text: str) -> dict[Operation, int]:
    """The mix that is written as login=8,register=1,read=1; UsageError when it cannot be understood."""
    mix: dict[Operation, int] = {}
    for part in text.split(","):
        name, equals, weight = (word.strip() for word in part.partition("="))
        if name not in tuple(Operation):
            raise UsageError(f"{name!r} is none of {', '.join(Operation)}", hint="--mix login=8,register=1,read=1")
        number = _weight(weight if equals else "1")
        if number is None:
            raise UsageError(f"{weight!r} does not say how often", hint="a whole number: --mix login=8,register=1")
        if number:
            mix[Operation(name)] = mix.get(Operation(name), 0) + number
    if not mix:
        raise UsageError("A mix of nothing is no load", hint="--mix login=1")
    return mix


def _weight(text: str) -> int | None:
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_MOST_WEIGHT)):
        return None
    return int(text)
