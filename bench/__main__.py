"""`python -m bench`: measures logins, start-up and what analysts ask, and prints one JSON line each."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
from pathlib import Path

from bench.archive import measure_archive
from bench.audit import measure_trail
from bench.connection import Connection
from bench.load import Person, begin, drive, login, make_person, read, register
from bench.service import Service
from bench.timing import compare


def main() -> None:
    """Parses the command line and measures what it names."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "what", nargs="*", default=["load", "start", "timing"], help="load, start, timing, audit, archive"
    )
    parser.add_argument("--connections", default="1,16,64")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--people", type=int, default=64)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=1_000_000, help="events of the trail or the archive")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each question")
    parser.add_argument("--keep", type=Path, help="directory of the trail or the archive, to be used again")
    arguments = parser.parse_args()
    if "start" in arguments.what:
        show(measure_start())
    if "load" in arguments.what:
        asyncio.run(measure_load(arguments))
    if "archive" in arguments.what:
        for row in measure_archive(arguments.rows, arguments.repeat, arguments.keep):
            show(row)
    if "timing" in arguments.what:
        with Service() as service:
            for row in asyncio.run(compare(service.port, arguments.samples)):
                show(row)
    if "audit" in arguments.what:
        for row in measure_trail(arguments.rows, arguments.repeat, arguments.seconds, arguments.keep):
            show(row)


def show(row: dict[str, object]) -> None:
    """One measurement, one line."""
    print(json.dumps(row), flush=True)


def measure_start() -> dict[str, object]:
    """Seconds from the command to its first answer: the very first start, and the median of five later ones."""
    with Service() as service:
        first, later = service.seconds_to_first_answer, []
        for _ in range(5):
            service.stop()
            service.start()
            later.append(service.seconds_to_first_answer)
    return {"what": "start", "first_s": round(first, 3), "later_s": round(statistics.median(later), 3)}


async def measure_load(arguments: argparse.Namespace) -> None:
    """Login, begin, read and registration under 1, 16, 64 connections."""
    with Service(arguments.workers) as service:
        people = await _registered(service, arguments.people)
        fresh = itertools.count(1_000_000)

        def known(slot: int, turn: int) -> Person:
            own = people[slot :: max(1, connections)] or people
            return own[turn % len(own)]

        def new(slot: int, turn: int) -> Person:
            return make_person(service.port, next(fresh))

        for connections in (int(part) for part in arguments.connections.split(",")):
            await drive(service, "warm-up", connections, 1, login, known)
            for act, who in ((login, known), (begin, known), (read, known), (register, new)):
                figures = await drive(service, act.__name__, connections, arguments.seconds, act, who)
                show({**figures.row(), "workers": arguments.workers})
        show({"what": "memory", "pss_mb": round(service.memory_mb(), 1), "workers": arguments.workers})


async def _registered(service: Service, count: int) -> list[Person]:
    connection = await Connection(service.port).open()
    people = [make_person(service.port, number) for number in range(count)]
    for person in people:
        await register(connection, person)
        await login(connection, person)
    await connection.close()
    return people


if __name__ == "__main__":
    main()
