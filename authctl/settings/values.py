"""What a single setting may look like: each function returns the accepted form of a value, or says what is wrong."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pydantic import SecretStr

MINIMUM_KEY_BYTES = 32
LOCAL_SCHEMES = {"http": 80, "https": 443}
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ON = frozenset({"on", "true", "yes", "1"})
_OFF = frozenset({"off", "false", "no", "0"})


def list_of(value: Any) -> Any:
    """A comma separated text as a tuple; blanks around commas do not count."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",")) if value.strip() else ()
    return value


def lower_case(value: Any) -> Any:
    """The value in lower case, if it is text."""
    return value.lower() if isinstance(value, str) else value


def switch(value: Any) -> Any:
    """On or off; `true`, `yes`, `1` and their opposites are understood."""
    if not isinstance(value, str):
        return value
    word = value.strip().lower()
    if word in _ON | _OFF:
        return word in _ON
    raise ValueError("has to be on or off")


def bare_text(value: str) -> str:
    """Text without control characters and without blanks at its ends."""
    if not value.isprintable():
        raise ValueError("holds characters that cannot be printed")
    return value.strip()


def path_text(value: Any) -> Any:
    """A path that names something: an empty text would be the working directory itself."""
    if isinstance(value, str) and (not value.strip() or "\0" in value):
        raise ValueError("has to name a file or directory")
    return value


def is_domain(host: str) -> bool:
    """Whether a host is a domain name in lower-case ASCII, and not an address."""
    return len(host) <= 253 and _DOMAIN.fullmatch(host) is not None and not host.rpartition(".")[2].isdigit()


def relying_party_id(value: str) -> str:
    """A relying party id (WebAuthn section 5.1.3): a domain, without scheme, port or path."""
    if is_domain(value):
        return value
    raise ValueError("has to be a domain in lower-case ASCII, without scheme, port or path, such as example.com")


def host_name(value: str) -> str:
    """An address or name to listen on."""
    if re.fullmatch(r"[0-9A-Za-z:.%_-]{1,253}", value):
        return value
    raise ValueError("has to be an IP address or a host name")


def origin(value: str) -> str:
    """A serialised origin exactly as browsers send it: https unless the host is localhost."""
    if "*" in value:
        raise ValueError("holds a wildcard; list each origin")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError("is not an origin, such as https://login.example.com") from None
    host = parts.hostname or ""
    if parts.scheme not in LOCAL_SCHEMES or not is_domain(host):
        raise ValueError("has to be https:// and a domain, such as https://login.example.com")
    exact = f"{parts.scheme}://{host}"
    if port is not None and port != LOCAL_SCHEMES[parts.scheme]:
        exact += f":{port}"
    if value != exact:
        raise ValueError(f"is not an exact origin; browsers would send {exact}")
    if parts.scheme == "http" and not is_local(host):
        raise ValueError("has to begin with https://; http is for localhost only")
    return value


def is_local(host: str) -> bool:
    """Whether browsers treat a host as this machine (Secure Contexts section 3.1)."""
    return host == "localhost" or host.endswith(".localhost")


def host_of(origin_text: str) -> str:
    """The host of an origin that was accepted before."""
    return urlsplit(origin_text).hostname or ""


def network(value: Any) -> IPv4Network | IPv6Network:
    """A network or single address; one that holds everybody is refused."""
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    if value == "*":
        raise ValueError("would believe everybody; list the addresses of the proxies")
    try:
        found = ip_network(value)
    except ValueError:
        raise ValueError("has to be an IP address or a network such as 10.0.0.0/8") from None
    if found.prefixlen == 0:
        raise ValueError("would believe everybody; list the addresses of the proxies")
    return found


def supported_database(value: str) -> str:
    """The address of a database of a supported kind. The message never shows the value: it may hold a password."""
    if value.startswith("sqlite:///") and value.removeprefix("sqlite:///") not in {"", ":memory:"}:
        return value
    if value.startswith("postgresql+psycopg://"):
        return value
    raise ValueError("has to begin with sqlite:/// and name a file, or with postgresql+psycopg://")


def key_text(value: SecretStr | None) -> SecretStr | None:
    """A secret that holds something; an empty one is a mistake, not a wish for a generated key."""
    if value is not None and not value.get_secret_value().strip():
        raise ValueError("is empty")
    return value
