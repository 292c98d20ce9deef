"""A program that serves, for tests that send it signals. Arguments: a directory, and JSON with settings and options."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from authctl.server.connection_limits import ConnectionLimits
from authctl.server.running import serve
from authctl.settings import load_settings


def say(word: str) -> None:
    """A line that the test waits for."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    """Serves until a signal comes."""
    directory, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    settings: dict[str, Any] = {"rate_limits": False, "authenticator_attachment": "any", **options.pop("settings", {})}
    limits = ConnectionLimits(**options.pop("limits", {}))
    serve(load_settings(environ={}, cwd=directory, **settings), on_started=say, limits=limits, **options)
    say("done")


if __name__ == "__main__":
    main()
