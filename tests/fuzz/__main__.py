"""`make fuzz`: a long run with cases of its own, under a seed that repeats it."""

from __future__ import annotations

import argparse
import secrets
import sys

from tests.fuzz.fuzzing import fuzz


def say(line: str) -> None:
    """Writes at once: a long run is watched."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Says what came of it; 1 when something was not as described."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    asked = parser.parse_args()
    say(f"seed {asked.seed}")
    findings = fuzz(asked.cases, asked.seed, say=say)
    for (label, status), number in sorted(findings.answers.items()):
        say(f"{number:8} {status} {label}")
    for what, sample in findings.failures.items():
        say(f"\n{what}\n    {sample}")
    return 1 if findings.failures else 0


if __name__ == "__main__":
    sys.exit(main())
