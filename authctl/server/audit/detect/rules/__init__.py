"""The rules of detection, one per file."""
