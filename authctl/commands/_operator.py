"""Who sits at the terminal: the operating-system user, as the audit trail names them."""

from __future__ import annotations

import os
import pwd
import socket
import sys
import uuid
from typing import TYPE_CHECKING

import authctl

if TYPE_CHECKING:
    from authctl.server.audit.events import Caller


def operator() -> Caller:
    """The caller of a command: the real user, the one behind sudo, the host and the terminal.

    The actor reads "os:jane(1000)", or "os:root(0) sudo:jane(1000)".
    """
    from authctl.server.audit.events import Caller

    actor = f"os:{_name_of(os.getuid())}({os.getuid()})"
    origin = _behind_sudo()
    return Caller(
        address=None,
        peer_address=None,
        user_agent=f"authctl/{authctl.__version__} (host {socket.gethostname()}; tty {_terminal()})",
        request_id=uuid.uuid4().hex,
        actor=f"{actor} sudo:{origin}" if origin else actor,
    )


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return "?"


def _behind_sudo() -> str | None:
    # Environment variables are only a claim, so the number has to be that of the name.
    name, uid = os.environ.get("SUDO_USER"), os.environ.get("SUDO_UID", "")
    if not name or not uid.isascii() or not uid.isdigit() or _name_of(int(uid)) != name:
        return None
    return f"{name}({uid})"


def _terminal() -> str:
    for stream in (sys.stdin, sys.stderr, sys.stdout):
        try:
            return os.ttyname(stream.fileno())
        except (OSError, ValueError):
            continue
    return "none"
