"""The servers that recipes are proved against, each started once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.targets.programs import has_node, running_node, running_python

if TYPE_CHECKING:
    from collections.abc import Iterator


def _needs_node() -> None:
    if not has_node():
        pytest.skip("Node and npm are not installed")


@pytest.fixture(scope="session")
def simplewebauthn() -> Iterator[str]:
    """Fastify with @simplewebauthn/server."""
    _needs_node()
    with running_node("simplewebauthn") as url:
        yield url


@pytest.fixture(scope="session")
def better_auth() -> Iterator[str]:
    """better-auth with its passkey plugin."""
    _needs_node()
    with running_node("better-auth") as url:
        yield url


@pytest.fixture(scope="session")
def fido() -> Iterator[str]:
    """python-fido2 with the REST interface of FIDO's conformance tools."""
    with running_python("fido_conformance_server") as url:
        yield url


@pytest.fixture(scope="session")
def webauthn_io() -> Iterator[str]:
    """Starlette with py_webauthn."""
    with running_python("webauthn_io_server") as url:
        yield url
