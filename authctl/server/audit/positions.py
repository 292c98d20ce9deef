"""How far each chain has come on its way into the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from authctl.server.audit.lines import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.audit.coverage import Coverage
    from authctl.server.storage.transaction import Transaction


class Line(NamedTuple):
    """One line on its way into the file.

    behind  the sequence of the row before it: the one before, unless rows were removed in between
    """

    writer_id: str
    seq: int
    data: bytes
    behind: int


@dataclass(slots=True)
class Place:
    """One chain: rows up to `last` are committed, up to `shipped` in the file."""

    generation: int
    shipped: int
    last: int
    is_ours: bool = False

    @property
    def behind(self) -> int:
        """Rows that the file lacks."""
        return max(0, self.last - self.shipped)


@dataclass(slots=True)
class Selection:
    """What of some lines is to be written: the data, the first row of each chain in it, and where that leads to."""

    data: list[bytes] = field(default_factory=list)
    first: dict[str, int] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)


class Positions:
    """The chains of this process, and those of others that it finishes."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}

    def __contains__(self, writer_id: str) -> bool:
        return writer_id in self._places

    @property
    def behind(self) -> int:
        """Rows that the file lacks, of all chains."""
        return sum(place.behind for place in list(self._places.values()))

    def open(self, writer_id: str, generation: int) -> None:
        """A chain of this process; nothing happens when it is known."""
        self._places.setdefault(writer_id, Place(generation, 0, 0, is_ours=True))

    def take_over(self, places: dict[str, Place]) -> None:
        """Chains of processes that have ended."""
        self._places.update(places)

    def of(self, writer_id: str) -> Place | None:
        """Where a chain stands."""
        return self._places.get(writer_id)

    def correct(self, writer_id: str, last: int | None) -> None:
        """Where a chain really ends; None when it never began."""
        place = self._places.get(writer_id)
        if last is None:
            self._places.pop(writer_id, None)
        elif place is not None:
            place.last, place.shipped = last, min(place.shipped, last)

    def keep_generation(self, generation: int) -> None:
        """Forgets the chains of trails that were reset."""
        self._places = {w: place for w, place in self._places.items() if place.generation == generation}

    def set_back(self, first: dict[str, int]) -> None:
        """Rows from these on are owed again."""
        for writer_id, seq in first.items():
            place = self._places.get(writer_id)
            if place is not None:
                place.shipped = min(place.shipped, seq - 1)

    def next_lines(self, tx: Transaction, most: int) -> list[Line]:
        """The next rows that the file lacks, of one chain, from the table."""
        for writer_id, place in self._places.items():
            if not place.behind:
                continue
            rows = tx.events.between(writer_id, after=place.shipped, last=place.last, most=most)
            if rows:
                places = [place.shipped, *(row[15] for row in rows)]
                return [
                    Line(writer_id, row[15], render(row, place.generation), behind)
                    for row, behind in zip(rows, places, strict=False)
                ]
            # Rows that are not in the table any more cannot be owed.
            place.shipped = place.last
        return []

    def select(self, lines: Sequence[Line], present: Coverage | None) -> Selection:
        """Lines that come next in their chains; those that are `present` count as written."""
        chosen = Selection()
        for writer_id, seq, data, behind in lines:
            place = self._places.get(writer_id)
            if place is None or not behind <= chosen.reached.get(writer_id, place.shipped) < seq:
                continue  # there already, or still waiting for rows before it
            chosen.reached[writer_id] = seq
            if present is None or seq not in present.of(writer_id):
                chosen.first.setdefault(writer_id, seq)
                chosen.data.append(data)
        return chosen

    def advance(self, reached: dict[str, int]) -> list[tuple[str, int]]:
        """Rows up to these are in the file; the other processes' chains that are complete with that."""
        finished: list[tuple[str, int]] = []
        for writer_id, seq in reached.items():
            place = self._places[writer_id]
            place.shipped = seq
            if not place.is_ours and not place.behind:
                del self._places[writer_id]
                finished.append((writer_id, seq))
        return finished
