"""Measures questions, export and verification on a large trail beside the `sqlite3` shell, and logins beside it."""

from __future__ import annotations

import asyncio
import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import authctl
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage.event_query import EventFilter, select_events, spelled_out
from authctl.server.storage.reader import open_reader
from bench.connection import Connection
from bench.load import Figures, drive, login, make_person, register
from bench.questions import questions
from bench.service import Service
from bench.trail import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.load import Person
    from bench.questions import Question

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("list",),
    ("failed-logins",),
    ("multi-ip", "--since", "1d"),
    ("multi-ip",),
    ("denied",),
    ("admin-access",),
    ("user", "user7@example.com"),
    ("summary", "--since", "1d"),
    ("summary",),
    ("detect", "--since", "1d"),
)
EXPORTS = ("jsonl", "csv")
_CONNECTIONS = 16
# A process begins with the memory of the one that starts it as its peak: that has to be a small one.
_LAUNCHER = """
import json, os, sys, time
started = time.perf_counter()
nowhere = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=nowhere)
_, status, usage = os.wait4(pid, 0)
seconds, cpu = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
print(json.dumps([seconds, cpu, usage.ru_maxrss, os.waitstatus_to_exitcode(status)]))
"""
_JSON_LINE = "SELECT json_object({}) FROM ({});"


def measure_trail(rows: int, repeat: int, seconds: float, keep: Path | None) -> Iterator[dict[str, object]]:
    """Everything, one row after the other.

    rows     events of the trail, unless `keep` holds one already
    repeat   runs of each question
    seconds  of each of the rounds of logins
    """
    with tempfile.TemporaryDirectory(prefix="authctl-bench-") as temporary:
        directory = Path(temporary) if keep is None else keep / "trail"
        directory.mkdir(parents=True, exist_ok=True)
        database = directory / "app.db"
        if not database.exists():
            yield build(directory, rows)
        _authctl(directory, "db", "upgrade")
        compileall.compile_dir(str(Path(authctl.__file__).parent), quiet=1)
        yield from _ask(database, repeat)
        yield from _run_commands(directory, repeat)
        yield from _export(directory, database)
        yield from asyncio.run(_log_in(directory, seconds))


def _ask(database: Path, rounds: int) -> Iterator[dict[str, object]]:
    """Query times within one process, and those of the shell for the same SQL, its own start taken off."""
    start = min(_shell(database, "SELECT 1;") for _ in range(rounds))
    with closing(open_reader(f"sqlite:///{database}")) as reader:
        source = DatabaseSource(reader)
        for question in questions(datetime.now(UTC)):
            answers = [_answer(source, question) for _ in range(rounds)]
            wall = sorted(seconds for _, seconds, _ in answers)
            text = spelled_out(question.sql())
            # The shell lacks the function that tells IPv6 networks apart.
            shell = None if "in_network" in text else min(_shell(database, f"{text};") for _ in range(2)) - start
            yield {
                "what": question.name,
                "rows": answers[0][0],
                "p50_ms": _ms(statistics.median(wall)),
                "p95_ms": _ms(wall[int(len(wall) * 0.95)]),
                "cpu_ms": _ms(min(cpu for _, _, cpu in answers)),
                "shell_ms": None if shell is None else _ms(shell),
                "is_indexed": question.is_indexed,
            }


def _answer(source: DatabaseSource, question: Question) -> tuple[int, float, float]:
    cpu, started = time.process_time(), time.perf_counter()
    if question.by:
        count = len(source.groups(question.wanted, question.by, top=question.top))
    else:
        count = sum(1 for _ in source.events(question.wanted))
    return count, time.perf_counter() - started, time.process_time() - cpu


def _run_commands(directory: Path, rounds: int) -> Iterator[dict[str, object]]:
    """From the command to its end, as somebody at a terminal waits for it."""
    for command in COMMANDS:
        runs = [_authctl(directory, "audit", *command) for _ in range(rounds)]
        yield {"what": f"authctl audit {' '.join(command)}", **_figures(runs)}
    run = _authctl(directory, "audit", "verify", "--format", "json")
    yield {"what": "authctl audit verify", **_figures([run]), "rows_per_second": round(_rows(directory) / run[0])}


