"""The cookies of one browser (RFC 6265 §5), with the rules that decide which of them a request carries."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from authctl.virtual_authenticator.harness.transport import Answer

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Cookie:
    """One line of Set-Cookie; attribute names are lower case."""

    name: str
    value: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Kept:
    value: str
    is_host_only: bool
    is_secure: bool
    expires: float | None


class CookieJar:
    """What a browser keeps and sends; a copy is another window of the same browser."""

    def __init__(self) -> None:
        # §5.3: name, domain and path together tell one cookie from another.
        self._kept: dict[tuple[str, str, str], _Kept] = {}

    def copy(self) -> CookieJar:
        """A jar of its own with the same cookies."""
        jar = CookieJar()
        jar._kept = dict(self._kept)
        return jar

    def keep(self, url: str, answer: Answer) -> None:
        """Keeps what the answer to a request for that address sets."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        for cookie in set_cookies(answer):
            domain = cookie.attributes.get("domain", "").lstrip(".").lower()
            if domain and not _matches(host, domain):
                continue
            path = cookie.attributes.get("path", "")
            key = (cookie.name, domain or host, path if path.startswith("/") else default_path(parts.path))
            expires = _expiry(cookie.attributes)
            if expires is not None and expires <= time.time():
                self._kept.pop(key, None)
                continue
            self._kept[key] = _Kept(cookie.value, not domain, "secure" in cookie.attributes, expires)

    def header(self, url: str) -> str:
        """The Cookie header of a request for that address, the longest path first (§5.4); empty when there is none."""
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path or "/"
        # Browsers take the machine itself for secure.
        is_secure = parts.scheme == "https" or host in _LOOPBACK_NAMES
        found = [
            (len(cookie_path), f"{name}={kept.value}")
            for (name, domain, cookie_path), kept in self._kept.items()
            if (host == domain if kept.is_host_only else _matches(host, domain))
            and _is_below(path, cookie_path)
            and (is_secure or not kept.is_secure)
            and (kept.expires is None or kept.expires > time.time())
        ]
        return "; ".join(text for _, text in sorted(found, key=lambda pair: -pair[0]))


def set_cookies(answer: Answer) -> list[Cookie]:
    """The cookies that an answer sets; lines that are none are left out, as browsers do."""
    found = []
    for line in answer.cookies:
        first, *rest = line.split(";")
        name, equals, value = (part.strip() for part in first.partition("="))
        if not equals or not name or not (name + value).isascii() or not (name + value).isprintable():
            continue
        attributes = [attribute.partition("=") for attribute in rest]
        found.append(Cookie(name, value, {key.strip().lower(): text.strip() for key, _, text in attributes}))
    return found


def default_path(path: str) -> str:
    """The directory of a request, under which a cookie without a path stays (§5.1.4)."""
    return path.rpartition("/")[0] or "/"


def _matches(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory if directory.endswith("/") else directory + "/")


def _expiry(attributes: dict[str, str]) -> float | None:
    # Max-Age goes before Expires (§5.3); what is neither is a cookie for this session.
    seconds = attributes.get("max-age", "")
    if seconds.lstrip("-").isdigit() and seconds.isascii() and "-" not in seconds[1:]:
        return time.time() + max(-1, int(seconds[:10]))
    try:
        return parsedate_to_datetime(attributes["expires"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return None
