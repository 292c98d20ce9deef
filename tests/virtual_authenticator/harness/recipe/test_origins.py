"""The origin that a described server is told."""

from __future__ import annotations

import pytest

from authctl.virtual_authenticator.harness.recipe.builtin import find
from authctl.virtual_authenticator.harness.recipe.described_server import DescribedServer


@pytest.mark.parametrize(
    ("url", "origin", "told"),
    [
        ("http://LocalHost:80", None, "http://localhost"),
        ("http://localhost:8000", None, "http://localhost:8000"),
        ("http://localhost:8000", "https://Login.Example.com:443/", "https://login.example.com"),
        ("http://127.0.0.1:8000", None, "http://127.0.0.1:8000"),
    ],
)
def test_the_origin_is_told_as_browsers_write_it(url: str, origin: str | None, told: str) -> None:
    with DescribedServer(find("fido"), url, origin=origin) as server:
        assert server.origin == server.values()["origin"] == told
