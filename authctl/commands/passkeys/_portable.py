"""What export and import share: passphrases, and private files that are not the store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from authctl.errors import NotFound, UsageError

PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="Private file whose first line is the passphrase; - reads it from standard input.",
        show_default=False,
    ),
]


def read_passphrase(path: Path) -> str:
    """The passphrase in the file; UsageError when there is none in it."""
    content = sys.stdin.buffer.readline() if path == Path("-") else read_private_file(path)
    try:
        passphrase = content.decode().partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        raise UsageError(f"The passphrase in {path} is not UTF-8") from None
    if not passphrase:
        raise UsageError(f"There is no passphrase in {path}", hint="Its first line is the passphrase")
    return passphrase


@contextmanager
def not_the_store() -> Iterator[None]:
    """What is wrong with a file that is not the store's is not mended by naming another store."""
    from authctl.virtual_authenticator.errors import StoreUnusable

    try:
        yield
    except StoreUnusable as error:
        error.hint = None if error.hint and "--passkeys" in error.hint else error.hint
        raise


def read_private_file(path: Path) -> bytes:
    """The content of a file that nobody else can read; NotFound when there is none."""
    from authctl.virtual_authenticator.credential_store.private_files import read_private

    with not_the_store():
        content = read_private(path)
    if content is None:
        raise NotFound(f"There is no file {path}")
    return content
