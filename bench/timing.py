"""Whether an answer's time tells who has an account: medians and the chance of guessing right (R-EN-04)."""

from __future__ import annotations

import random
import statistics
import time
from typing import Any

from bench.connection import Connection
from bench.load import Person, expect, make_person, register


async def compare(port: int, samples: int) -> list[dict[str, object]]:
    """Interleaved requests of two classes each, in random order, on one connection."""
    connection = await Connection(port).open()
    known, unknown = make_person(port, 900_001), make_person(port, 900_002)
    await register(connection, known)
    rows = [
        await _pair(connection, "login/begin: known, unknown", samples, _begin(known), _begin(unknown)),
        await _pair(
            connection,
            "login/complete: wrong signature, unknown credential",
            samples,
            _complete(known, spoil_signature=True),
            _complete(known, spoil_signature=False),
        ),
    ]
    await connection.close()
    return rows


def _begin(person: Person) -> Any:
    async def prepare(connection: Connection) -> tuple[str, dict[str, object], int]:
        return "/login/begin", {"email": person.email}, 200

    return prepare


def _complete(person: Person, *, spoil_signature: bool) -> Any:
    async def prepare(connection: Connection) -> tuple[str, dict[str, object], int]:
        begun = expect(await connection.post("/login/begin", {"email": person.email}), 200)
        assertion = person.client.get(begun["publicKey"])
        if spoil_signature:
            signature = assertion["response"]["signature"]
            assertion["response"]["signature"] = (
                signature[:20] + ("A" if signature[20] != "A" else "B") + signature[21:]
            )
        else:
            other = assertion["id"][:-2] + ("AA" if assertion["id"][-2:] != "AA" else "BA")
            assertion["id"] = assertion["rawId"] = other
        return "/login/complete", {"email": person.email, "assertion": assertion}, 401

    return prepare


async def _pair(connection: Connection, what: str, samples: int, first: Any, second: Any) -> dict[str, object]:
    times: tuple[list[float], list[float]] = ([], [])
    order = [0, 1] * samples
    random.shuffle(order)
    for which in order:
        path, body, status = await (first, second)[which](connection)
        started = time.perf_counter()
        answer = await connection.post(path, body)
        times[which].append(time.perf_counter() - started)
        expect(answer, status)
    medians = [statistics.median(one) for one in times]
    return {
        "what": what,
        "samples": samples,
        "median_us": [round(1e6 * one) for one in medians],
        "difference_us": round(1e6 * (medians[1] - medians[0])),
        "auc": round(_area_under_curve(*times), 3),
    }


def _area_under_curve(first: list[float], second: list[float]) -> float:
    """The probability that a request of the second class took longer than one of the first; 0.5 tells nothing."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = sum(rank for rank, (_, which) in enumerate(ranked, 1) if which == 1)
    return (ranks - len(second) * (len(second) + 1) / 2) / (len(first) * len(second))
