"""Every reason that the trail's column `reason` is given by this program, to hold a typed one against."""

from __future__ import annotations

from authctl.server.accounts import account_events
from authctl.server.ceremonies import reasons as ceremonies
from authctl.server.tokens import reasons as tokens

OF_THE_EDGE: tuple[str, ...] = ("invalid_request", "rate_limited")
"""What is refused before any feature sees it."""
KNOWN_REASONS: frozenset[str] = frozenset(
    (*ceremonies.Reason, *tokens.Reason, *account_events.Reason, *OF_THE_EDGE),
)
"""Later versions and other programs may add more: an unknown reason is no mistake unless it nearly is a known one."""
