"""What the demo page says when something is refused, and whether that is a sentence for people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.browser.chromium import until

if TYPE_CHECKING:
    from tests.browser.demo_page import DemoPage, Message

WORDS_OF_MACHINES = re.compile(r"undefined|null|NaN|\[object|Error\b|Exception|w3\.org|[A-Za-z]+Error|\{\w+\}")


def says(page: DemoPage, code: str) -> Message:
    """The error that the page shows, which is a sentence for people."""
    said = page.wait_for_message(code)
    assert (said.kind, said.role) == ("error", "alert")
    assert len(said.text) > 20
    assert not WORDS_OF_MACHINES.search(said.text), said.text
    return said


def ready_again(page: DemoPage, button: str) -> None:
    """No button is left dead, nor a person waiting."""
    usable = f"{button}:enabled:not([aria-busy=true], [aria-disabled=true])"
    until(lambda: page.tab.find(usable).is_displayed(), f"{button} can be used again")
