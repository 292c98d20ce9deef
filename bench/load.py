"""Users with passkeys, and what they do over and over again."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from authctl.virtual_authenticator import Client, VirtualAuthenticator
from bench.connection import Answer, Connection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bench.service import Service


@dataclass(slots=True)
class Person:
    """Somebody with one passkey."""

    email: str
    client: Client
    user_id: str = ""
    token: str = ""


@dataclass(slots=True)
class Figures:
    """One measurement: how many, how fast, at which cost to the server."""

    what: str
    connections: int
    count: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    def row(self) -> dict[str, object]:
        """What is printed."""
        latencies = sorted(self.latencies)
        return {
            "what": self.what,
            "connections": self.connections,
            "per_second": round(self.count / self.seconds, 1),
            "p50_ms": round(1000 * statistics.median(latencies), 2),
            "p99_ms": round(1000 * latencies[int(len(latencies) * 0.99)], 2),
            "server_cpu_ms": round(1000 * self.cpu_seconds / self.count, 3),
        }


def expect(answer: Answer, status: int) -> Any:
    """The parsed body of an answer that has to have this status."""
    if answer.status != status:
        raise RuntimeError(f"expected {status}, got {answer.status}: {answer.body[:300]!r}")
    return answer.json()


def make_person(port: int, number: int) -> Person:
    """Somebody who is not registered yet."""
    return Person(f"person{number}@example.com", Client(VirtualAuthenticator(), f"http://localhost:{port}"))


async def register(connection: Connection, person: Person) -> None:
    """A whole registration ceremony."""
    profile = {"first_name": "Bench", "last_name": "Mark", "date_of_birth": "1990-01-15", "job_title": "Engineer"}
    begun = expect(await connection.post("/register/begin", {**profile, "email": person.email}), 200)
    credential = person.client.create(begun["publicKey"])
    made = expect(await connection.post("/register/complete", {"email": person.email, "credential": credential}), 201)
    person.user_id = made["id"]


async def login(connection: Connection, person: Person) -> None:
    """A whole login ceremony."""
    begun = expect(await connection.post("/login/begin", {"email": person.email}), 200)
    assertion = person.client.get(begun["publicKey"])
    body = {"email": person.email, "assertion": assertion}
    person.token = expect(await connection.post("/login/complete", body), 200)["access_token"]


async def begin(connection: Connection, person: Person) -> None:
    """Asks for login options and goes away."""
    expect(await connection.post("/login/begin", {"email": person.email}), 200)


async def read(connection: Connection, person: Person) -> None:
    """Reads one's own record."""
    expect(await connection.get(f"/users/{person.user_id}", person.token), 200)


async def drive(
    service: Service,
    what: str,
    connections: int,
    seconds: float,
    act: Callable[[Connection, Person], Awaitable[None]],
    people: Callable[[int, int], Person],
) -> Figures:
    """Closed loop: `connections` people act one time after the other until the time is up."""
    figures = Figures(what, connections)
    opened = [await Connection(service.port).open() for _ in range(connections)]
    until = time.perf_counter() + seconds

    async def one(slot: int) -> None:
        turn = 0
        while time.perf_counter() < until:
            person = people(slot, turn)
            turn += 1
            started = time.perf_counter()
            await act(opened[slot], person)
            figures.latencies.append(time.perf_counter() - started)

    cpu, started = service.cpu_seconds(), time.perf_counter()
    await asyncio.gather(*(one(slot) for slot in range(connections)))
    figures.seconds = time.perf_counter() - started
    figures.cpu_seconds = service.cpu_seconds() - cpu
    figures.count = len(figures.latencies)
    for connection in opened:
        await connection.close()
    return figures
