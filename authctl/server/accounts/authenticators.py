"""What a passkey is called: the name of its authenticator's model, from a list that is read when it is first asked."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authctl.server.accounts.normalising import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Collection

DATA: Final = Path(__file__).with_name("aaguids")
"""The list, with its source and licence; `docs/authenticator_names.py` makes it."""
UNKNOWN: Final = "Passkey"

__all__ = ["DATA", "LONGEST_NAME", "UNKNOWN", "authenticator_name", "default_name"]


def authenticator_name(aaguid: str) -> str | None:
    """The model that an AAGUID stands for; None for one that is not listed, or for the zeros of whoever hides theirs.

    It is what the authenticator says of itself: good for telling one's passkeys apart, and for no decision.
    """
    return _names().get(aaguid)


def default_name(aaguid: str, taken: Collection[str] = ()) -> str:
    """What a new passkey is called until its owner says otherwise, with a number when that is taken."""
    name = authenticator_name(aaguid) or UNKNOWN
    if name not in taken:
        return name
    # One of these is free, for there are more of them than names that are taken.
    numbered = (f"{name[: LONGEST_NAME - 4]} {number}" for number in range(2, len(taken) + 3))
    return next(name for name in numbered if name not in taken)


@cache
def _names() -> dict[str, str]:
    lines = (DATA / "names.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines)
