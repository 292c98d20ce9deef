"""The services that attacks are tried on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.attacks.laboratory import Laboratory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.attacks.cases import Needs


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Needs], Laboratory]]:
    """The service with the settings that a case needs; each is opened once."""
    opened: dict[frozenset[tuple[str, str]], Laboratory] = {}
    directory = tmp_path_factory.mktemp("laboratories")
    with asyncio.Runner() as runner:

        def find(needs: Needs) -> Laboratory:
            if needs.settings not in opened:
                opened[needs.settings] = Laboratory(directory / str(len(opened)), dict(needs.settings), runner)
            return opened[needs.settings]

        yield find
        for lab in opened.values():
            lab.close()
