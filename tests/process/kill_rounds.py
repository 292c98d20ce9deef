"""Kills the server under load, again and again, and holds what it told its clients against what it kept.

    python -m tests.process.kill_rounds --rounds 200

Clients register, log in and look at themselves, and keep a journal of the answers they got. After each kill the trail
is verified as it was left, the server is started again, and the journal is compared with the tables: nothing that was
answered may be missing, and no challenge may work twice.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2

from tests.builders import Visitor
from tests.process.site import Site, site
from tests.process.tables import Tables

CLIENTS: Final = 4
LOGINS_EACH: Final = 3
REPLAYS: Final = 5
"""Answered completions of each client that are sent once more after the restart: the newest ones."""
EARLIEST, LATEST = 0.05, 0.8
"""Seconds of load before the kill."""
COMPLETIONS: Final = ("/register/complete", "/login/complete")


@dataclass
class Entry:
    """A request and what the client knows of its fate; without an answer its status is 0."""

    path: str
    document: Any
    status: int = 0
    request_id: str = ""


@dataclass
class Journal:
    """What one client was told, in order. Stands between a visitor and the server."""

    origin: str
    client: httpx2.Client
    entries: list[Entry] = field(default_factory=list)

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """Sends a request; its answer counts as given once it was read as a whole."""
        entry = Entry(path, arguments.get("json"))
        self.entries.append(entry)
        answer = self.client.request(method, self.origin + path, **arguments)
        entry.status, entry.request_id = answer.status_code, answer.headers["x-request-id"]
        return answer

    def completions(self, email: str, path: str) -> list[Entry]:
        """What was sent to complete a ceremony of this e-mail."""
        return [entry for entry in self.entries if entry.path == path and entry.document["email"] == email]


@dataclass
class Report:
    """What came of all rounds."""

    rounds: int = 0
    answered: int = 0
    unanswered: int = 0
    replayed: int = 0
    faults: list[str] = field(default_factory=list)
    seconds_to_ready: list[float] = field(default_factory=list)


class Client(threading.Thread):
    """Lives until the server is gone: one person after the other, each with a few logins."""

    def __init__(self, origin: str, name: str) -> None:
        super().__init__(daemon=True)
        self.journal = Journal(origin, httpx2.Client(trust_env=False, verify=False, timeout=5))
        self.name = name
        self.visitors: list[Visitor] = []
        self.surprise: Exception | None = None

    def run(self) -> None:
        """Until a request gets no answer."""
        try:
            while True:
                self._live(Visitor(self.journal, f"{self.name}-{len(self.visitors)}@example.com"))
        except httpx2.TransportError:
            return  # killed: that is what this is about
        except Exception as error:  # told by the main thread
            self.surprise = error
        finally:
            self.journal.client.close()

    def _live(self, visitor: Visitor) -> None:
        self.visitors.append(visitor)
        visitor.register()
        for _ in range(LOGINS_EACH):
            visitor.log_in()
            visitor.see()


def run_rounds(place: Site, rounds: int, seed: int, workers: int = 1) -> Report:
    """All rounds; the server is running at the end. What is wrong stands in the report."""
    report = Report()
    moments = random.Random(seed)  # noqa: S311  the same moments in every run
    report.seconds_to_ready.append(place.start("--workers", str(workers)))
    for number in range(rounds):
        clients = [Client(place.origin, f"round{number}-client{index}") for index in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(moments.uniform(EARLIEST, LATEST))
        place.kill()
        for client in clients:
            client.join(20)
        _verify(place, report, f"round {number}, as the kill left it")
        report.seconds_to_ready.append(place.start("--workers", str(workers)))
        report.rounds += 1
        _compare(place, clients, report)
    return report


def _verify(place: Site, report: Report, when: str) -> None:
    verified = place.command("audit", "verify")
    if verified.returncode != 0:
        report.faults.append(f"{when}: the trail does not verify: {verified.stdout}{verified.stderr}")


def _compare(place: Site, clients: list[Client], report: Report) -> None:
    with Tables(place.database) as tables:
        report.faults += tables.contradictions()
        for client in clients:
            if client.surprise is not None:
                report.faults.append(f"{client.name}: {client.surprise!r}")
            _compare_answers(client.journal, tables, report)
            for visitor in client.visitors[-2:]:
                _replay(place, visitor, client.journal, tables, report)
        report.faults += tables.contradictions()


def _compare_answers(journal: Journal, tables: Tables, report: Report) -> None:
    """I1: whatever was answered has its event, once."""
    for entry in journal.entries:
        if entry.status == 0:
            report.unanswered += 1
            continue
        report.answered += 1
        if entry.status not in (200, 201):
            report.faults.append(f"{entry.path} was answered with {entry.status}")
        elif tables.outcomes(entry.request_id) != [1]:
            report.faults.append(f"{entry.path} was answered, and has the events {tables.outcomes(entry.request_id)}")


def _replay(place: Site, visitor: Visitor, journal: Journal, tables: Tables, report: Report) -> None:
    """I2: an answered completion is refused; one without an answer works exactly when it left nothing behind."""
    for path in COMPLETIONS:
        entries = journal.completions(visitor.email, path)
        kept = tables.successes(visitor.email, path)
        for entry in entries[-REPLAYS:]:
            was_done = entry.status != 0 or kept == len(entries)
            first = place.call("POST", path, json=entry.document).status_code
            second = place.call("POST", path, json=entry.document).status_code
            report.replayed += 1
            expected = (REFUSED if was_done else DONE)[path], REFUSED[path]
            if (first, second) != expected:
                report.faults.append(f"{path} sent again was answered with {first} and {second}, not {expected}")


REFUSED: Final = {"/register/complete": 400, "/login/complete": 401}
DONE: Final = {"/register/complete": 201, "/login/complete": 200}


def main() -> int:
    """Runs as many rounds as asked for, and tells what came of them; 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description="Kill the server under load and compare what it kept.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, site(Path(directory) / "site") as place:
        report = run_rounds(place, options.rounds, options.seed, options.workers)
        place.stop()
        _verify(place, report, "after a stop in order")
    times = sorted(report.seconds_to_ready)
    sys.stdout.write(
        f"{report.rounds} rounds, {report.answered} answers, {report.unanswered} requests without one, "
        f"{report.replayed} replayed, ready within {times[-1]:.2f} s, {len(report.faults)} faults\n"
    )
    sys.stdout.writelines(f"{fault}\n" for fault in report.faults)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
