from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from authctl.commands._lazy import Lazy, LazyCommand

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_command_is_imported_when_it_is_called_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lazy_target.py").write_text('def greet():\n    """Greet.\n\n    All\n    of them.\n    """\n')
    monkeypatch.syspath_prepend(tmp_path)
    command = LazyCommand("hello", Lazy("lazy_target:greet", "Greet."))
    assert "lazy_target" not in sys.modules
    loaded = command.load()
    assert (loaded.name, loaded.help) == ("hello", "Greet.\n\nAll of them.")
    del sys.modules["lazy_target"]
