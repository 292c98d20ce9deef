from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from authctl.commands._session import open_session
from authctl.errors import StorageMissing, StorageUnavailable
from authctl.settings import load_settings

if TYPE_CHECKING:
    from authctl.server.service import Service
    from tests.commands.conftest import Home


def test_a_session_closes_the_service_whatever_happens(home: Home) -> None:
    seen: list[Service] = []

    def fail() -> None:
        with open_session() as session:
            seen.append(session.service)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert home.path.exists()
    with pytest.raises(StorageUnavailable):
        seen[0].database.write_now(lambda tx: tx.users.count_admins())


def test_a_session_creates_nothing_unless_told_to(empty_home: Home) -> None:
    with pytest.raises(StorageMissing), open_session():
        pass
    assert list(empty_home.path.iterdir()) == []
    with open_session(load_settings(), create=True) as session:
        assert session.run(session.service.users.list()) == []


def test_what_the_service_would_log_is_told_to_the_person(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """R-CL-01."""
    with open_session():
        logging.getLogger("authctl.audit").warning("the file %s is away", "\x1b[2J")
        logging.getLogger("authctl.audit").info("nothing of interest")
    assert logging.getLogger("authctl").handlers == []
    assert capsys.readouterr().err == "warning: the file \\x1b[2J is away\n"
    assert home.path.exists()


def test_a_command_says_so_when_the_log_file_cannot_be_written(home: Home) -> None:
    home.add_user("jane@example.com")
    (home.path / "app.log").mkdir()
    result = home.run("promote", "jane@example.com")
    assert result.exit_code == 0
    assert result.stdout == "jane@example.com: user -> admin\n"
    assert "warning: " in result.stderr
