"""What a browser complains of: breaches of the content security policy, errors of scripts, requests that failed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selenium import webdriver

SEEN = """(() => {
  const seen = window.__seen = {violations: [], shift: 0, shifts: []};
  document.addEventListener("securitypolicyviolation", ({effectiveDirective, blockedURI, sourceFile, lineNumber}) =>
    seen.violations.push(`${effectiveDirective} forbids ${blockedURI} at ${sourceFile}:${lineNumber}`));
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      const moved = entry.sources.map(source => source.node?.outerHTML?.slice(0, 80));
      seen.shifts.push([entry.value, entry.hadRecentInput, moved]);
      if (!entry.hadRecentInput) seen.shift += entry.value;
    }
  }).observe({type: "layout-shift", buffered: true});
})();"""
"""Runs in a page before its own scripts."""
NO_OFFERS = "if (window.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = async () => false;"
"""Runs in a page to which the browser has no passkeys to offer at a field."""
LEVELS = ("WARNING", "SEVERE")


class Watch:
    """Fails a test whose page did what it must not; failures of the network that are meant are declared."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self._browser = browser
        self._complaints: list[str] = []
        self._declared: list[str] = []
        self._log()  # what an earlier test has left

    def expect(self, *patterns: str) -> None:
        """Declares complaints; each must come, and may come more than once."""
        self._declared += patterns

    def collect(self) -> None:
        """Takes over what the page in front knows, before it goes."""
        seen: dict[str, Any] | None = self._browser.execute_script(
            "const seen = window.__seen; return seen && seen.violations.splice(0);"
        )
        self._complaints += [f"content security policy: {violation}" for violation in seen or ()]
        self._complaints += [entry["message"] for entry in self._log() if entry["level"] in LEVELS]

    def _log(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self._browser.get_log("browser")  # type: ignore[no-untyped-call]
        return entries

    def check(self) -> None:
        """Raises AssertionError for complaints that nobody declared, and for declared ones that did not come."""
        self.collect()
        unmeant = [said for said in self._complaints if not any(re.search(one, said) for one in self._declared)]
        assert not unmeant, "\n".join(unmeant)
        missed = [one for one in self._declared if not any(re.search(one, said) for said in self._complaints)]
        assert not missed, f"declared, but it did not come: {missed}"


def answered(status: int, *paths: str) -> str:
    """What the browser's console says when a request to one of the paths got such an answer."""
    where = "|".join(map(re.escape, paths))
    return rf"({where}) - Failed to load resource: the server responded with a status of {status} "


def unreachable(path: str) -> str:
    """What the browser's console says of a request to a server that is not there."""
    return rf"{re.escape(path)} - Failed to load resource: net::ERR_CONNECTION_"
