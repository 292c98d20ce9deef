"""Faults of the origin: everything that looks like the right one to a comparison that is not exact."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from authctl.virtual_authenticator.errors import NotSupported
from authctl.virtual_authenticator.faults.interface import Layer
from authctl.virtual_authenticator.faults.interface import fault as any_fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from authctl.virtual_authenticator.faults.drafts import Draft

fault = partial(any_fault, Layer.CLIENT_DATA)

_ATTACKER: Final = "attacker.test"
_LOOKALIKES: Final = str.maketrans(
    "aceijlopqswxyh", "\u0430\u0441\u0435\u0456\u0458\u04cf\u043e\u0440\u051b\u0455\u051d\u0445\u0443\u04bb"
)
_OTHER_PORTS: Final = (8443, 9443)
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def _is(case_id: str, make: Callable[[Draft], Any], variant: str = "") -> None:
    fault(case_id, variant)(lambda draft: draft.client.update(origin=make(draft)))


def other_scheme(origin: str) -> str:
    """The same place over http, or over https if it is http already."""
    scheme, _, rest = origin.partition("://")
    return ("https" if scheme == "http" else "http") + "://" + rest


def on_port(origin: str, port: int) -> str:
    """The same host on this port."""
    parts = urlsplit(origin)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def other_port(origin: str) -> str:
    """The same host on a port where a second server often is."""
    own = urlsplit(origin).port
    return on_port(origin, next(port for port in _OTHER_PORTS if port != own))


def next_port(origin: str) -> str:
    """The same host on the port after its own."""
    parts = urlsplit(origin)
    return on_port(origin, (parts.port or _DEFAULT_PORTS[parts.scheme]) + 1)


def below(origin: str, label: str = "elsewhere.") -> str:
    """A host below this one."""
    return origin.replace("://", "://" + label, 1)


def parent(draft: Draft) -> str:
    """The host's last label; NotSupported where it has no other."""
    if "." not in draft.host:
        raise NotSupported(f"The host {draft.host} has no parent")
    return f"https://{draft.host.rpartition('.')[2]}"


def homograph(draft: Draft) -> str:
    """The origin with the first letter of its host that has a Cyrillic twin exchanged for it."""
    host = draft.host
    for place, letter in enumerate(host):
        twin = letter.translate(_LOOKALIKES)
        if twin != letter:
            return draft.origin.replace(host, host[:place] + twin + host[place + 1 :], 1)
    raise NotSupported(f"The host {host} has no letter that looks like another")


def default_port(origin: str) -> str:
    """The origin with its port written out though it is the scheme's own; NotSupported where another is there."""
    parts = urlsplit(origin)
    if parts.port is not None:
        raise NotSupported("The origin is not on the port of its scheme")
    return on_port(origin, _DEFAULT_PORTS[parts.scheme])


_is("cd.origin-array", lambda draft: [draft.origin])
_is("cd.origin-number", lambda _: 1)
_is("cd.origin-other", lambda _: f"https://{_ATTACKER}")
_is("cd.origin-http", lambda draft: other_scheme(draft.origin))
_is("cd.origin-port", lambda draft: other_port(draft.origin))
_is("cd.origin-port", lambda draft: next_port(draft.origin), "next")
_is("cd.origin-default-port", lambda draft: default_port(draft.origin))
_is("cd.origin-subdomain", lambda draft: below(draft.origin))
_is("cd.origin-suffix-trick", lambda draft: below(draft.origin, "evil-"), "ends with")
_is("cd.origin-suffix-trick", lambda draft: f"{draft.origin}.{_ATTACKER}", "starts with")
_is("cd.origin-prefix-trick", lambda draft: below(draft.origin, "not"))
_is("cd.origin-userinfo-trick", lambda draft: f"{draft.origin}@{_ATTACKER}")
_is("cd.origin-userinfo-trick", lambda draft: below(draft.origin, f"{_ATTACKER}@"), "reversed")
_is("cd.origin-case", lambda draft: draft.origin.upper())
_is("cd.origin-case", lambda draft: draft.origin.replace(draft.host, draft.host.title(), 1), "host only")
_is("cd.origin-null", lambda _: "null")
_is("cd.origin-homograph", homograph)
_is("cd.origin-trailing-dot", lambda draft: draft.origin.replace(draft.host, draft.host + ".", 1))
_is("cd.origin-trailing-slash", lambda draft: draft.origin + "/")
_is("cd.origin-path", lambda draft: draft.origin + "/login")
_is("cd.origin-in-path", lambda draft: f"https://{_ATTACKER}/{draft.origin}")
_is("cd.origin-in-query", lambda draft: f"https://{_ATTACKER}?{draft.origin}")
_is("cd.origin-in-fragment", lambda draft: f"https://{_ATTACKER}#{draft.origin}")
_is("cd.origin-backslash", lambda draft: f"https://{_ATTACKER}\\@{draft.host}")
_is("cd.origin-whitespace", lambda draft: " " + draft.origin, "leading")
_is("cd.origin-whitespace", lambda draft: draft.origin + "\n", "trailing")
_is("cd.origin-nul", lambda draft: f"{draft.origin}\0.{_ATTACKER}")
_is("cd.origin-list", lambda draft: f"{draft.origin} https://{_ATTACKER}")
_is(
    "cd.origin-percent",
    lambda draft: draft.origin.replace(draft.host, "".join(f"%{ord(c):02x}" for c in draft.host), 1),
)
_is("cd.origin-host-only", lambda draft: draft.host)
_is("cd.origin-no-scheme", lambda draft: "//" + draft.origin.partition("://")[2])
_is("cd.origin-parent", parent)
_is("cd.origin-wildcard", lambda draft: below(draft.origin, "*."))
_is("cd.origin-file", lambda draft: f"file://{draft.host}")
_is("cd.origin-extension", lambda _: "chrome-extension://abcdefghijklmnopabcdefghijklmnop")
_is("cd.origin-android-app", lambda _: "android:apk-key-hash:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
_is("cd.origin-address", lambda _: "https://127.0.0.1")


@fault("cd.origin-related")
def origin_that_is_related(draft: Draft) -> None:
    """The page on an origin that the server lists as related."""
    draft.client["origin"] = draft.related
