"""Several clients at once, each with connections of its own, as load balancers spread them over workers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2

from tests.builders import Visitor

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Connected:
    """A server, over a new connection for each request: with several workers any of them may answer."""

    origin: str

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """One request and its answer."""
        with httpx2.Client(trust_env=False, verify=False, timeout=10) as client:
            return client.request(method, self.origin + path, **arguments)


def register_crowd(origin: str, name: str, count: int) -> list[Visitor]:
    """Registered people; the name tells them from other crowds."""
    visitors = [Visitor(Connected(origin), f"{name}{number}@example.com") for number in range(count)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Visitor.register, visitors))
    return visitors


def log_in_all(visitors: Sequence[Visitor], rounds: int) -> int:
    """Everybody logs in and looks at themselves, as often as told, four at a time; how many logins that were."""

    def live(visitor: Visitor) -> int:
        for _ in range(rounds):
            visitor.log_in()
            assert visitor.see().json()["email"] == visitor.email
        return rounds

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(live, visitors))


def submit_at_once(origin: str, path: str, document: object, count: int) -> list[int]:
    """The statuses of one request sent by as many clients at the same moment."""
    barrier = threading.Barrier(count)

    def submit(_: int) -> int:
        with httpx2.Client(trust_env=False, verify=False, timeout=20) as client:
            client.get(f"{origin}/healthz")
            barrier.wait(20)
            return client.post(origin + path, json=document).status_code

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(submit, range(count)))
