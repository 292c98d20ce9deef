"""The system's Chromium without a window: one process for many tests, a tab for each."""

from __future__ import annotations

import os
import time
from base64 import b64decode
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from selenium import webdriver
from selenium.common.exceptions import JavascriptException, NoSuchElementException, StaleElementReferenceException

from tests.browser.authenticator import Authenticator
from tests.browser.programs import CHROMEDRIVER, CHROMIUM, FLAGS
from tests.browser.watch import SEEN, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selenium.webdriver.remote.webelement import WebElement

T = TypeVar("T")
SCREENSHOTS = "BROWSER_SCREENSHOTS"
"""The environment variable that names the directory in which pictures of the tests are kept."""
PATIENCE = 30.0
_WAIT = """
  const given = [...arguments], done = given.pop(), ends = Date.now() + 3000;
  const look = () => {
    const found = (() => %s)();
    found || Date.now() > ends ? done(found) : setTimeout(look, 5);
  };
  look();
"""


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """A browser with a profile of its own, which is gone afterwards."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in FLAGS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(CHROMEDRIVER))
    try:
        yield browser
    finally:
        browser.quit()


def until(question: Callable[[], T], what: str) -> T:
    """The first answer that is true; asks often, because a page answers in milliseconds."""
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            if answer := question():
                return answer
        except (NoSuchElementException, StaleElementReferenceException):
            pass  # the page is just being drawn anew
        assert time.monotonic() < ends, f"waited in vain until {what}"
        time.sleep(0.015)


class Tab:
    """A tab with an authenticator of its own, and a watch over what the browser complains of.

    Storage of the session and everything emulated belong to the tab, so that tabs know nothing of each other.
    """

    def __init__(self, browser: webdriver.Chrome, watch: Watch) -> None:
        self.browser = browser
        self.watch = watch
        browser.switch_to.new_window("tab")
        self.handle = browser.current_window_handle
        self.cdp("Page.enable")
        self.before_scripts(SEEN)
        self.cdp("WebAuthn.enable", enableUI=False)
        self.authenticator = Authenticator(self.cdp)
        self.look()

    def cdp(self, command: str, **members: Any) -> dict[str, Any]:
        """A command of Chromium's DevTools Protocol; it goes to the tab in front."""
        answer: dict[str, Any] = self.browser.execute_cdp_cmd(command, members)
        return answer

    def before_scripts(self, source: str) -> None:
        """A script that runs before those of every page that is opened from now on."""
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=source)

    def look(self, width: int = 1280, height: int = 900, scheme: str = "light", *, still: bool = True) -> None:
        """The size of the window, light or dark, and whether the person has asked for less motion."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"},
        ]
        self.cdp("Emulation.setEmulatedMedia", features=features)

    def front(self) -> None:
        """Makes it the tab that commands go to."""
        self.browser.switch_to.window(self.handle)
        self.cdp("Page.bringToFront")

    def go(self, url: str) -> None:
        """Opens an address."""
        self.watch.collect()
        self.browser.get(url)

    def find(self, selector: str) -> WebElement:
        """The first element that the selector meets; raises NoSuchElementException."""
        return self.browser.find_element("css selector", selector)

    def all(self, selector: str) -> list[WebElement]:
        """Every element that the selector meets."""
        return self.browser.find_elements("css selector", selector)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script of the test's returns in the page."""
        return self.browser.execute_script(script, *arguments)

    def wait(self, expression: str, what: str, *arguments: Any) -> Any:
        """The first value of an expression that is true. The page itself watches for it, which costs one command.

        arguments  are called `given` in the expression
        """
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            try:
                if answer := self.browser.execute_async_script(_WAIT % expression, *arguments):
                    return answer
            except JavascriptException as error:  # another page came meanwhile
                if "unload" not in str(error):
                    raise
        raise AssertionError(f"waited in vain until {what}")

    def picture(self, name: str) -> None:
        """Keeps what the page shows, whole, when a directory for it is named."""
        if directory := os.environ.get(SCREENSHOTS):
            path = Path(directory)
            path.mkdir(parents=True, exist_ok=True)
            (path / f"{name}.png").write_bytes(self.whole())

    def whole(self) -> bytes:
        """A PNG of the page, down to its end; of what is in view while a dialog lies over it."""
        is_covered = self.run("return document.querySelector('dialog[open]') !== null")
        answer = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=not is_covered)
        return b64decode(answer["data"])

    def close(self) -> None:
        """Closes it and everything that it opened, and goes back to the first tab."""
        first, *others = self.browser.window_handles
        for handle in others:
            self.browser.switch_to.window(handle)
            self.browser.close()
        self.browser.switch_to.window(first)
