"""The examples are run by a test, each in a folder and a process of its own."""

from __future__ import annotations

collect_ignore = ["examples"]
