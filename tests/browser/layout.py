"""Whether what a page shows has room, and whether it stays where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.browser.chromium import Tab

MOST_SHIFT = 0.05

_OUTSIDE = """
  const box = arguments[0] ? document.querySelector(arguments[0]) : document.documentElement;
  const room = arguments[0] ? box.getBoundingClientRect() : {left: 0, right: document.documentElement.clientWidth};
  const hidden = element => element.closest(".visually-hidden, [hidden]") !== null;
  const leaves = [...box.querySelectorAll("*")].filter(element => {
    const {left, right, width} = element.getBoundingClientRect();
    return width > 1 && !hidden(element) && (left < room.left - 1 || right > room.right + 1);
  });
  const cut = [...box.querySelectorAll("p, dd, dt, h1, h2, li, button, span, bdi")].filter(element =>
    element.clientWidth > 1 && element.scrollWidth > element.clientWidth + 1 &&
    getComputedStyle(element).overflowX !== "visible" && getComputedStyle(element).textOverflow !== "ellipsis");
  const wide = box.scrollWidth > box.clientWidth ? [box] : [];
  return [...new Set([...wide, ...leaves, ...cut])].map(element => element.outerHTML.slice(0, 120));
"""


def fits(tab: Tab, selector: str = "") -> bool:
    """Raises AssertionError with what is wider than the window, or than the element."""
    outside: list[str] = tab.run(_OUTSIDE, selector)
    assert not outside, outside
    return True


def shift(tab: Tab) -> float:
    """How much of the page has moved without a person having just asked for it (the measure is CLS)."""
    moved: float = tab.run("return window.__seen.shift")
    return moved


def shifts(tab: Tab) -> Any:
    """What moved, how far, and whether somebody had just done something."""
    return tab.run("return window.__seen.shifts")
