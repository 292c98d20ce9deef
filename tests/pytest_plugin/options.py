"""How runs of pytest inside of tests are started, and what has to be loaded before the first of them."""

from __future__ import annotations

from typing import Final

import httpcore2

from authctl import testing

LOADED: Final = (testing, httpcore2)
"""A run in this process forgets what it has loaded. cryptography cannot be loaded twice, and httpx2 remembers the first
httpcore2 and its errors."""

# hypothesis and schemathesis would be loaded by every run anew.
OPTIONS: Final = ("-W", "error", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:schemathesis")
