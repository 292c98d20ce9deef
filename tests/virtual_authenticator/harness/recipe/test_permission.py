from __future__ import annotations

import pytest

from authctl.errors import UsageError
from authctl.virtual_authenticator.harness.recipe.permission import require_permission


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8000", "http://127.0.0.1", "http://127.8.9.1:80", "http://[::1]:8000", "http://a.localhost"],
)
def test_this_machine_is_tested_without_asking(url: str) -> None:
    require_permission(url, ())


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://localhost.example.com",
        "http://notlocalhost",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost@example.com/",
        "http://[::1",
        "http://0.0.0.0",
    ],
)
def test_another_host_is_refused_when_nobody_has_named_it(url: str) -> None:
    with pytest.raises(UsageError, match="nobody has said"):
        require_permission(url, ("example.org",))


def test_a_host_is_tested_when_it_was_named() -> None:
    require_permission("https://Login.Example.com:8443/x", ("login.example.COM",))
    require_permission("http://[2001:db8::1]/", ("[2001:db8::1]",))
