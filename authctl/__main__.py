"""`python -m authctl` and the console script."""

from __future__ import annotations

import io
import os
import sys


def main() -> None:
    """Runs one command line and exits."""
    _open_missing_streams()
    from authctl.cli import app  # looks at stdout while it is imported

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal in an old locale gets visible escapes where it has no letter, not an exception.
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="authctl")


def _open_missing_streams() -> None:
    # A file opened while 1 or 2 are free would receive what is meant for the person.
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


if __name__ == "__main__":
    main()
