"""Instances of the whole service on files and databases of their own, closed at the end of their test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.builders import Instance, Visitor, prepare, settings_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authctl.clock import FixedClock


class OpenInstance(Protocol):
    """Opens one more instance: over the database given or a file of its own, with other settings than the usual."""

    def __call__(self, url: str | None = None, **settings: Any) -> Instance:
        """The instance, open."""
        ...


@pytest.fixture
def open_instance(tmp_path: Path, clock: FixedClock) -> Iterator[OpenInstance]:
    """Opens instances, each with files of its own."""
    opened: list[Instance] = []

    def open_one(url: str | None = None, **settings: Any) -> Instance:
        directory = tmp_path / f"instance-{len(opened) + 1}"
        instance = Instance(settings_in(directory, url, **settings), clock)
        opened.append(instance)
        return instance

    yield open_one
    for instance in opened:
        instance.close()


@pytest.fixture
def instance(open_instance: OpenInstance) -> Instance:
    """A service on SQLite."""
    return open_instance()


@pytest.fixture
def each_instance(any_url: str, open_instance: OpenInstance) -> Instance:
    """A service, once on SQLite and once on PostgreSQL."""
    return open_instance(prepare(any_url))


@pytest.fixture
def jane(instance: Instance) -> Visitor:
    """A registered user of the service on SQLite; the events of the registration are seen already."""
    visitor = Visitor(instance)
    visitor.register()
    instance.new_events()
    return visitor
