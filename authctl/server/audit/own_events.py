"""Events that nobody asked for: the trail tells them of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authctl.server.audit.events import Caller, Event, EventType

if TYPE_CHECKING:
    from authctl.server.audit.file_sink import Change

OURSELVES = Caller(address=None, peer_address=None, user_agent=None, request_id=None, actor="authctl")
"""Who is behind them."""


def checkpoint_event(caller: Caller = OURSELVES) -> Event:
    """What to record for a checkpoint; the journal fills in the heads and signs."""
    return Event(EventType.CHECKPOINT, True, caller, "The ends of all chains that have moved were signed")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something happened to the audit file."""

    reason: str
    details: str


def damage(change: Change, path: str) -> Gap:
    """The file was found damaged."""
    what = change.value.removeprefix("file_").replace("_", " ")
    return Gap(
        change.value, f"The audit file {path} was found damaged: {what}. What it lacks is written again from the table"
    )


def lines_cut(path: str, count: int, writer_id: str, first: int) -> Gap:
    """Lines were taken back whose rows were never committed, or were cut off the table since."""
    noun = "line" if count == 1 else "lines"
    where = f"from row {first} of writer {writer_id} on"
    details = f"{count} {noun} at the end of the audit file {path} had no rows in the table, {where}, and were cut off"
    return Gap("file_ahead_of_table", details)


def gap_event(gap: Gap) -> Event:
    """What to record for it."""
    return Event(EventType.AUDIT_GAP, False, OURSELVES, gap.details, reason=gap.reason)
