"""Ceremonies by a recipe as steps: whose fault a failure is, and what is kept after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.virtual_authenticator import Client, FileStore, VirtualAuthenticator
from authctl.virtual_authenticator.errors import ClientRefused, NoPasskey, StoreUnusable
from authctl.virtual_authenticator.harness.accounts import Account
from authctl.virtual_authenticator.harness.recipe import ceremonies
from authctl.virtual_authenticator.harness.steps import Step, drive
from tests.virtual_authenticator.harness.recipe.servers import CHALLENGE, ORIGIN, Scripted, scripted

if TYPE_CHECKING:
    from pathlib import Path

    from authctl.virtual_authenticator.harness.steps import Ceremony

JANE, NEW = Account("jane@example.com"), Account("new@example.com")


def steps_of(ceremony: Ceremony[object], expected: type[Exception]) -> list[Step]:
    """The steps of a ceremony that fails so."""
    steps: list[Step] = []
    _, server = scripted()
    with server, pytest.raises(expected):
        drive(ceremony, server.transport, on_step=steps.append)
    return steps


def client(store: FileStore | None = None) -> Client:
    return Client(VirtualAuthenticator(store=store), ORIGIN)


def test_a_login_says_that_there_is_no_passkey() -> None:
    _, server = scripted()
    with server:
        steps = steps_of(ceremonies.login(client(), server.visit(JANE)), NoPasskey)
    assert [(step.name, step.error is None) for step in steps] == [("begin", True), ("sign", False)]


def test_options_that_a_browser_would_not_take_end_the_registration() -> None:
    _, server = scripted()
    with server:
        steps = steps_of(ceremonies.register(client(), server.visit()), ClientRefused)
    assert steps[-1].name == "create passkey"


def test_options_that_cannot_be_used_are_told_where_they_are_signed() -> None:
    app = Scripted().on("/login/begin", {"challenge": "not base64url!", "rpId": "localhost"})
    _, server = scripted(app=app)
    with server:
        ceremony = ceremonies.login_registering_first(client(), server, JANE, NEW)
        assert [step.name for step in steps_of(ceremony, ClientRefused)] == ["begin", "sign"]


def test_a_file_of_passkeys_that_cannot_be_used_is_nobody_elses_fault(tmp_path: Path) -> None:
    file = tmp_path / "passkeys.json"
    file.write_text("{")
    file.chmod(0o600)
    app = Scripted().on("/login/begin", {"challenge": CHALLENGE, "rpId": "localhost"})
    _, server = scripted(app=app)
    store = FileStore(file)
    with server:
        steps_of(ceremonies.login(client(store), server.visit(JANE)), StoreUnusable)
        steps_of(ceremonies.login_registering_first(client(store), server, JANE, NEW), StoreUnusable)
