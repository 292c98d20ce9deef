"""Which origin may use which RP id: the rules a browser applies before it asks any authenticator."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from authctl.virtual_authenticator.errors import OriginNotAllowed

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Origin:
    """A web origin: scheme, host and port (None for the scheme's own)."""

    scheme: str
    host: str
    port: int | None

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}" + ("" if self.port is None else f":{self.port}")


@lru_cache(maxsize=256)
def parse_origin(text: str) -> Origin:
    """The origin that a browser has for this text; OriginNotAllowed when it has none, or no passkeys there."""
    parts = _split(text)
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise OriginNotAllowed(
            f"{text!r} is not an origin", hint="An origin is scheme, host and port: https://login.example.com"
        )
    host = (parts.hostname or "").lower()
    _require_secure(parts.scheme, host)
    _require_domain(host)
    port = parts.port
    return Origin(parts.scheme, host, None if port == _DEFAULT_PORTS[parts.scheme] else port)


@lru_cache(maxsize=1024)
def require_rp_id_for(rp_id: str, origin: Origin) -> None:
    """Returns when the RP id is the origin's host or a registrable domain above it; else raises OriginNotAllowed.

    There is no public suffix list here: a single label is taken for a suffix, a longer name for a domain of its own.
    """
    if not is_domain(rp_id):
        raise OriginNotAllowed(f"RP id {rp_id!r} is not a domain name", hint="Check RP_ID of the server")
    if "." not in rp_id and rp_id != "localhost":
        raise OriginNotAllowed(
            f"RP id {rp_id!r} is a public suffix: every site below it would share its passkeys",
            hint="Check RP_ID of the server",
        )
    if origin.host != rp_id and not origin.host.endswith("." + rp_id):
        raise OriginNotAllowed(
            f"Origin {origin} may not use RP id {rp_id!r}: a browser would refuse",
            hint="RP_ID has to be the host of ORIGIN or a domain above it; --origin sets the origin that is sent",
        )


def is_domain(host: str) -> bool:
    """Whether this is a lower-case domain name in ASCII, and not an address."""
    return len(host) <= 253 and all(_LABEL.match(label) for label in host.split(".")) and not _is_address(host)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise OriginNotAllowed(f"{text!r} is not an origin", debug=str(error)) from error
    return parts


def _require_secure(scheme: str, host: str) -> None:
    if scheme == "https":
        return
    if scheme != "http":
        raise OriginNotAllowed(f"The scheme {scheme!r} has no passkeys", hint="Use https://, or http://localhost")
    if host != "localhost" and not host.endswith(".localhost"):
        hint = "Use http://localhost with the port" if _is_address(host) else "Use https://, or http://localhost"
        raise OriginNotAllowed(f"http://{host} is not a secure origin: browsers offer no passkeys there", hint=hint)


def _require_domain(host: str) -> None:
    if _is_address(host):
        raise OriginNotAllowed(
            f"{host} is an address: passkeys need a domain name", hint="Use http://localhost with the port"
        )
    if not is_domain(host):
        raise OriginNotAllowed(f"{host!r} is not a domain name", hint="Write an international name in its xn-- form")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
