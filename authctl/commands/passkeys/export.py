"""`authctl passkeys export`: writes passkeys for another program, encrypted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from authctl.commands._output import Format, Output
from authctl.commands._rendering import json_document
from authctl.commands.passkeys._file import PasskeysOption, find, open_store
from authctl.commands.passkeys._portable import PassphraseOption, not_the_store, read_passphrase
from authctl.errors import UsageError

if TYPE_CHECKING:
    from authctl.virtual_authenticator import Credential
    from authctl.virtual_authenticator.credential_store.chromium import BrowserForm

_FORM = "Form, where a browser's virtual authenticator is to take them"


def export(
    *,
    ids: Annotated[
        list[str],
        typer.Argument(
            metavar="ID...",
            help="The passkeys' ids, or as much of their beginnings as is clear; -- before one with a hyphen.",
            show_default=False,
        ),
    ],
    passkeys: PasskeysOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write a private file, whole or not at all."),
    ] = None,
    passphrase_file: PassphraseOption = None,
    unencrypted_for_tests: Annotated[
        bool, typer.Option("--unencrypted-for-tests", help="Private keys in plain text, for test suites.")
    ] = False,
    chromium: Annotated[
        bool, typer.Option("--chromium", help="For WebAuthn.addCredential of Chromium.", rich_help_panel=_FORM)
    ] = False,
    webdriver: Annotated[
        bool, typer.Option("--webdriver", help="For Add Credential of WebDriver.", rich_help_panel=_FORM)
    ] = False,
    playwright: Annotated[
        bool, typer.Option("--playwright", help="For Playwright's own authenticator.", rich_help_panel=_FORM)
    ] = False,
) -> None:
    """Write passkeys with their private keys for another program.

    Encrypted by a passphrase, or in plain text when told --unencrypted-for-tests. Nothing goes to a terminal: name a
    file, or let a program read. Without a form it is one that `authctl passkeys import` takes with all that is known.

    Example: authctl passkeys export Q2hh --chromium --unencrypted-for-tests --output passkey.json
    """
    if (passphrase_file is None) is not unencrypted_for_tests:
        raise UsageError(
            "Private keys leave encrypted, or in plain text when you say so",
            hint="Either --passphrase-file FILE or --unencrypted-for-tests",
        )
    form = _form(chromium=chromium, webdriver=webdriver, playwright=playwright)
    if output is None and sys.stdout.isatty():
        raise UsageError("Private keys are not shown on a terminal", hint="Name a file with --output FILE")
    store = open_store(passkeys)
    if output is not None and output.exists() and store.path.exists() and output.samefile(store.path):
        raise UsageError(f"{output} is the file of passkeys itself", hint="Name another file with --output")
    found = list({credential.credential_id: credential for credential in (find(store, each) for each in ids)}.values())
    document = _document(found, form)
    _write(document if passphrase_file is None else _sealed(document, passphrase_file), len(found), output)


def _form(**wanted: bool) -> BrowserForm | None:
    from authctl.virtual_authenticator.credential_store.chromium import BrowserForm

    chosen = [name for name, is_wanted in wanted.items() if is_wanted]
    if len(chosen) > 1:
        raise UsageError(f"--{chosen[0]} and --{chosen[1]} are two forms", hint="Choose one")
    return BrowserForm(chosen[0]) if chosen else None


def _document(found: list[Credential], form: BrowserForm | None) -> dict[str, Any]:
    from authctl.virtual_authenticator.credential_store.chromium import obstacles
    from authctl.virtual_authenticator.credential_store.portable import export_for_browser, export_own

    if form is None:
        return export_own(found)
    for credential in found:
        for sentence in obstacles(credential, form):
            Output().warning(f"{credential.user_name}: {sentence}")
    return export_for_browser(found, form)


def _sealed(document: dict[str, Any], passphrase_file: Path) -> dict[str, Any]:
    from authctl.virtual_authenticator.credential_store.sealed import seal

    return seal(json_document(document, indented=False).encode(), read_passphrase(passphrase_file))


def _write(document: dict[str, Any], count: int, path: Path | None) -> None:
    if path is None:
        Output(Format.JSON).record(document)
        return
    from authctl.virtual_authenticator.credential_store.private_files import replace_private

    with not_the_store():
        replace_private(path, json_document(document, indented=True).encode() + b"\n")
    Output().message(f"{count} {'passkey is' if count == 1 else 'passkeys are'} in {path}, for tests only")
