from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path

import pytest

from authctl.commands import _operator
from authctl.commands._operator import operator


@pytest.fixture(autouse=True)
def _no_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.delenv("SUDO_UID", raising=False)


def me() -> str:
    return f"{pwd.getpwuid(os.getuid()).pw_name}({os.getuid()})"


def test_the_actor_is_the_real_user_with_name_and_number() -> None:
    """R-CL-03."""
    assert operator().actor == f"os:{me()}"


def test_the_user_behind_sudo_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-CL-03."""
    other = pwd.getpwnam("nobody")
    monkeypatch.setenv("SUDO_USER", "nobody")
    monkeypatch.setenv("SUDO_UID", str(other.pw_uid))
    assert operator().actor == f"os:{me()} sudo:nobody({other.pw_uid})"


@pytest.mark.parametrize("uid", ["", "abc", "0", "4294967295", "\u0663"])
def test_a_sudo_user_whose_number_is_another_is_not_believed(uid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "nobody")
    monkeypatch.setenv("SUDO_UID", uid)
    assert operator().actor == f"os:{me()}"


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)
    assert operator().actor == "os:?(3999999999)"


def test_host_and_terminal_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-CL-03."""
    monkeypatch.setattr(_operator, "_terminal", lambda: "/dev/pts/7")
    caller = operator()
    assert caller.user_agent is not None
    assert f"(host {socket.gethostname()}; tty /dev/pts/7)" in caller.user_agent
    assert caller.address is None
    assert caller.request_id


def test_the_terminal_is_none_when_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> str:
        raise OSError

    monkeypatch.setattr(os, "ttyname", refuse)
    assert "tty none" in str(operator().user_agent)


def test_the_terminal_is_found_by_any_of_the_three_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "ttyname", lambda _: "/dev/pts/3")
    with Path(os.devnull).open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert "tty /dev/pts/3" in str(operator().user_agent)
