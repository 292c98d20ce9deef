"""Events that nobody asked for: the trail tells them of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.server.audit.events import Caller, Event, EventType

if TYPE_CHECKING:
    from authctl.server.audit.file_sink import Change

OURSELVES = Caller(address=None, peer_address=None, user_agent=None, request_id=None, actor="authctl")
"""Who is behind them."""


def checkpoint_event(caller: Caller = OURSELVES) -> Event:
    """What to record for a checkpoint; the journal fills in the heads and signs."""
    return Event(EventType.CHECKPOINT, True, caller, "The ends of all chains that have moved were signed")


def gap_event(change: Change, path: str) -> Event:
    """The audit file was damaged."""
    what = change.value.removeprefix("file_").replace("_", " ")
    details = f"The audit file {path} was found damaged: {what}. What it lacks is written again from the table"
    return Event(EventType.AUDIT_GAP, False, OURSELVES, details, reason=change.value)
