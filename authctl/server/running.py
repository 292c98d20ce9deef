"""Runs the application under uvicorn: as the main process, as one of several workers, or embedded in a thread."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Self

import uvicorn
import uvloop

from authctl.errors import Conflict, Refused, UsageError
from authctl.logs import configure_logs
from authctl.server.app import create_app
from authctl.server.assembly import open_service
from authctl.server.connection_limits import ConnectionLimits, is_shared_address
from authctl.server.http.client_address import ClientAddresses
from authctl.server.http.envelope import response_fields
from authctl.server.http_protocol import Connection, Connections
from authctl.server.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType, TracebackType

    from starlette.types import ASGIApp

    from authctl.clock import Clock
    from authctl.server.service import Service
    from authctl.server.supervisor import Reporter
    from authctl.settings import Settings

logger = logging.getLogger(__name__)

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
TICK_SECONDS: Final = 0.1
ARRIVAL_TURNS: Final = 4
ARRIVAL_TURN_SECONDS: Final = 0.001
ARRIVAL_SECONDS: Final = 0.08
BACKLOG: Final = 2048
SEND_BUFFER: Final = 128 * 1024


class Server(uvicorn.Server):
    """uvicorn's server with deadlines that are kept, a drain that ends, and signals that are not raised again."""

    server_state: Connections

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        limits: ConnectionLimits | None = None,
        on_started: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(_configuration(app))
        self._limits = limits or ConnectionLimits()
        is_trusted = ClientAddresses(settings.trusted_proxies).is_trusted
        self.server_state = Connections(self._limits, is_shared_address(is_trusted), response_fields(settings.origins))
        self._on_started = on_started
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()

    def stop(self) -> None:
        """Begins the drain; from any thread."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains, the second ends what is still open."""
        if self.should_exit:
            self.force_exit = True
            watchdog = threading.Timer(self._limits.hurried_seconds, os._exit, (1,))
            watchdog.daemon = True
            watchdog.start()
        self.stop()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Takes the signals while serving. uvicorn would raise them again afterwards and end by them; we end with 0."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        # What the parent process ignores for us, as a supervisor does with interrupts, stays ignored.
        numbers = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to accept, then says so."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self._on_started is not None:
            self._on_started()

    async def main_loop(self) -> None:
        """Keeps the deadlines until a signal comes; a signal does not have to wait for the tick."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            self.server_state.register.enforce(asyncio.get_running_loop().time())
            try:
                await asyncio.wait_for(self._woken.wait(), TICK_SECONDS)
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops accepting, lets whole requests finish, cuts the others, and closes the application."""
        await self._take_in_what_has_arrived()
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        await self._take_in_what_has_arrived()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        await self._drain()
        for connection in list(state.connections):
            connection.transport.abort()
        for task in list(state.tasks):
            task.cancel()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=0.5)
        await self.lifespan.shutdown()

    async def _take_in_what_has_arrived(self) -> None:
        """Lets the event loop turn while it still accepts, for a moment at most.

        A connection that waits to be accepted, and bytes that wait to be read, would be lost otherwise, although their
        client has done everything in time. The loop accepts one connection a turn and reads from it two turns later.
        """
        register, loop = self.server_state.register, asyncio.get_running_loop()
        ends = loop.time() + ARRIVAL_SECONDS
        quiet, seen = 0, register.entered
        while quiet < ARRIVAL_TURNS and loop.time() < ends:
            await asyncio.sleep(ARRIVAL_TURN_SECONDS)
            quiet = quiet + 1 if register.entered == seen else 0
            seen = register.entered

    async def _drain(self) -> None:
        state, loop = self.server_state, asyncio.get_running_loop()
        ends = loop.time() + self._limits.drain_seconds
        while (state.connections or state.tasks) and not self.force_exit and loop.time() < ends:
            state.register.enforce(loop.time())
            await asyncio.sleep(TICK_SECONDS / 5)


