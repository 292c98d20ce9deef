"""`authctl audit`: ask the audit trail, and check that nobody altered it."""

from __future__ import annotations

from authctl.commands._lazy import Lazy, LazyGroup

group = LazyGroup(
    {
        "list": Lazy("authctl.commands.audit.list:list_events", "List events, newest first."),
        "failed-logins": Lazy(
            "authctl.commands.audit.failed_logins:failed_logins", "List logins that failed, newest first."
        ),
        "detect": Lazy("authctl.commands.audit.detect:detect", "Look for attacks and carelessness in the trail."),
        "verify": Lazy("authctl.commands.audit.verify:verify", "Check that the audit trail is intact."),
    },
    name="audit",
    help="Ask the audit trail, and check that nobody altered it.\n\nExample: authctl audit list --since 24h --failure",
)
