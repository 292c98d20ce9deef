"""Where the passkeys of clients are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.virtual_authenticator import (
    FileStore,
    MemoryStore,
)

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.virtual_authenticator import CredentialStore


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CredentialStore:
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path / "passkeys.json")
