"""Nothing on the demo page jumps, and all of it is small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.demo_page import DemoPage, Person
from tests.browser.layout import MOST_SHIFT, shift, shifts

if TYPE_CHECKING:
    from tests.browser.chromium import Tab
    from tests.browser.servers import Demo

pytestmark = pytest.mark.browser
ADA = Person()
MOST_BYTES = 60_000


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_jumps_while_somebody_comes_and_goes(tab: Tab, shared_demo: Demo, width: int) -> None:
    tab.look(width, 800, still=False)
    page = DemoPage(tab, shared_demo.url).open()
    assert shift(tab) < MOST_SHIFT, shifts(tab)
    person = ADA.called(f"jumps.{width}")
    page.register(person)
    page.wait_for_passkeys(1)
    assert shift(tab) < MOST_SHIFT, shifts(tab)
    page.open("signed-in")
    page.wait_for_passkeys(1)
    assert shift(tab) < MOST_SHIFT, shifts(tab)
    page.log_out()
    assert shift(tab) < MOST_SHIFT, shifts(tab)


def test_the_page_loads_less_than_sixty_kilobytes_and_all_of_it_from_here(page: DemoPage) -> None:
    loaded = page.tab.run("""
      const [page] = performance.getEntriesByType("navigation");
      return [page, ...performance.getEntriesByType("resource")].map(entry => [entry.name, entry.decodedBodySize]);
    """)
    assert all(name.startswith(page.url) for name, _ in loaded)
    assert sum(dict(loaded).values()) < MOST_BYTES, loaded
    assert {name.removeprefix(page.url) for name, _ in loaded} >= {"/", "/pages/app.js", "/pages/style.css"}


def test_the_page_cannot_bring_in_what_is_not_its_own(page: DemoPage) -> None:
    """R-WEB-01, in a browser: what is not allowed does not happen."""
    page.tab.watch.expect("img-src", "connect-src|Refused to connect", "style-src", "TrustedScript|require-trusted")
    happened = page.tab.browser.execute_async_script("""
      const done = arguments[0];
      const script = document.createElement("script");
      script.append("window.__ran = true");
      document.body.append(script);
      try { script.text = "window.__ran = true"; } catch { }
      document.body.setAttribute("style", "opacity: 0.5");
      const picture = new Image();
      picture.onload = picture.onerror = () => fetch("http://localhost:1/").then(() => done("fetched"), () => done([
        window.__ran ?? false, getComputedStyle(document.body).opacity, picture.naturalWidth]));
      picture.src = "http://localhost:1/picture.png";
    """)
    assert happened == [False, "1", 0]
