"""A command's source is the database of the settings, an archive beside it, or a service; each mistake is one line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from authctl.commands._reading import open_source
from authctl.errors import StorageMissing, UsageError
from authctl.server.audit.sources import DatabaseSource
from authctl.server.storage.event_query import EventFilter

if TYPE_CHECKING:
    from tests.commands.conftest import Home


@pytest.mark.usefixtures("home")
def test_the_database_of_the_settings_is_asked() -> None:
    with open_source() as source:
        assert isinstance(source, DatabaseSource)
        assert list(source.events(EventFilter())) == []


def test_nothing_is_created_when_there_is_no_database(empty_home: Home) -> None:
    with pytest.raises(StorageMissing), open_source():
        raise AssertionError("opened")
    assert list(empty_home.path.iterdir()) == []


@pytest.mark.usefixtures("home")
def test_an_archive_belongs_to_the_database_here() -> None:
    with pytest.raises(UsageError, match="take one of them"), open_source(url="http://localhost", archive=Path("a")):
        raise AssertionError("opened")


@pytest.mark.usefixtures("home")
def test_the_database_is_let_go_when_the_archive_is_not_there() -> None:
    with pytest.raises(Exception, match="archive"), open_source(archive=Path("no-archive")):
        raise AssertionError("opened")