def serve(
    settings: Settings,
    *,
    workers: int = 1,
    reload: bool = False,
    on_started: Callable[[str], None] | None = None,
    limits: ConnectionLimits | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then drains and returns; a second signal ends within a second.

    workers     more than one: processes that share the listening socket, each with a service of its own
    reload      one process that is started anew when the source changes; for development
    on_started  called with the address as a URL once connections are accepted
    limits      other deadlines and sizes than the promised ones; for tests

    Raises Conflict when the address is in use, Refused when it cannot be had, and what opening the service raises.
    """
    if reload and workers > 1:
        raise UsageError("--reload runs one worker", hint="leave out one of --reload and --workers")
    _configure_logs(settings)
    listener = bind(settings.host, settings.port)
    try:
        report = _reporter(listener, settings.host, on_started)
        if workers == 1 and not reload:
            run_service(settings, listener, report, limits)
            return
        # Opening it once here brings every fault of the set-up to light before a worker starts, creates keys and
        # tables once, and leaves nothing open that a worker would inherit.
        open_service(settings, kind="server").close()
        supervisor = Supervisor(_work, (settings, listener, limits), listener, report)
        supervisor.run_reloading() if reload else supervisor.run(workers)
    finally:
        listener.close()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; raises Conflict or Refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. A socket counts as writable again when a third of this is free; left to grow to
        # megabytes, a client that reads slowly and honestly would look like one that does not read at all.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        if error.errno == 98 or error.strerror == os.strerror(98):
            raise Conflict(
                f"Port {port} of {host} is in use", hint="stop the other program or choose --port"
            ) from error
        raise Refused(
            f"Cannot listen on {host} port {port}: {error.strerror}", hint="choose --host or --port"
        ) from error
    return listener


def run_service(
    settings: Settings,
    listener: socket.socket,
    on_started: Callable[[], None] | None = None,
    limits: ConnectionLimits | None = None,
) -> None:
    """Opens the service, serves on `listener` in this process until told to stop, and closes the service."""
    service = open_service(settings, kind="server")
    try:
        server = Server(create_app(service), settings, limits, on_started)
        run(server, listener)
    finally:
        service.close()


def run(server: Server, listener: socket.socket) -> None:
    """Runs a server to its end, on an event loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve([listener]))


def _work(settings: Settings, listener: socket.socket, limits: ConnectionLimits | None, reporter: Reporter) -> None:
    """The main function of a worker process."""
    _configure_logs(settings)
    run_service(settings, listener, reporter.ready, limits)


def _configure_logs(settings: Settings) -> None:
    configure_logs(settings.log_level, known_secrets=settings.secret_values)


def _configuration(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Connection,
        loop="uvloop",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        # Forwarded headers are judged by the application, for listed proxies only; uvicorn would trust loopback.
        proxy_headers=False,
        forwarded_allow_ips=[],
        server_header=False,
        backlog=BACKLOG,
    )


def _reporter(
    listener: socket.socket, host: str, on_started: Callable[[str], None] | None
) -> Callable[[], None] | None:
    if on_started is None:
        return None
    url = address_of(listener, host)
    return lambda: on_started(url)


def address_of(listener: socket.socket, host: str) -> str:
    """The URL under which a listening socket is reached from this machine."""
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class EmbeddedServer:
    """A server in a thread of this process, on a free loopback port; for simulations and tests.

    `settings_for` gets the port and returns the settings: the origin depends on it. Raises what opening the service
    raises. `url` uses the name localhost, because an RP id has to be a domain.

    port   another port than a free one
    clock  another clock than the system's
    """

    def __init__(
        self,
        settings_for: Callable[[int], Settings],
        limits: ConnectionLimits | None = None,
        *,
        port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self._settings_for = settings_for
        self._limits = limits
        self._port = port
        self._clock = clock
        self._started = threading.Event()
        self.service: Service
        self.url = ""

    def __enter__(self) -> Self:
        listener = bind("127.0.0.1", self._port)
        try:
            port: int = listener.getsockname()[1]
            settings = self._settings_for(port)
            self.service = open_service(settings, kind="server", clock=self._clock)
        except BaseException:
            listener.close()
            raise
        self.url = f"http://localhost:{port}"
        self._server = Server(create_app(self.service), settings, self._limits, self._started.set)
        self._thread = threading.Thread(target=run, args=(self._server, listener), name="authctl-embedded", daemon=True)
        self._thread.start()
        self._started.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join()
        self.service.close()


@contextmanager
def temporary_server(limits: ConnectionLimits | None = None, **overrides: Any) -> Iterator[EmbeddedServer]:
    """An embedded server on a database, log file and keys that are gone afterwards.

    overrides  settings by field name; neither the environment nor a `.env` is looked at
    """
    with TemporaryDirectory(prefix="authctl-") as directory, embedded_in(directory, limits, **overrides) as server:
        yield server


def embedded_in(
    directory: str | Path,
    limits: ConnectionLimits | None = None,
    *,
    port: int = 0,
    clock: Clock | None = None,
    **overrides: Any,
) -> EmbeddedServer:
    """A server that keeps its files in `directory`; the same port again makes it the same server started anew."""
    from pathlib import Path

    from authctl.settings import load_settings

    place = Path(directory)

    def settings_for(port: int) -> Settings:
        return load_settings(environ={}, cwd=place, **{"port": port, "host": "127.0.0.1", **overrides})

    return EmbeddedServer(settings_for, limits, port=port, clock=clock)
