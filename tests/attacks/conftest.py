"""The services that attacks are tried on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.virtual_authenticator.harness.loop_thread import LoopThread
from tests.attacks.own_service import OwnService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authctl.virtual_authenticator.faults.needs import Needs


@pytest.fixture(scope="session")
def service_for(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Needs], OwnService]]:
    """The service with the settings that a case needs; each is opened once."""
    opened: dict[tuple[tuple[str, str], ...], OwnService] = {}
    directory = tmp_path_factory.mktemp("services")
    loop = LoopThread()

    def find(needs: Needs) -> OwnService:
        if needs.settings not in opened:
            opened[needs.settings] = OwnService(directory / str(len(opened)), dict(needs.settings), loop)
        return opened[needs.settings]

    yield find
    for service in opened.values():
        service.close()
    loop.close()
