"""`authctl audit`: ask the audit trail, and check that nobody altered it."""

from __future__ import annotations

from authctl.commands._lazy import Lazy, LazyGroup

group = LazyGroup(
    {
        "list": Lazy("authctl.commands.audit.list:list_events", "List events, newest first."),
        "failed-logins": Lazy(
            "authctl.commands.audit.failed_logins:failed_logins", "List logins that failed, newest first."
        ),
        "multi-ip": Lazy(
            "authctl.commands.audit.multi_ip:multi_ip",
            "List users who logged in from two or more addresses.",
        ),
        "denied": Lazy(
            "authctl.commands.audit.denied:denied",
            "List access that was refused, and whose record was wanted.",
        ),
        "admin-access": Lazy(
            "authctl.commands.audit.admin_access:admin_access",
            "List which admin looked at whose record, newest first.",
        ),
        "user": Lazy("authctl.commands.audit.user:user", "List everything about one person, newest first."),
        "show": Lazy("authctl.commands.audit.show:show", "Show one event with all its members."),
        "summary": Lazy("authctl.commands.audit.summary:summary", "Show the trail at a glance."),
        "tail": Lazy(
            "authctl.commands.audit.tail:tail", "Show the last events, oldest first, and with -f each new one."
        ),
        "detect": Lazy("authctl.commands.audit.detect:detect", "Look for attacks and carelessness in the trail."),
        "export": Lazy("authctl.commands.audit.export:export", "Write events for another program, once or as a feed."),
        "archive": Lazy(
            "authctl.commands.audit.archive:archive",
            "Move old events into Parquet files by month, with a signed manifest.",
        ),
        "verify": Lazy("authctl.commands.audit.verify:verify", "Check that the audit trail is intact."),
        "checkpoint": Lazy("authctl.commands.audit.checkpoint:checkpoint", "Sign what the audit trail holds now."),
        "repair-file": Lazy(
            "authctl.commands.audit.repair_file:repair_file",
            "Mend the log file from the table, or the table from files.",
        ),
        "prune": Lazy("authctl.commands.audit.prune:prune", "Remove old events for good."),
    },
    name="audit",
    help="Ask the audit trail, and check that nobody altered it.\n\nExample: authctl audit list --since 24h --failure",
)
