"""The terminal edge: one file per command."""
