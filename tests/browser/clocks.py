"""The clocks of a page and of its service, put forward together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser.demo_page import DemoPage
    from tests.browser.servers import Demo

SKEW = """
  const now = Date.now, start = now(), real = performance.now.bind(performance);
  const ahead = () => Number(window.__ahead ?? 0) * 1000;
  Date.now = () => now() + ahead();
  performance.now = () => real() + ahead();
  window.Date = class extends Date { constructor(...given) { given.length ? super(...given) : super(Date.now()); } };
"""
"""Lets the test put the page's clock forward, as a lid that was closed for an hour does. It runs before the page."""


def put_forward(page: DemoPage, demo: Demo, seconds: float) -> None:
    """Time passes for both."""
    demo.clock.ahead = seconds
    page.tab.run("window.__ahead = arguments[0]", seconds)
