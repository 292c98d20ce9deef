"""Writes down an analyst's session on a simulated week: `make docs`."""

from __future__ import annotations

import re
import shlex
import sys
import tempfile
from pathlib import Path

from docs.picture import run_in_terminal
from tests.journeys.week import simulate_week

WIDTH = 116
TARGET = Path(__file__).parent / "a-week.md"
SINCE = "--since 2026-11-09 --until 2026-11-16"

HEAD = """# A week, and a Monday after it

Two hundred people register and log in for a week, all with real ceremonies of the software authenticator. Some present
the wrong finger. At night somebody tries forged signatures on one account, somebody else goes through a list of
addresses; one passkey is a copy, and one user is curious. What follows is what an analyst types on Monday, and what the
terminal shows. `make docs` lives through the week again and writes this page.
"""

QUESTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("What happened?", (f"audit summary {SINCE}",)),
    ("Is somebody attacking us?", (f"audit detect {SINCE}",)),
    (
        "From where do failed logins come, and did they get in?",
        (
            f"audit failed-logins {SINCE} --count-by ip_address --limit 5",
            f"audit list {SINCE} --ip 203.0.113.66 --event login_complete --success",
            f"audit list {SINCE} --ip 2001:db8:bad::/48 --event login_complete --success",
        ),
    ),
    (
        "Who logs in from several places, who asked for what is not theirs, and which admin looked at whom?",
        (
            f"audit multi-ip {SINCE}",
            f"audit denied {SINCE} --count-by user_email",
            f"audit admin-access {SINCE} --limit 5",
        ),
    ),
    ("What about the one with the copied passkey?", (f"audit user tom.becker@example.com {SINCE} --limit 8",)),
    ("Has somebody touched the trail?", ("audit verify", "audit checkpoint --output monday.json")),
    (
        "The week for the SIEM, and the place where the next export goes on.",
        (f"audit export {SINCE} --format ecs --output week.ecs.jsonl --position siem.cursor",),
    ),
    (
        "A user asks to be forgotten.",
        (
            "users erase maria.silva@example.com --yes",
            "audit list --user maria.silva@example.com",
            "audit verify --checkpoint monday.json",
        ),
    ),
)


def answer(words: str, directory: Path) -> str:
    """What a terminal shows of the command."""
    command = [sys.executable, "-m", "authctl", *shlex.split(words)]
    shown = run_in_terminal(
        command, width=WIDTH, cwd=directory, TZ="UTC", NO_COLOR="1", PYTHONPATH=str(Path(__file__).parent.parent)
    )
    text = shown.replace(str(directory), ".").rstrip()
    # Progress that has come and gone is a matter of the moment.
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|(?m:^.*\r(?!\n))", "", text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def main() -> None:
    """Writes the page."""
    parts = [HEAD]
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        simulate_week(directory)
        for heading, commands in QUESTIONS:
            parts.append(f"\n## {heading}\n")
            for words in commands:
                shown = re.sub(r"(?m)^", "    ", answer(words, directory)).replace("    \n", "\n")
                parts.append(f"\n    $ authctl {words}\n{shown}\n")
    TARGET.write_text("".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
