"""Signature counter policies: how the counter of a credential moves from one signature to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authctl.virtual_authenticator.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGEST: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Counts:
    """Where the counters stand: that of the credential, and the one all credentials of the authenticator share."""

    own: int
    shared: int


@dataclass(frozen=True, slots=True)
class CounterPolicy:
    """A rule by name; `value` is the number of `fixed`, or where `rollback` starts."""

    name: str
    value: int = 0

    def __post_init__(self) -> None:
        if self.name not in POLICIES:
            raise NotSupported(f"There is no counter policy {self.name!r}", hint="One of: " + ", ".join(POLICIES))
        if not 0 <= self.value <= _LARGEST:
            raise NotSupported("A signature counter has 32 bits")

    @classmethod
    def parse(cls, text: str) -> CounterPolicy:
        """The policy written as NAME or NAME:VALUE; NotSupported when there is no such policy."""
        name, _, value = text.partition(":")
        if value and not (value.isascii() and value.isdigit()):
            raise NotSupported(f"{text!r} is no counter policy", hint="NAME or NAME:VALUE, for example rollback:10")
        return cls(name, int(value or 0))

    def first(self, shared: int) -> int:
        """The counter of a new credential, given the shared counter."""
        return POLICIES[self.name].first(self, shared) & _LARGEST

    def next(self, counts: Counts) -> Counts:
        """Where the counters stand after one more signature."""
        counts = POLICIES[self.name].next(self, counts)
        return Counts(counts.own & _LARGEST, counts.shared & _LARGEST)


@dataclass(frozen=True, slots=True)
class _Rule:
    first: Callable[[CounterPolicy, int], int]
    next: Callable[[CounterPolicy, Counts], Counts]


def _together(count: int) -> Counts:
    return Counts(count, count)


POLICIES: Final[dict[str, _Rule]] = {
    # No counter at all, as synced passkeys have it.
    "zero": _Rule(lambda _, __: 0, lambda _, counts: Counts(0, counts.shared)),
    "per-credential": _Rule(lambda _, __: 0, lambda _, counts: Counts(counts.own + 1, counts.shared)),
    # One counter for all credentials of a device, as older security keys have it.
    # A credential that came from elsewhere may be ahead of it.
    "global": _Rule(lambda _, shared: shared, lambda _, counts: _together(max(counts.own, counts.shared) + 1)),
    # A device that never moves: what a restored copy looks like.
    "fixed": _Rule(lambda policy, _: policy.value, lambda policy, counts: Counts(policy.value, counts.shared)),
    # A device that goes back with each signature: what a clone looks like.
    "rollback": _Rule(lambda policy, _: policy.value, lambda _, counts: Counts(max(0, counts.own - 1), counts.shared)),
}

NO_COUNTER: Final = CounterPolicy("zero")
PER_CREDENTIAL: Final = CounterPolicy("per-credential")
GLOBAL: Final = CounterPolicy("global")
