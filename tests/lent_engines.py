"""Engines for Parquet files that go from one question to the next: starting one is 15 ms of work, a thousand times.

What `_connect` sets is set by itself, once for each engine; between two borrowers an engine forgets its views and what
it has read. The tests of the module that starts engines have a new one each time, as the program does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from authctl.server.storage import parquet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

_connect = parquet._connect
_free: dict[int, list[Any]] = {}


class Lent:
    """An engine that goes back where it came from when it is closed."""

    def __init__(self, engine: Any, threads: int) -> None:
        self._engine = engine
        self._threads = threads

    def execute(self, *arguments: Any) -> Any:
        """What the engine answers."""
        return self._engine.execute(*arguments)

    def cursor(self) -> Any:
        """For one answer."""
        return self._engine.cursor()

    def close(self) -> None:
        """Safe to call twice, as the real one is."""
        engine, self._engine = self._engine, None
        if engine is not None:
            for (name,) in engine.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall():
                engine.execute(f'DROP VIEW "{name}"')
            engine.execute("SET GLOBAL enable_external_file_cache = false")
            engine.execute("SET GLOBAL enable_external_file_cache = true")
            _free.setdefault(self._threads, []).append(engine)


def lend(duckdb: ModuleType, folder: Path, threads: int) -> Lent:
    """A free engine, or a new one."""
    free = _free.setdefault(threads, [])
    engine = free.pop() if free else _connect(duckdb, folder, threads)
    engine.execute(f"SET GLOBAL temp_directory = {parquet.literal(folder / 'spilled')}")
    return Lent(engine, threads)


@pytest.fixture(scope="session", autouse=True)
def lent_engines() -> Iterator[None]:
    """Lends engines to whatever reads or writes Parquet files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "_connect", lend)
        yield
    for engine in (engine for free in _free.values() for engine in free):
        engine.close()
    _free.clear()


@pytest.fixture
def real_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starts an engine whenever the program does."""
    monkeypatch.setattr(parquet, "_connect", _connect)
