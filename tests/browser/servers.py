"""A service with its pages on a free port, whose clock goes on and can be put forward."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from authctl.clock import SystemClock
from authctl.server.running import EmbeddedServer, embedded_in

if TYPE_CHECKING:
    from types import TracebackType


class MovedClock(SystemClock):
    """The system's clock, so many seconds ahead."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Demo:
    """The service; it can be stopped and started again at the same address, with what it remembers."""

    def __init__(self, **settings: Any) -> None:
        self.settings = {"rate_limits": "off", **settings}
        self.clock = MovedClock()
        self.url = ""
        self._stack = ExitStack()
        self._server: EmbeddedServer | None = None

    def __enter__(self) -> Self:
        self._directory = self._stack.enter_context(TemporaryDirectory(prefix="authctl-"))
        self._stack.callback(self.stop)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self.url.rsplit(":", 1)[1])

    def start(self) -> None:
        """Starts it; at its old address when it had one."""
        port = self.port if self.url else 0
        self._server = embedded_in(self._directory, port=port, clock=self.clock, **self.settings)
        self.url = self._server.__enter__().url

    def stop(self) -> None:
        """Stops it and keeps its files."""
        if self._server is not None:
            self._server.__exit__(None, None, None)
            self._server = None

    def events(self, kind: str) -> list[tuple[str, int, str | None]]:
        """Type, outcome and reason of the events whose type begins like that, oldest first."""
        import sqlite3

        with sqlite3.connect(f"file:{self._directory}/app.db?mode=ro", uri=True) as connection:
            return connection.execute(
                "SELECT event_type, success, reason FROM audit_logs WHERE event_type LIKE ? ORDER BY created_at, rowid",
                (f"{kind}%",),
            ).fetchall()
