"""A page on localhost that registers and logs in at a live service, and what drives it."""

from __future__ import annotations

import importlib.util
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from authctl.cli import app
from authctl.server.running import temporary_server
from tests.browser.demo_page import DemoPage
from tests.browser.programs import CHROMIUM, FLAGS, need
from tests.browser.servers import Demo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from selenium import webdriver
    from typer.testing import Result

    from tests.browser.chromium import Tab

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
__all__ = ["example", "need"]


def example(name: str) -> ModuleType:
    """An example of the documentation, as a module."""
    spec = importlib.util.spec_from_file_location(f"authctl_example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _page_server(page: dict[str, bytes]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page["html"])))
            self.end_headers()
            self.wfile.write(page["html"])

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # the name is inherited
            """Nothing: the browser's requests are not news."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


class Site:
    """The page, the service behind it, and the command line beside it."""

    def __init__(self, origin: str, api: str, directory: Path) -> None:
        self.origin = origin
        self.api = api
        self.directory = directory
        self.passkeys = directory / "keys" / "passkeys.json"

    def page(self, email: str) -> str:
        """The page for that person."""
        return f"{self.origin}/?email={email}"

    def authctl(self, *words: str) -> Result:
        """A command that succeeds, with this test's file of passkeys."""
        result = CliRunner().invoke(app, list(words), env={"AUTHCTL_PASSKEYS": str(self.passkeys)})
        assert result.exit_code == 0, result.output
        return result

    def simulate(self, verb: str, email: str, *words: str) -> Result:
        """A ceremony of the software authenticator on the same page."""
        return self.authctl(
            "simulate", verb, "--url", self.api, "--origin", self.origin, "--email", email, "--format", "json", *words
        )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A page with a live service of its own."""
    page: dict[str, bytes] = {}
    with (
        _page_server(page) as origin,
        temporary_server(origins=(origin,), cors_origins=(origin,), authenticator_attachment="any") as server,
    ):
        html = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
        page["html"] = html.replace("API_URL", server.url).encode()
        yield Site(origin, server.url, tmp_path)


@pytest.fixture(scope="module")
def playwrights_browser() -> Iterator[Any]:
    """The system's Chromium in the hands of Playwright, whose event loop must not outlive the module."""
    need("playwright", "chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def context(playwrights_browser: Any) -> Iterator[Any]:
    """A context of Playwright's, with a profile of its own."""
    opened = playwrights_browser.new_context()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[webdriver.Chrome]:
    """The browser that this process drives."""
    need("selenium", "chromium", "chromedriver")
    from tests.browser.chromium import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture
def tab(chromium: webdriver.Chrome, request: pytest.FixtureRequest) -> Iterator[Tab]:
    """A new tab; the test fails when the browser complained of something that the test has not declared.

    The browser offers no passkeys at fields unless the test is marked so by `offers`. A page that has just been left
    is about to ask for them, and who then touches the authenticator for something else may answer that.
    """
    from tests.browser.chromium import Tab
    from tests.browser.watch import NO_OFFERS, Watch

    opened = Tab(chromium, Watch(chromium))
    if request.node.get_closest_marker("offers") is None:
        opened.before_scripts(NO_OFFERS)
    try:
        yield opened
        opened.front()
        opened.picture(re.sub(r"[^\w-]+", "-", request.node.name))
        opened.watch.check()
    finally:
        opened.close()


@pytest.fixture(scope="module")
def shared_demo() -> Iterator[Demo]:
    """A service with its pages, for the tests of one file; they do not move its clock."""
    with Demo() as demo:
        yield demo


@pytest.fixture
def demo() -> Iterator[Demo]:
    """A service with its pages, for one test."""
    with Demo() as demo:
        yield demo


@pytest.fixture
def page(tab: Tab, shared_demo: Demo) -> DemoPage:
    """The demo page in a new tab."""
    return DemoPage(tab, shared_demo.url).open()


@pytest.fixture
def own_page(tab: Tab, demo: Demo) -> DemoPage:
    """The demo page of a service of the test's own."""
    return DemoPage(tab, demo.url).open()