def _export(directory: Path, database: Path) -> Iterator[dict[str, object]]:
    """Whole trails, beside what the shell takes to write the same columns."""
    sql = select_events(EventFilter(newest_first=False), "sqlite")
    columns = ", ".join(f"'{name}', {name}" for name in sql.text.splitlines()[0].removeprefix("SELECT ").split(", "))
    shells = {
        "csv": _shell(database, f"{sql.text};", "-csv"),
        "jsonl": _shell(database, _JSON_LINE.format(columns, sql.text)),
    }
    start = _authctl(directory, "audit", "export", "--format", "jsonl", "--until", "2000-01-01")
    for name in EXPORTS:
        run = _authctl(directory, "audit", "export", "--format", name)
        row = {
            "what": f"authctl audit export --format {name}",
            **_figures([run]),
            "over_start_mb": round((run[2] - start[2]) / 1024, 1),
        }
        shell = shells.get(name)
        yield row if shell is None else row | {"shell_s": round(shell, 2), "ratio": round(run[0] / shell, 2)}


async def _log_in(directory: Path, seconds: float) -> list[dict[str, object]]:
    """Logins on the large trail and on an empty one, in turns, each with a service of its own."""
    with Service() as empty, Service(directory=directory) as full:
        services = {"empty": empty, "full": full}
        people = {name: await _registered(service) for name, service in services.items()}
        rounds: dict[str, list[Figures]] = {name: [] for name in services}
        for number in range(4):
            for name, service in services.items():
                own = people[name]

                def who(slot: int, turn: int, own: list[Person] = own) -> Person:
                    return own[slot + _CONNECTIONS * (turn % 4)]

                figures = await drive(service, "login", _CONNECTIONS, seconds, login, who)
                if number:  # the first round warms up
                    rounds[name].append(figures)
    found: list[dict[str, object]] = []
    for name, taken in rounds.items():
        latencies = sorted(one for figures in taken for one in figures.latencies)
        count = len(latencies)
        found.append(
            {
                "what": f"login, {name} trail",
                "per_second": round(count / sum(figures.seconds for figures in taken), 1),
                "p95_ms": _ms(latencies[int(count * 0.95)]),
                "server_cpu_ms": _ms(sum(figures.cpu_seconds for figures in taken) / count),
            }
        )
    return found


async def _registered(service: Service) -> list[Person]:
    base = time.time_ns() // 1_000_000  # nobody registers twice on a trail that is kept
    people = [make_person(service.port, base + number) for number in range(4 * _CONNECTIONS)]
    connection = await Connection(service.port).open()
    for person in people:
        await register(connection, person)
    await connection.close()
    return people


def _authctl(directory: Path, *words: str) -> tuple[float, float, int]:
    """Seconds, CPU seconds and peak memory in KiB of a command that has to end well or with findings."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", _LAUNCHER, sys.executable, "-m", "authctl", *words],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, cpu, memory, status = json.loads(done.stdout)
    if status not in (0, 1):
        raise RuntimeError(f"authctl {' '.join(words)} ended with {status}: {done.stderr}")
    return seconds, cpu, memory


def _figures(runs: list[tuple[float, float, int]]) -> dict[str, object]:
    return {
        "seconds": round(statistics.median(seconds for seconds, _, _ in runs), 3),
        "cpu_s": round(min(cpu for _, cpu, _ in runs), 3),
        "peak_mb": round(max(memory for _, _, memory in runs) / 1024, 1),
    }


def _shell(database: Path, sql: str, *options: str) -> float:
    """Seconds that the `sqlite3` shell takes, its own start included."""
    started = time.perf_counter()
    subprocess.run(["sqlite3", *options, str(database), sql], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def _rows(directory: Path) -> int:
    with closing(open_reader(f"sqlite:///{directory / 'app.db'}")) as reader:
        return DatabaseSource(reader).groups(EventFilter(), ())[0].total


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 2)
