"""What a process remembers of the file it writes, so that it knows what a loss took away."""

from __future__ import annotations

from collections import deque

from authctl.server.audit.lines import id_of

_WRITES = 2048


class FileMemory:
    """Of one file from its creation or opening until it is rotated away.

    first_line  tells a copy of the file from any other
    since       the id of the oldest event in it: older ones are in files rotated away before
    first       per chain, the first row that this process wrote into it
    """

    def __init__(self) -> None:
        self.first_line = b""
        self.since: str | None = None
        self.first: dict[str, int] = {}
        self._writes: deque[tuple[int, dict[str, int]]] = deque(maxlen=_WRITES)

    def learn_beginning(self, line: bytes) -> None:
        """The first line, once it is known."""
        self.first_line = line
        if self.since is None:
            self.since = id_of(line)

    def note_write(self, end: int, first: dict[str, int]) -> None:
        """A write that ended at an offset, with the first row of each chain in it."""
        self._writes.append((end, first))
        for writer_id, seq in first.items():
            self.first.setdefault(writer_id, seq)

    def lost_behind(self, size: int) -> dict[str, int]:
        """Per chain, the first row that was written behind an offset."""
        lost: dict[str, int] = {}
        for end, first in self._writes:
            if end > size:
                lost = first | lost
        return lost

    def begin_again(self) -> None:
        """The content is gone and will be written anew."""
        self.first_line = b""
        self._writes.clear()
