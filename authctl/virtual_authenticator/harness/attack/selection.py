"""Chooses cases by name, layer, force and tier."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from authctl.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from authctl.virtual_authenticator.faults.cases import Case

_SUGGESTIONS: Final = 3
_SIMILARITY: Final = 0.5


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted; an empty member wants everything.

    patterns  ids or names, in which `*` and `?` stand for anything
    ceremony  registration or authentication
    most      how many cases at most, from the first on; None for all
    """

    patterns: tuple[str, ...] = ()
    layers: frozenset[str] = frozenset()
    forces: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    ceremony: str = ""
    most: int | None = None

    def of(self, cases: Sequence[Case]) -> tuple[Case, ...]:
        """The chosen cases in their order; NotFound, with the nearest names, when a pattern fits none of them."""
        for pattern in self.patterns:
            if not any(_fits(case, pattern) for case in cases):
                raise _nothing_like(pattern, cases)
        return tuple(case for case in cases if self._wants(case))[: self.most]

    def _wants(self, case: Case) -> bool:
        return (
            (not self.patterns or any(_fits(case, pattern) for pattern in self.patterns))
            and (not self.layers or case.layer in self.layers)
            and (not self.forces or case.force in self.forces)
            and (not self.tiers or case.tier in self.tiers)
            and self.ceremony in ("", case.ceremony)
        )


def named(name: str, cases: Sequence[Case]) -> tuple[Case, ...]:
    """The cases with exactly this name or id: one, or all that share the id; NotFound with the nearest names."""
    wanted = name.strip().lower()
    found = tuple(case for case in cases if case.name.lower() == wanted)
    found = found or tuple(case for case in cases if case.id.lower() == wanted)
    if not found:
        raise _nothing_like(name, cases)
    return found


def _fits(case: Case, pattern: str) -> bool:
    wanted = pattern.strip().lower()
    return fnmatchcase(case.name.lower(), wanted) or fnmatchcase(case.id.lower(), wanted)


def _nothing_like(name: str, cases: Sequence[Case]) -> NotFound:
    near = _nearest(name.strip().lower(), [case.name for case in cases])
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return NotFound(f"No attack is called {name}", hint=f"{hint}`authctl simulate attack list` shows all of them")


def _nearest(name: str, names: Iterable[str]) -> list[str]:
    by_lower = {one.lower(): one for one in names}
    bare = name.strip("*?")
    # What somebody remembers is more often a piece of the name than a misspelling of the whole.
    containing = [one for one in by_lower if len(bare) > 2 and bare in one]
    close = get_close_matches(name, by_lower, n=_SUGGESTIONS, cutoff=_SIMILARITY)
    return [by_lower[one] for one in dict.fromkeys([*containing[:_SUGGESTIONS], *close])][:_SUGGESTIONS]
