"""A passkey that was made on the demo page logs in at the terminal, and the other way round (SPEC §10)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from authctl.cli import app
from tests.browser.demo_page import Person

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from tests.browser.demo_page import DemoPage

pytestmark = pytest.mark.browser
ADA = Person()


class Terminal:
    """The command line beside the page, with a file of passkeys of its own."""

    def __init__(self, url: str, directory: Path) -> None:
        self._url = url
        self._passkeys = directory / "keys" / "passkeys.json"

    def authctl(self, *words: str) -> Result:
        """A command that succeeds."""
        result = CliRunner().invoke(app, list(words), env={"AUTHCTL_PASSKEYS": str(self._passkeys)})
        assert result.exit_code == 0, result.output
        return result

    def simulate(self, verb: str, email: str, *words: str) -> dict[str, object]:
        """A ceremony of the software authenticator at the same service."""
        told = self.authctl("simulate", verb, "--url", self._url, "--email", email, "--format", "json", *words)
        answer: dict[str, object] = json.loads(told.stdout)
        return answer


@pytest.fixture
def terminal(page: DemoPage, tmp_path: Path) -> Terminal:
    """A terminal on the machine of the browser."""
    return Terminal(page.url, tmp_path)


def test_a_passkey_of_the_page_logs_in_at_the_terminal(page: DemoPage, terminal: Terminal, tmp_path: Path) -> None:
    person = ADA.called("to.the.terminal")
    page.register(person)
    taken = tmp_path / "taken.json"
    taken.touch(mode=0o600)
    taken.write_text(json.dumps({"credentials": page.authenticator.passkeys()}))
    terminal.authctl("passkeys", "import", str(taken))
    assert terminal.simulate("login", person.email)["email"] == person.email


@pytest.mark.parametrize("preset", ["platform", "synced-passkey"])
def test_a_passkey_of_the_terminal_logs_in_on_the_page(
    page: DemoPage, terminal: Terminal, tmp_path: Path, preset: str
) -> None:
    person = ADA.called(f"from.{preset}")
    made = terminal.simulate("register", person.email, "--preset", preset, "--algorithm", "ES256")
    path = tmp_path / "given.json"
    terminal.authctl(
        "passkeys", "export", "--unencrypted-for-tests", "--chromium", "--output", str(path), "--",
        str(made["credential_id"]),
    )  # fmt: skip
    for credential in json.loads(path.read_text())["credentials"]:
        page.authenticator.put(credential)
    page.log_in(person.email)
    assert page.profile["email"] == person.email
    page.log_out()
    with page.authenticator.touched():
        page.click("#login-passkey")
        page.wait_for_state("signed-in")
