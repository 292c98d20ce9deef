"""Looks for accessibility faults with axe-core, which `vendor/` holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.browser.chromium import Tab

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
GRAVE = ("serious", "critical")
_RUN = """
  const done = arguments[0];
  const places = rule => rule.nodes.map(node => `${node.target.join(" ")}: ${node.failureSummary}`);
  axe.run({resultTypes: ["violations"]}).then(
    result => done(result.violations.map(rule => [rule.id, rule.impact, places(rule)])),
    error => done([["axe", "critical", [String(error)]]]));
"""


def faults(tab: Tab) -> list[tuple[str, str, list[str]]]:
    """The rules that the page breaks as it is now: the rule, how grave it is, and where.

    The script comes in by the DevTools Protocol, which the page's policy has no say in.
    """
    if not tab.run("return typeof axe === 'object'"):
        tab.cdp("Runtime.evaluate", expression=f"{AXE};0")
    found: list[Any] = tab.browser.execute_async_script(_RUN)
    return [(rule, impact, places) for rule, impact, places in found]


def is_accessible(tab: Tab) -> bool:
    """Raises AssertionError with the serious and critical faults."""
    grave = [fault for fault in faults(tab) if fault[1] in GRAVE]
    assert not grave, grave
    return True
