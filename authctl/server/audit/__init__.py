"""The audit trail: what happened, chained so that a later change shows."""
