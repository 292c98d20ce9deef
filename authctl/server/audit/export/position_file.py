"""The file in which a regular export keeps its cursor from one run to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.errors import UsageError
from authctl.server.audit.export.cursor import LONGEST, Cursor
from authctl.server.audit.export.files import replace_file, require_writable_place

if TYPE_CHECKING:
    from pathlib import Path


class PositionFile:
    """`--position FILE`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Cursor | None:
        """The stored cursor, or None when there is no file yet.

        Raises UsageError when it holds something else, or could not be replaced afterwards.
        """
        require_writable_place(self.path)
        try:
            with self.path.open("rb") as file:
                text = file.read(LONGEST + 1).decode("ascii")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            text = ""
        try:
            return Cursor.from_text(text)
        except UsageError as error:
            raise UsageError(
                f"{self.path} holds no cursor of `audit export`", hint="move it away to begin anew", debug=error.debug
            ) from None

    def store(self, cursor: Cursor) -> None:
        """Puts the cursor in the place of the older one, durably."""
        replace_file(self.path, f"{cursor.to_text()}\n".encode())
