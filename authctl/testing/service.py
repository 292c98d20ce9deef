"""authctl's own service for tests of programs that rely on it: on a port or in this process, with people in it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import httpx2

from authctl.server.app import create_app
from authctl.server.assembly import open_service
from authctl.server.running import embedded_in
from authctl.settings import load_settings
from authctl.virtual_authenticator.authenticator.authenticator import VirtualAuthenticator
from authctl.virtual_authenticator.client.client import Client
from authctl.virtual_authenticator.harness import ceremonies
from authctl.virtual_authenticator.harness.accounts import Account, throw_away_account
from authctl.virtual_authenticator.harness.lifespan import Lifespan
from authctl.virtual_authenticator.harness.loop_thread import LoopThread
from authctl.virtual_authenticator.harness.steps import drive
from authctl.virtual_authenticator.harness.transport import Answer, Request

if TYPE_CHECKING:
    from types import TracebackType

    from authctl.server.service import Service
    from authctl.virtual_authenticator.harness.ceremonies import LoggedIn
    from authctl.virtual_authenticator.harness.lifespan import AsgiApp
    from authctl.virtual_authenticator.harness.steps import Step

_FOR_TESTS: Final = {"rate_limits": "off", "authenticator_attachment": "any"}
"""What many tests in quick succession, with authenticators of any kind, need of the service."""


class _OwnService:
    """What both forms have in common.

    url      of the server
    origin   of its page
    service  behind it: users, audit trail and all
    """

    url: str
    origin: str
    service: Service

    def __init__(self, **settings: Any) -> None:
        self._settings = _FOR_TESTS | settings
        self._stack = ExitStack()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def client(self, **arguments: Any) -> httpx2.Client:
        """A new client of the server, to be closed by the caller; arguments are those of `httpx2.Client`."""
        # The environment's proxies have no business with this machine's own servers.
        return httpx2.Client(**{"base_url": self.url, "trust_env": False, "transport": self._transport(), **arguments})

    def register(
        self, account: Account | None = None, authenticator: VirtualAuthenticator | None = None
    ) -> PasskeyUser:
        """Somebody new with a passkey, logged in; raises CeremonyError when the service does not let them."""
        return PasskeyUser(self, account or throw_away_account(), authenticator or VirtualAuthenticator())

    def _transport(self) -> httpx2.BaseTransport | None:
        return None

    def _directory(self) -> Path:
        return Path(self._stack.enter_context(TemporaryDirectory(prefix="authctl-")))


class LiveService(_OwnService):
    """The service on a free port of this machine, with a temporary database; used as a context manager."""

    def __enter__(self) -> LiveService:
        with ExitStack() as opened:
            opened.callback(self._stack.close)
            server = self._stack.enter_context(embedded_in(self._directory(), **self._settings))
            opened.pop_all()
        self.service = server.service
        self.url, self.origin = server.url, server.service.settings.origins[0]
        return self


class ServiceInProcess(_OwnService):
    """The service without a socket, with a temporary database; used as a context manager."""

    app: AsgiApp

    def __enter__(self) -> ServiceInProcess:
        with ExitStack() as opened:
            opened.callback(self._stack.close)
            directory = self._directory()
            self.service = open_service(load_settings(environ={}, cwd=directory, **self._settings), kind="server")
            self._stack.callback(self.service.close)
            self.url = self.origin = self.service.settings.origins[0]
            self.app = create_app(self.service)
            self._start(self.app)
            opened.pop_all()
        return self

    def _start(self, app: AsgiApp) -> None:
        self._loop = LoopThread()
        self._stack.callback(self._loop.close)
        lifespan = Lifespan(app)
        self._loop.run(lifespan.start())
        self._stack.callback(lambda: self._loop.run(lifespan.stop()))

    def _transport(self) -> httpx2.BaseTransport | None:
        return _InProcess(self.app, self._loop)


class PasskeyUser:
    """Somebody with an account and a passkey.

    account        what they have said of themselves
    email, id      of the account
    authenticator  which keeps the passkey
    browser        the WebAuthn client in front of it
    token          the access token of the last login; a secret
    client         an HTTP client that sends the token
    """

    def __init__(self, home: _OwnService, account: Account, authenticator: VirtualAuthenticator) -> None:
        self.account = account
        self.email = account.email
        self.authenticator = authenticator
        self.browser = Client(authenticator, home.origin)
        self.client = home.client()
        try:
            self._entered(
                drive(ceremonies.login_registering_first(self.browser, account), self._way(), on_step=_unseen)
            )
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"<PasskeyUser {self.email}>"

    def log_in(self) -> str:
        """Logs in once more; the new token, which `client` sends from now on."""
        self._entered(drive(ceremonies.login(self.browser, self.email), self._way(), on_step=_unseen))
        return self.token

    def close(self) -> None:
        """Lets go of connections; the account stays."""
        self.client.close()

    def _entered(self, end: LoggedIn) -> None:
        self.id: str = end.user["id"]
        self.token = end.access_token
        self.client.headers["Authorization"] = f"Bearer {self.token}"

    def _way(self) -> _Sender:
        return _Sender(self.client)


class _Sender:
    """Sends what ceremonies ask with an HTTP client."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    def send(self, request: Request) -> Answer:
        started = time.perf_counter()
        got = self._client.request(
            request.method, request.path, headers=dict(request.headers), json=request.json, content=request.content
        )
        headers = {name.lower(): value for name, value in got.headers.items()}
        return Answer(request, got.status_code, headers, got.content, time.perf_counter() - started)


class _InProcess(httpx2.BaseTransport):
    """Carries the requests of a plain client to an application on an event loop in another thread."""

    def __init__(self, app: AsgiApp, loop: LoopThread) -> None:
        self._transport = httpx2.ASGITransport(app)
        self._loop = loop

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The application's answer."""
        return self._loop.run(self._answer(request.method, request.url, request.headers, request.read()))

    async def _answer(self, method: str, url: httpx2.URL, headers: httpx2.Headers, body: bytes) -> httpx2.Response:
        request = httpx2.Request(method, url, headers=headers, content=body)
        response = await self._transport.handle_async_request(request)
        content = b"".join([chunk async for chunk in response.aiter_raw()])
        return httpx2.Response(response.status_code, headers=response.headers, stream=httpx2.ByteStream(content))


def _unseen(step: Step) -> None:
    """Nobody watches."""
