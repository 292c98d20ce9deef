"""Makes the README's picture from a real run: `make docs`."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

COMMANDS = (["authctl", "simulate", "login"],)
TARGET = Path(__file__).parent / "images" / "simulate-login.svg"
WIDTH = 100


def run_in_terminal(command: list[str], *, width: int = WIDTH, cwd: Path | None = None, **variables: str) -> str:
    """What the command shows on a terminal of its own."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(width), **variables}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=cwd) as process:
        os.close(theirs)
        shown = bytearray()
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the other end was closed
                break
            if not piece:
                break
            shown += piece
        process.wait()
    return shown.decode("utf-8", "replace").replace("\r\n", "\n")


def main() -> None:
    """Writes the picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for command in COMMANDS:
        console.print(Text(f"$ {' '.join(command)}", style="bold"))
        console.print(Text.from_ansi(run_in_terminal([sys.executable, "-m", *command])))
    picture = console.export_svg(title="authctl")
    # Without the fonts from elsewhere: the picture shows the reader's own, and asks nobody.
    picture = re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    picture = re.sub(r"\s*<!-- Generated.*?-->", "", picture)
    TARGET.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
